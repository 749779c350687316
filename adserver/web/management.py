"""The management API: what is live, and what people send to change it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from flask import Blueprint, Response, abort

from adserver.catalog.desk import Upload, UploadDesk, UploadKind
from adserver.catalog.documents import Documents, JsonObject, JsonValue, mapping
from adserver.catalog.merging import Extent
from adserver.catalog.publish import Live, Publisher
from adserver.catalog.state import campaign_goal, campaign_state
from adserver.domain.catalog import Campaign
from adserver.domain.ids import FlightId
from adserver.web.auth import Authenticator, Principal, Role, require
from adserver.web.bodies import read_base, read_message, read_switch, read_upload
from adserver.web.limits import CallLimit, caller_key
from adserver.web.published import answer, published
from adserver.web.store_gate import StoreGate

Delivered = Callable[[Sequence[FlightId]], Mapping[FlightId, int]]
"""Net impressions of flights, all time; one that is not in the answer has none. Raises StoreUnavailable."""


def management_blueprint(
    publisher: Publisher,
    desk: UploadDesk,
    authenticator: Authenticator,
    uploads: CallLimit,
    delivered: Delivered,
    clock: Callable[[], datetime],
    gate: StoreGate,
) -> Blueprint:
    """Return the routes of the management API.

    Args:
        publisher: what is live.
        desk: takes what people send to change it.
        authenticator: who shows a token.
        uploads: how often a token may send changes.
        delivered: what flights have delivered.
        clock: the present, aware UTC.
        gate: how many calls may be with the store at once.
    """
    blueprint = Blueprint("management", __name__)
    view = _CampaignView(publisher, delivered, clock)

    @blueprint.get("/v1/campaigns")
    def list_campaigns() -> Response:
        caller = require(authenticator)
        with gate.entered():
            live = publisher.live()
            return answer({"files": view.all(live, caller), "revision": live.revision}, live.revision)

    @blueprint.get("/v1/campaigns/<campaign>")
    def get_campaign(campaign: str) -> Response:
        caller = require(authenticator)
        with gate.entered():
            live = publisher.live()
            found = view.all(live, caller, only=campaign)
        if not found:
            abort(404)
        return answer(found[0], live.revision)

    @blueprint.post("/v1/campaigns")
    def post_campaigns() -> Response:
        sender = require(authenticator, Role.ADMIN, Role.MARKETER)
        uploads.take(caller_key())
        extent = Extent.CAMPAIGNS if read_switch("prune") else Extent.NAMED
        return published(desk.take(_sent(UploadKind.CAMPAIGNS, extent, sender), gate.entered))

    @blueprint.get("/v1/slots")
    def get_slots() -> Response:
        return _whole_file(publisher, authenticator, gate, lambda documents: documents.slots)

    @blueprint.put("/v1/slots")
    def put_slots() -> Response:
        sender = require(authenticator, Role.ADMIN)
        uploads.take(caller_key())
        return published(desk.take(_sent(UploadKind.SLOTS, Extent.NAMED, sender), gate.entered))

    @blueprint.get("/v1/rules")
    def get_rules() -> Response:
        return _whole_file(publisher, authenticator, gate, lambda documents: documents.rules)

    @blueprint.put("/v1/rules")
    def put_rules() -> Response:
        sender = require(authenticator, Role.ADMIN)
        uploads.take(caller_key())
        return published(desk.take(_sent(UploadKind.RULES, Extent.NAMED, sender), gate.entered))

    return blueprint


def _whole_file(
    publisher: Publisher,
    authenticator: Authenticator,
    gate: StoreGate,
    content: Callable[[Documents], JsonObject | None],
) -> Response:
    """Return one of the two files beside the campaigns as it is live."""
    require(authenticator, Role.ADMIN)
    with gate.entered():
        live = publisher.live()
    found = content(live.documents)
    if found is None:
        abort(404)
    return answer(found, live.revision)


class _CampaignView:
    """Campaigns as the API shows them. Immutable, shared by all threads."""

    def __init__(self, publisher: Publisher, delivered: Delivered, clock: Callable[[], datetime]) -> None:
        self._publisher = publisher
        self._delivered = delivered
        self._clock = clock

    def all(self, live: Live, caller: Principal, only: str | None = None) -> list[JsonValue]:
        """Return the live campaigns that exist for a caller, or only that of one id.

        Each is a file of its own, and what it comes to.
        """
        campaigns = {
            str(one.id): one
            for one in self._publisher.catalog(live).campaigns
            if only in (None, one.id) and caller.sees(one.advertiser)
        }
        flights = [flight.id for campaign in campaigns.values() for flight in campaign.flights]
        delivered = self._delivered(flights) if flights else {}
        now = self._clock()
        return [
            {
                "advertiser": mapping(live.documents.campaign_files[name], "advertiser"),
                "campaigns": [document],
                **_progress(campaigns[str(document["id"])], delivered, now),
                "revision": live.revision,
            }
            for name, _, document in live.documents.campaigns()
            if document["id"] in campaigns
        ]


def _progress(campaign: Campaign, delivered: Mapping[FlightId, int], now: datetime) -> JsonObject:
    """Return `state` and `delivery`; `expected` is null: nothing is paced yet that could be behind."""
    impressions = sum(delivered.get(flight.id, 0) for flight in campaign.flights)
    return {
        "state": campaign_state(campaign, delivered, now).value,
        "delivery": {"impressions": impressions, "goal": campaign_goal(campaign), "expected": None},
    }


def _sent(kind: UploadKind, extent: Extent, sender: Principal) -> Upload:
    """Return the upload that the request holds."""
    message, base, dry_run = read_message(), read_base(), read_switch("dry_run")
    data, form = read_upload(may_be_sheet=kind is UploadKind.CAMPAIGNS)
    advertisers = None if sender.advertisers is None else tuple(sorted(sender.advertisers))
    return Upload(kind, data, form, extent, sender.name, message, base, dry_run, advertisers)
