"""The console's pages for making and changing a campaign without writing a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

import msgspec
from flask import Blueprint, abort, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from adserver.catalog.documents import Documents, JsonObject, mapping, objects
from adserver.catalog.merging import id_text
from adserver.catalog.publish import Publisher
from adserver.catalog.texts import count_graphemes
from adserver.domain.errors import Fault
from adserver.web.auth import Principal
from adserver.web.console.campaign_form import (
    ROWS,
    campaign_of,
    read_form,
    view_of,
    with_row,
    without_row,
)
from adserver.web.console.drafts import MAX_FORM_BYTES, Draft, NoDraft, read_draft
from adserver.web.console.form_choices import FormChoices
from adserver.web.console.form_faults import label_of, place_faults
from adserver.web.console.navigation import Entry, Section
from adserver.web.console.proposals import REFUSALS, refusal_of
from adserver.web.console.review import ReviewDesk
from adserver.web.console.shell import require_in_console
from adserver.web.console.upload import EDITORS
from adserver.web.store_gate import StoreGate

_BACK: Final = "Back to the form"
_MAX_BYTES: Final = 2_000_000
"""The largest campaign that goes through a form."""
_BLANK_LINES: Final[Mapping[str, Sequence[JsonObject]]] = {"creatives": ({},), "flights": ({},)}


@dataclass(frozen=True, slots=True)
class _Form:
    """Where a form is shown, and who fills it in. Immutable."""

    action: str
    caller: Principal
    is_new: bool


class _Pages:
    """Shows forms, and takes them. Shared by all threads, as what it works with is."""

    def __init__(self, reviews: ReviewDesk, publisher: Publisher, gate: StoreGate) -> None:
        self._reviews = reviews
        self._publisher = publisher
        self._gate = gate

    def live(self) -> Documents:
        """Return what is live."""
        with self._gate.entered():
            return self._publisher.live().documents

    def show(self, form: _Form, file: JsonObject, faults: Sequence[Fault] = (), status: int = 200) -> Response:
        """Return the form of a campaign file, with what is wrong beside its inputs."""
        view = view_of(file)
        body = render_template(
            "console/campaign_form.html",
            view=view,
            faults=place_faults(faults, view.values),
            fault_count=len(faults),
            choices=FormChoices.of(self.live(), form.caller),
            original=msgspec.json.encode(file).decode(),
            form=form,
            campaign=campaign_of(file),
            count_characters=count_graphemes,
            label_of=label_of,
        )
        return make_response(body, status)

    def take(self, form: _Form) -> Response:
        """Return what comes of a form that was sent: the form again, the plan, or the way to what was published."""
        do = request.form.get("do", "check")
        file, draft = _sent()
        if do == "back":
            return self.show(form, file)
        changed = _with_rows_changed(file, do)
        if changed is not None:
            return self.show(form, changed)
        try:
            if do == "publish":
                return self._reviews.publish(draft, form.caller, form.action, _BACK)
            return self._reviews.show(draft, form.caller, form.action, _BACK)
        except REFUSALS as error:
            refusal = refusal_of(error)
            return self.show(form, file, refusal.faults, refusal.status)


def change_section(reviews: ReviewDesk, publisher: Publisher, gate: StoreGate) -> Section:
    """Return the pages `/console/campaigns/new` and `/console/campaigns/<campaign>/edit`.

    Args:
        reviews: shows plans, and publishes.
        publisher: what is live.
        gate: how many calls may be with the store at once.
    """
    blueprint = Blueprint("console_change", __name__, template_folder="templates")
    pages = _Pages(reviews, publisher, gate)

    @blueprint.get("/campaigns/new")
    def new() -> Response:
        form = _form_of(None)
        return pages.show(form, _blank(pages.live(), form.caller, request.args.get("advertiser", "")))

    @blueprint.post("/campaigns/new")
    def make() -> Response:
        return pages.take(_form_of(None))

    @blueprint.get("/campaigns/<campaign>/edit")
    def edit(campaign: str) -> Response:
        form = _form_of(campaign)
        return pages.show(form, _live_file(pages.live(), form.caller, campaign))

    @blueprint.post("/campaigns/<campaign>/edit")
    def change(campaign: str) -> Response:
        return pages.take(_form_of(campaign))

    about = "Make a campaign by form, without a file."
    entry = Entry("New campaign", "console_change.new", "plus-square", about, frozenset(EDITORS))
    return Section(blueprint, (entry,), MAX_FORM_BYTES)


def _form_of(campaign: str | None) -> _Form:
    """Return the form of a campaign, None: of a new one, for who has signed in."""
    caller = require_in_console(*EDITORS)
    if campaign is None:
        return _Form(url_for("console_change.new"), caller, is_new=True)
    return _Form(url_for("console_change.edit", campaign=campaign), caller, is_new=False)


def _sent() -> tuple[JsonObject, Draft]:
    """Return the campaign in the present request: of the form's inputs, else of the draft that it carries."""
    original = request.form.get("original")
    if original is None:
        try:
            draft = read_draft()
        except NoDraft:
            abort(400)
        return _decoded(draft.data), draft
    file = read_form(_decoded(original.encode()), tuple(request.form), request.form.getlist)
    return file, Draft.of_file(file)


def _decoded(data: bytes) -> JsonObject:
    """Return a campaign file that a form of ours carried."""
    if len(data) > _MAX_BYTES:
        abort(413)
    try:
        file = msgspec.json.decode(data, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        abort(400)
    return cast("JsonObject", file)


def _with_rows_changed(file: JsonObject, do: str) -> JsonObject | None:
    """Return the file with a row more or less, as a button asked; None: no such button was pressed."""
    verb, _, rest = do.partition(" ")
    kind, _, index = rest.partition(" ")
    if kind not in ROWS:
        return None
    if verb == "add":
        return with_row(file, kind)
    if verb == "remove" and index.isascii() and index.isdigit():
        return without_row(file, kind, int(index))
    return None


def _live_file(live: Documents, caller: Principal, campaign: str) -> JsonObject:
    """Return a live campaign that exists for the caller, as a file of its own."""
    for name, _, one in live.campaigns():
        advertiser = mapping(live.campaign_files[name], "advertiser")
        if id_text(one) == campaign and caller.sees(id_text(advertiser)):
            return {"advertiser": advertiser, "campaigns": [one]}
    return abort(404)


def _blank(live: Documents, caller: Principal, advertiser: str) -> JsonObject:
    """Return what a new campaign begins with: an advertiser that was chosen, and the first site's time zone."""
    known = next(
        (
            words
            for content in live.campaign_files.values()
            if (words := mapping(content, "advertiser")).get("id") == advertiser and caller.sees(advertiser)
        ),
        {},
    )
    zone = next((site.get("timezone") for site in objects(live.slots or {}, "sites")), None)
    campaign: JsonObject = {name: [*rows] for name, rows in _BLANK_LINES.items()}
    return {"advertiser": known, "campaigns": [{"timezone": zone, **campaign}]}
