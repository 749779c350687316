"""The console's page for uploads: a file is dropped or a text pasted, then faults or a plan, then it is published."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from flask import Blueprint, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from adserver.domain.errors import Fault, UnsupportedFormat
from adserver.web.auth import Role
from adserver.web.console.drafts import MAX_FORM_BYTES, Draft, NoDraft, accepted_files, read_draft
from adserver.web.console.navigation import Entry, Section
from adserver.web.console.proposals import REFUSALS, Refusal, refusal_of
from adserver.web.console.review import ReviewDesk
from adserver.web.console.shell import require_in_console

EDITORS: Final = (Role.ADMIN, Role.MARKETER)
"""Who may change campaigns."""
FAULTS_SHOWN: Final = 100
_AROUND: Final = 2
"""Lines shown before and after one that is at fault."""
_LINE_CHARS: Final = 400


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of what was sent. Immutable."""

    number: int
    text: str
    faults: tuple[Fault, ...]


def upload_section(reviews: ReviewDesk) -> Section:
    """Return the page `/console/upload`."""
    blueprint = Blueprint("console_upload", __name__, template_folder="templates")

    @blueprint.get("/upload")
    def page() -> Response:
        require_in_console(*EDITORS)
        return _page(None, None)

    @blueprint.post("/upload")
    def take() -> Response:
        caller = require_in_console(*EDITORS)
        do = request.form.get("do", "check")
        try:
            draft = read_draft()
        except NoDraft:
            return _page(None, Refusal(422, (Fault("", "choose a file, or paste what it holds"),)))
        except UnsupportedFormat as error:
            return _page(None, refusal_of(error))
        if do == "back":
            return _page(draft, None)
        action, back = url_for("console_upload.take"), "Change the text"
        try:
            if do == "publish":
                return reviews.publish(draft, caller, action, back)
            return reviews.show(draft, caller, action, back)
        except REFUSALS as error:
            return _page(draft, refusal_of(error))

    entry = Entry(
        "Upload",
        "console_upload.page",
        "cloud-upload",
        "Drop a campaign file, see what it changes, publish.",
        frozenset(EDITORS),
    )
    return Section(blueprint, (entry,), MAX_FORM_BYTES)


def _page(draft: Draft | None, refusal: Refusal | None) -> Response:
    text = draft.text if draft is not None else None
    faults = refusal.faults if refusal is not None else ()
    body = render_template(
        "console/upload.html",
        draft=draft,
        text=text or "",
        faults=faults[:FAULTS_SHOWN],
        more=max(0, len(faults) - FAULTS_SHOWN),
        excerpts=excerpts(text, faults[:FAULTS_SHOWN]) if text is not None else (),
        accepted=accepted_files(),
    )
    return make_response(body, refusal.status if refusal is not None else 200)


def excerpts(text: str, faults: Sequence[Fault]) -> tuple[tuple[SourceLine, ...], ...]:
    """Return the lines of a text that have faults, with those around them; what is apart stands apart."""
    lines = text.split("\n")
    by_line: dict[int, list[Fault]] = {}
    for fault in faults:
        if fault.line is not None and fault.line <= len(lines):
            by_line.setdefault(fault.line, []).append(fault)
    near = {line + step for line in by_line for step in range(-_AROUND, _AROUND + 1)}
    wanted = sorted(line for line in near if 1 <= line <= len(lines))
    runs = (tuple(number for _, number in run) for _, run in groupby(enumerate(wanted), lambda one: one[1] - one[0]))
    return tuple(
        tuple(SourceLine(number, _cut(lines[number - 1]), tuple(by_line.get(number, ()))) for number in run)
        for run in runs
    )


def _cut(line: str) -> str:
    return line if len(line) <= _LINE_CHARS else f"{line[:_LINE_CHARS]}…"
