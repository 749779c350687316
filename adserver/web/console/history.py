"""The console's pages of revisions: who published what and when, what that changed, and the way back."""

from dataclasses import dataclass
from typing import Final

import msgspec
from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from adserver.catalog.desk import Outcome, UploadDesk
from adserver.catalog.edits import Action, Edit
from adserver.catalog.publish import Publisher
from adserver.catalog.revisions import Entry as RevisionEntry
from adserver.catalog.texts import MESSAGE_CHARS, TextRefused, clean_message
from adserver.domain.errors import InputRefused, StaleBase
from adserver.web.auth import Principal
from adserver.web.console.navigation import Entry, Section
from adserver.web.console.proposals import PlanLine, plan_lines
from adserver.web.console.review import form_number
from adserver.web.console.shell import require_in_console
from adserver.web.console.upload import EDITORS
from adserver.web.limits import CallLimit, session_key
from adserver.web.revisions import edit_upload
from adserver.web.store_gate import StoreGate

_ON_A_PAGE: Final = 50
_LONGEST_NUMBER: Final = 15


@dataclass(frozen=True, slots=True)
class HistoryParts:
    """What the pages of revisions are made of. Immutable."""

    publisher: Publisher
    desk: UploadDesk
    uploads: CallLimit
    """How often somebody may make changes."""
    gate: StoreGate


def revisions_section(parts: HistoryParts) -> Section:
    """Return the pages under `/console/revisions`; they are about all advertisers at once."""
    blueprint = Blueprint("console_revisions", __name__, template_folder="templates")

    @blueprint.get("/revisions")
    def listing() -> str:
        require_in_console(*EDITORS, unbound=True)
        with parts.gate.entered():
            entries, live = parts.publisher.history(), parts.publisher.live().revision
        page = max(1, form_number(request.args.get("page", "")))
        start = (page - 1) * _ON_A_PAGE
        return render_template(
            "console/revisions.html",
            revisions=[(entry, _counts(entry)) for entry in entries[start : start + _ON_A_PAGE]],
            live=live,
            page=page,
            pages=-(-len(entries) // _ON_A_PAGE),
        )

    @blueprint.get("/revisions/<number>")
    def one(number: str) -> str:
        require_in_console(*EDITORS, unbound=True)
        entry, live = _entry(parts, number)
        return render_template(
            "console/revision.html", entry=entry, live=live, lines=_lines_of(entry), counts=_counts(entry)
        )

    @blueprint.get("/revisions/<number>/restore")
    def confirm(number: str) -> Response:
        caller = require_in_console(*EDITORS, unbound=True)
        return _confirmation(parts, caller, _entry(parts, number)[0], 200)

    @blueprint.post("/revisions/<number>/restore")
    def restore(number: str) -> Response:
        caller = require_in_console(*EDITORS, unbound=True)
        entry, _ = _entry(parts, number)
        try:
            message = clean_message(request.form.get("message", ""))
        except TextRefused as refused:
            return _confirmation(parts, caller, entry, 422, fault=f"The reason {refused}.")
        base = form_number(request.form.get("base", ""))
        try:
            outcome = _take(parts, caller, entry, message, base)
        except StaleBase as error:
            return _confirmation(parts, caller, entry, 409, stale=error)
        flash(f"Restored revision {entry.number}: revision {outcome.live} serves within a second.", "success")
        return redirect(url_for("console_revisions.one", number=outcome.live), 303)

    entry = Entry(
        "Revisions",
        "console_revisions.listing",
        "clock-history",
        "See who published what and when, and go back.",
        frozenset(EDITORS),
        for_bound=False,
    )
    return Section(blueprint, (entry,))


def _confirmation(
    parts: HistoryParts, caller: Principal, entry: RevisionEntry, status: int, **more: object
) -> Response:
    """Return the page that says what restoring a revision would change, and asks."""
    lines: tuple[PlanLine, ...] = ()
    base = 0
    try:
        outcome = _take(parts, caller, entry, "", None)
        lines, base = plan_lines(msgspec.json.decode(outcome.plan)), outcome.base
    except InputRefused as refused:
        more = {**more, "faults": refused.faults}
        status = 422
    body = render_template(
        "console/restore.html", entry=entry, lines=lines, base=base, message_chars=MESSAGE_CHARS, **more
    )
    return make_response(body, status)


def _take(parts: HistoryParts, caller: Principal, entry: RevisionEntry, message: str, base: int | None) -> Outcome:
    """Restore a revision over `base`; None: only say what that would change."""
    parts.uploads.take(session_key(caller.token_id))
    edit = Edit(Action.RESTORE, revision=entry.number)
    return parts.desk.take(edit_upload(edit, caller, message, base, dry_run=base is None), parts.gate.entered)


def _entry(parts: HistoryParts, number: str) -> tuple[RevisionEntry, int]:
    """Return what the history says of a revision, and which one is live."""
    if not (number.isascii() and number.isdigit() and len(number) <= _LONGEST_NUMBER):
        abort(404)
    with parts.gate.entered():
        found, live = parts.publisher.revision(int(number)), parts.publisher.live().revision
    if found is None:
        abort(404)
    return found.entry, live


def _lines_of(entry: RevisionEntry) -> tuple[PlanLine, ...]:
    return plan_lines(entry.plan.to_json())


def _counts(entry: RevisionEntry) -> tuple[tuple[str, int], ...]:
    """Return how many things a revision added, changed and removed."""
    plan = entry.plan
    return (("add", len(plan.add)), ("change", len(plan.change)), ("remove", len(plan.remove)))
