"""The console's pages of campaigns: the list, one of them, and pausing, resuming or removing it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from adserver.catalog.desk import UploadDesk
from adserver.catalog.edits import Action, Edit
from adserver.catalog.state import CampaignState
from adserver.catalog.texts import MESSAGE_CHARS, TextRefused, clean_message
from adserver.domain.catalog import Status
from adserver.domain.errors import StaleBase
from adserver.domain.ids import PlaceId
from adserver.domain.places import Place
from adserver.web.auth import Principal, Role
from adserver.web.console.campaign_list import SORTS, read_asked, select
from adserver.web.console.figures import FiguresReader
from adserver.web.console.holdings import Holding, HoldingsReader
from adserver.web.console.navigation import Entry, Section
from adserver.web.console.shell import current_caller, require_in_console
from adserver.web.console.words import terms_of
from adserver.web.limits import CallLimit, session_key
from adserver.web.revisions import edit_upload
from adserver.web.store_gate import StoreGate

PlaceOf = Callable[[PlaceId], Place | None]

EDITORS: Final = (Role.ADMIN, Role.MARKETER)
_ACTIONS: Final = {action.value: action for action in (Action.PAUSE, Action.RESUME, Action.REMOVE)}
_DONE: Final = {Action.PAUSE: "is paused", Action.RESUME: "runs again", Action.REMOVE: "is removed"}
_LONGEST_NUMBER: Final = 15


@dataclass(frozen=True, slots=True)
class CampaignParts:
    """What the pages of campaigns are made of. Immutable."""

    holdings: HoldingsReader
    figures: FiguresReader
    desk: UploadDesk
    place_of: PlaceOf
    """Returns a place by its id, or None."""
    uploads: CallLimit
    """How often somebody may make changes."""
    gate: StoreGate


def campaigns_section(parts: CampaignParts) -> Section:
    """Return the pages under `/console/campaigns`."""
    blueprint = Blueprint("console_campaigns", __name__, template_folder="templates")

    @blueprint.get("/campaigns")
    def listing() -> str:
        holdings, asked = parts.holdings.read(current_caller()), read_asked(request.args)
        advertisers = {one.advertiser.id: one.advertiser for one in holdings.campaigns}
        return render_template(
            "console/campaigns.html",
            asked=asked,
            shown=select(holdings.campaigns, asked),
            all=len(holdings.campaigns),
            advertisers=sorted(advertisers.values(), key=lambda one: one.name.casefold()),
            states=tuple(CampaignState),
            sorts=SORTS,
            revision=holdings.revision,
        )

    @blueprint.get("/campaigns/<campaign>")
    def one(campaign: str) -> str:
        caller = current_caller()
        holdings = parts.holdings.read(caller)
        found = holdings.find(campaign) or abort(404)
        return render_template(
            "console/campaign.html",
            one=found,
            revision=holdings.revision,
            terms={
                flight.flight.id: terms_of(flight.flight, found.campaign, lambda id_: _name(parts.place_of, id_))
                for flight in found.flights
            },
            days=parts.figures.campaign_days(caller, found.campaign, found.today),
            by_flight=parts.figures.campaign_flights(caller, found.campaign),
            actions=_actions(found, caller),
        )

    @blueprint.get("/campaigns/<campaign>/<action>")
    def confirm(campaign: str, action: str) -> str:
        caller = require_in_console(*EDITORS)
        asked = _ACTIONS.get(action) or abort(404)
        holdings = parts.holdings.read(caller)
        found = holdings.find(campaign) or abort(404)
        return render_template(
            "console/confirm.html",
            one=found,
            action=asked,
            base=holdings.revision,
            message_chars=MESSAGE_CHARS,
            is_due=asked in _actions(found, caller),
        )

    @blueprint.post("/campaigns/<campaign>/<action>")
    def make(campaign: str, action: str) -> Response:
        caller = require_in_console(*EDITORS)
        asked = _ACTIONS.get(action) or abort(404)
        again = url_for("console_campaigns.confirm", campaign=campaign, action=action)
        try:
            message = clean_message(request.form.get("message", ""))
        except TextRefused as refused:
            flash(f"Nothing was changed: the reason {refused}.", "danger")
            return redirect(again, 303)
        parts.uploads.take(session_key(caller.token_id))
        edit = edit_upload(Edit(asked, campaign), caller, message, _base(), dry_run=False)
        try:
            outcome = parts.desk.take(edit, parts.gate.entered)
        except StaleBase as error:
            flash(f"Nothing was changed: revision {error.live} was published meanwhile. Look again.", "warning")
            return redirect(again, 303)
        flash(f"{campaign} {_DONE[asked]}. Revision {outcome.live} serves within a second.", "success")
        if asked is Action.REMOVE:
            return redirect(url_for("console_campaigns.listing"), 303)
        return redirect(url_for("console_campaigns.one", campaign=campaign), 303)

    entry = Entry("Campaigns", "console_campaigns.listing", "collection", "See what runs, and how far it is.")
    return Section(blueprint, (entry,))


def _actions(one: Holding, caller: Principal) -> tuple[Action, ...]:
    """Return what a caller can do with a campaign."""
    if caller.role not in EDITORS:
        return ()
    if one.campaign.status is Status.PAUSED:
        return Action.RESUME, Action.REMOVE
    return (Action.REMOVE,) if one.state is CampaignState.ENDED else (Action.PAUSE, Action.REMOVE)


def _base() -> int | None:
    """Return the revision that the sender looked at; None where the form names none."""
    text = request.form.get("base", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER else None


def _name(place_of: PlaceOf, id_: PlaceId) -> str:
    place = place_of(id_)
    return place.name if place is not None else id_
