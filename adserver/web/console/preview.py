"""The console's page of previews: a campaign, live or a draft, as readers see it. Nothing of it is counted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from flask import Blueprint, abort, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from adserver.catalog.build import build_catalog
from adserver.catalog.build_targeting import PlaceFinder
from adserver.catalog.documents import Documents
from adserver.catalog.publish import Publisher
from adserver.delivery.preview import COLUMN_PX, WIDTHS, CreativePreview, preview_campaign, readable_link
from adserver.domain.catalog import Campaign, Catalog
from adserver.domain.places import Place
from adserver.web.console.drafts import MAX_FORM_BYTES, NoDraft, read_draft
from adserver.web.console.frames import PageColour, frames_by_length, frames_of
from adserver.web.console.navigation import Entry, Section
from adserver.web.console.proposals import Proposer
from adserver.web.console.review import carried
from adserver.web.console.shell import current_caller, require_in_console
from adserver.web.console.upload import EDITORS
from adserver.web.parameters import LOCATION_MAX_CHARS
from adserver.web.store_gate import StoreGate

_DRAFT: Final = "draft"
"""What a draft's file is called where it is built alone."""


class Places(PlaceFinder, Protocol):
    """Finds places of campaigns, and those that pages name."""

    def resolve(self, text: str) -> Place | None:
        """Return the place that a page names, or None."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What somebody wants to look at. Immutable."""

    campaign: str
    creative: str
    location: str
    colour: PageColour

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> "_Asked":
        colour = fields.get("page", "")
        return cls(
            fields.get("campaign", ""),
            fields.get("creative", ""),
            fields.get("location", "").strip()[:LOCATION_MAX_CHARS],
            PageColour(colour) if colour in tuple(PageColour) else PageColour.LIGHT,
        )


def preview_section(publisher: Publisher, proposer: Proposer, places: Places, gate: StoreGate) -> Section:
    """Return the page `/console/preview`.

    Args:
        publisher: what is live.
        proposer: reads drafts.
        places: finds places.
        gate: how many calls may be with the store at once.
    """
    blueprint = Blueprint("console_preview", __name__, template_folder="templates")

    @blueprint.get("/preview")
    def page() -> Response:
        caller, asked = current_caller(), _Asked.of(request.args)
        with gate.entered():
            catalog = publisher.catalog(publisher.live())
        campaigns = [one for one in catalog.campaigns if caller.sees(one.advertiser)]
        found = next((one for one in campaigns if one.id == asked.campaign), None)
        if asked.campaign and found is None:
            abort(404)
        return _page(catalog, found, campaigns, asked, places.resolve, {})

    @blueprint.post("/preview")
    def draft() -> Response:
        caller, asked = require_in_console(*EDITORS), _Asked.of(request.form)
        try:
            sent = read_draft()
        except NoDraft:
            abort(400)
        proposal = proposer.propose(sent, caller)
        with gate.entered():
            live = publisher.live().documents
        file, campaign = _campaign_of(proposal.files, asked.campaign)
        catalog = build_catalog(Documents({_DRAFT: {**file, "campaigns": [campaign]}}, live.slots, live.rules), places)
        back = request.form.get("action", "")
        more = {
            "draft": carried(sent, proposal),
            "action": back if back.startswith(url_for("console.overview")) else url_for("console_upload.take"),
            "campaign_choices": proposal.campaigns,
        }
        return _page(catalog, catalog.campaigns[0], [], asked, places.resolve, more)

    entry = Entry(
        "Preview", "console_preview.page", "eye", "See lines as readers do, at every width and in every slot."
    )
    return Section(blueprint, (entry,), MAX_FORM_BYTES)


def _campaign_of(files: tuple[dict[str, Any], ...], wanted: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a campaign of a draft with its file; the first where none is asked for."""
    for file in files:
        for campaign in file.get("campaigns", ()):
            if wanted in ("", campaign["id"]):
                return file, campaign
    return abort(404)


def _page(
    catalog: Catalog,
    campaign: Campaign | None,
    campaigns: list[Campaign],
    asked: _Asked,
    resolve: Callable[[str], Place | None],
    more: dict[str, object],
) -> Response:
    place = resolve(asked.location) if asked.location else None
    previews = preview_campaign(catalog, campaign, place) if campaign is not None else ()
    shown = next((one for one in previews if one.creative.id == asked.creative), previews[0] if previews else None)
    body = render_template(
        "console/preview.html",
        campaigns=sorted(campaigns, key=lambda one: one.name.casefold()),
        campaign=campaign,
        previews=previews,
        shown=shown,
        groups=_groups(shown, asked.colour) if shown is not None else (),
        asked=asked,
        colours=tuple(PageColour),
        place=place,
        widths=WIDTHS,
        column_px=COLUMN_PX,
        readable_link=readable_link,
        **more,
    )
    return make_response(body)


def _groups(shown: CreativePreview, colour: PageColour) -> list[dict[str, object]]:
    """Return the slots that look the same together, each with its frames."""
    return [
        {
            "slots": group,
            "first": group[0],
            "frames": frames_of(fill, colour) if (fill := group[0].fill) is not None else (),
            "by_length": frames_by_length(fill, colour) if fill is not None else (),
        }
        for group in shown.groups
    ]
