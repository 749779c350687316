"""Scenes of a decision: one flight that fills, and what of it, or of its page, a test may change."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from random import Random

from decision_worlds import FixedPaces

from adserver.decision.decide import decide
from adserver.decision.paces import Shown
from adserver.decision.page import EMPTY_PAGE, PageSoFar
from adserver.decision.question import Question
from adserver.decision.snapshot import Snapshot
from adserver.domain.catalog import (
    Advertiser,
    Campaign,
    Cap,
    CapPeriod,
    CapScope,
    Catalog,
    Creative,
    CreativeWeight,
    Flight,
    Goal,
    Site,
    Slot,
    Targeting,
)
from adserver.domain.decisions import Fill, NoFill, SlotRequest
from adserver.domain.ids import AdvertiserId, CampaignId, CreativeId, FlightId, PlaceId, SiteId, SlotId, Topic
from adserver.domain.places import Circle, Place, PlaceLevel
from adserver.domain.rules import CategoryRule, StateRule
from adserver.domain.variants import Text, Variants

REMER = Place(
    PlaceId("us-mn-remer"),
    "Remer, MN",
    PlaceLevel.TOWN,
    (PlaceId("us-mn-remer"), PlaceId("us-mn-cass-county"), PlaceId("us-mn"), PlaceId("us")),
    47.06,
    -93.91,
)
COUNTRY = Place(PlaceId("us"), "United States", PlaceLevel.COUNTRY, (PlaceId("us"),), 39.8, -98.6)
MINNESOTA, IOWA, CASS = PlaceId("us-mn"), PlaceId("us-ia"), PlaceId("us-mn-cass-county")
AMES_60, AMES_600 = (Circle(PlaceId("us-ia-ames"), 42.03, -93.63, kilometres) for kilometres in (60, 600))
"""Remer is 559 km from Ames."""
SPORTS, POLITICS = Topic("sports"), Topic("politics")
BANK, RIVAL = AdvertiserId("bank"), AdvertiserId("rival")


def text(length: int) -> Text:
    return Text("x" * length, length, length)


CREATIVE = Creative(CreativeId("elevate"), "https://bank.example/", Variants(text(6), text(60), text(130)))


MASTHEAD = Slot(SlotId("masthead"), SiteId("one"), 140)
ADVERTISER = Advertiser(BANK, "Bank", frozenset({"finance"}), frozenset({"banks"}))
CAMPAIGN = Campaign(
    CampaignId("season"), BANK, "Season", "America/Chicago", date(2026, 6, 1), date(2026, 6, 30), (), ()
)
FLIGHT = Flight(
    FlightId("flight"),
    (CreativeWeight(CREATIVE.id),),
    slots=frozenset({MASTHEAD.id}),
    goal=Goal(100),
    targeting=Targeting(places=frozenset({MINNESOTA}), topics=frozenset({SPORTS})),
)
REQUEST = SlotRequest(MASTHEAD.id, REMER, (SPORTS,))


@dataclass(frozen=True)
class Scene:
    """Everything that a decision looks at; as it stands, it fills."""

    slot: Slot = MASTHEAD
    advertiser: Advertiser = ADVERTISER
    campaign: Campaign = CAMPAIGN
    creatives: tuple[Creative, ...] = (CREATIVE,)
    flight: Flight = FLIGHT
    others: tuple[Flight, ...] = ()
    rules: tuple[CategoryRule, ...] = (CategoryRule("betting", date(2026, 1, 1), "a book"),)
    request: SlotRequest = REQUEST
    delivered: int = 99
    now: datetime = datetime(2026, 6, 15, tzinfo=UTC)
    page: PageSoFar = EMPTY_PAGE
    paces: FixedPaces | None = None
    shown: Mapping[FlightId, Shown] = field(default_factory=dict)

    @property
    def snapshot(self) -> Snapshot:
        campaign = replace(self.campaign, creatives=self.creatives, flights=(self.flight, *self.others))
        site = Site(SiteId("one"), "One", "https://one.example/", "America/Chicago")
        return Snapshot.build(Catalog((site,), (self.slot,), (self.advertiser,), (campaign,), self.rules), 1)

    def decide(self, rng: Random | None = None) -> Fill | NoFill:
        counts = {self.flight.id: self.delivered}
        rng = rng or Random(1)
        return decide(self.request, self.snapshot, counts, self.now, rng, self.page, paces=self.paces, shown=self.shown)

    @property
    def question(self) -> Question:
        return Question(
            self.request, self.slot, self.now, {self.flight.id: self.delivered}, self.page, self.paces, self.shown
        )


OPEN = Scene()


def flight(**changes: object) -> Scene:
    return replace(OPEN, flight=replace(OPEN.flight, **changes))  # type: ignore[arg-type]  # fields by name


def targeting(**changes: object) -> Scene:
    return flight(targeting=replace(OPEN.flight.targeting, **changes))  # type: ignore[arg-type]  # fields by name


def slot(**changes: object) -> Scene:
    return replace(OPEN, slot=replace(OPEN.slot, **changes))  # type: ignore[arg-type]  # fields by name


def request(**changes: object) -> Scene:
    return replace(OPEN, request=replace(OPEN.request, **changes))  # type: ignore[arg-type]  # fields by name


def disclosed(scene: Scene) -> Scene:
    return replace(scene, creatives=(replace(CREATIVE, disclosure="Paid for by Bank"),))


def capped(per: str, scope: str, **changes: object) -> Scene:
    """Return a scene whose flight shows twice at most."""
    return flight(caps=(Cap(2, CapPeriod(per), CapScope(scope)),), **changes)


NO_PACES = FixedPaces({})


def regulated(scene: Scene, *states: StateRule, elsewhere: bool = False) -> Scene:
    rule = CategoryRule("finance", date(2026, 1, 1), "a book", elsewhere, states)
    return replace(scene, rules=(*scene.rules, rule))


ANYWHERE = targeting(places=frozenset())
