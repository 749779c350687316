"""A delivery app in one process: a small catalog, one place, a clock that is set by hand, and what was recorded."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Final

import wcwidth
from edges import make_edge
from flask import Blueprint, Flask
from flask.testing import FlaskClient

from adserver.counting.acceptance import Acceptance
from adserver.counting.issuer import Issuer
from adserver.counting.records import DecisionKey, Event
from adserver.counting.shards import shard_of
from adserver.decision.snapshot import Snapshot
from adserver.domain.catalog import (
    Advertiser,
    Campaign,
    Catalog,
    Creative,
    CreativeWeight,
    Flight,
    RetiredCreative,
    Site,
    Slot,
    Targeting,
)
from adserver.domain.ids import (
    AdvertiserId,
    CampaignId,
    CreativeId,
    FlightId,
    IdHash,
    Kind,
    PlaceId,
    SiteId,
    SlotId,
    Topic,
    id_hash,
)
from adserver.domain.ledger import LedgerCodec
from adserver.domain.places import Place, PlaceLevel
from adserver.domain.reasons import EventKind, InvalidReason, NoFillReason
from adserver.domain.token import Token, TokenCodec
from adserver.domain.variants import Text, Variant, Variants
from adserver.web.calls import DeliveryCalls
from adserver.web.clicks import ClickRouter
from adserver.web.delivery import delivery_blueprint
from adserver.web.demo import demo_blueprint
from adserver.web.hosts import HostRules
from adserver.web.lane import Lane
from adserver.web.problems import install_problems
from adserver.web.reader_places import ReaderPlaces
from adserver.web.serving import Deliverer

NAME: Final = "QWIKET"
SHORT: Final = "QWIKET: Elevate your fantasy game! Interactive Sports Knowledge."
LONG: Final = (
    "QWIKET: Elevate your fantasy game! Interactive Sports Knowledge and Reasoning Support for Fantasy Sports and "
    "Betting Enthusiasts."
)
START: Final = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
BROWSER: Final = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"}
SHARDS: Final = 4

REMER: Final = Place(
    PlaceId("us-mn-remer"),
    "Remer, MN",
    PlaceLevel.TOWN,
    (PlaceId("us-mn-remer"), PlaceId("us-mn-cass-county"), PlaceId("us-mn"), PlaceId("us")),
    47.0569,
    -93.9126,
)


def make_text(value: str) -> Text:
    """Measure a text without combining marks."""
    return Text(value, len(value), max(wcwidth.wcswidth(value), 0))


def make_variants(name: str | None = NAME, short: str | None = SHORT, long: str | None = LONG) -> Variants:
    """Return the lengths given."""
    return Variants(*(make_text(value) if value is not None else None for value in (name, short, long)))


def make_site(**changes: object) -> Site:
    """Return the publication, with changes."""
    site = Site(SiteId("america-one"), "THE AMERICA ONE NEWS", "https://americaone.example/", "America/Chicago")
    return replace(site, **changes)  # type: ignore[arg-type]  # of the field's type, or the test fails


def make_creative(variants: Variants | None = None, **changes: object) -> Creative:
    """Return the sponsor's message, with changes."""
    creative = Creative(CreativeId("elevate"), "https://qwiket.com/", variants or make_variants())
    return replace(creative, **changes)  # type: ignore[arg-type]  # of the field's type, or the test fails


def make_catalog(creative: Creative | None = None, *, site: Site | None = None) -> Catalog:
    """Return one sponsor at Remer on every slot but `political`, and slots with several limits."""
    creative, site = creative or make_creative(), site or make_site()
    flight = Flight(
        FlightId("minnesota"),
        (CreativeWeight(creative.id),),
        slots=frozenset(map(SlotId, ("masthead", "article-top", "article-middle", "article-bottom", "sidebar"))),
        repeat=True,
        targeting=Targeting(
            places=frozenset({REMER.id}), topics=frozenset(), exclude_topics=frozenset({Topic("obits")})
        ),
    )
    sponsor = Advertiser(AdvertiserId("qwiket"), "QWIKET", frozenset({"fantasy-sports"}))
    campaign = Campaign(
        CampaignId("qwiket-season"),
        sponsor.id,
        "QWIKET fantasy season",
        "America/Chicago",
        date(2025, 6, 1),
        None,
        (creative,),
        (flight,),
    )
    slots = tuple(
        Slot(SlotId(slot), site.id, 140)
        for slot in ("masthead", "article-top", "article-middle", "article-bottom", "sidebar", "political")
    )
    return Catalog((site,), slots, (sponsor,), (campaign,))


@dataclass
class FixedCatalog:
    """A `CatalogSource` that a test sets. One thread."""

    snapshot: Snapshot | None
    fault: Exception | None = None
    replaced_by: Snapshot | None = None
    """What is on the disk already, and not yet looked at."""

    def current(self) -> Snapshot | None:
        """Return the snapshot, or raise the fault."""
        if self.fault is not None:
            raise self.fault
        return self.snapshot

    def newest(self) -> Snapshot | None:
        """Look, and return the snapshot, or raise the fault."""
        self.snapshot = self.replaced_by or self.snapshot
        return self.current()


class NothingDelivered:
    """A `DeliveredSource` without counts. Immutable."""

    def current(self) -> Mapping[FlightId, int]:
        """Return no counts."""
        return {}


class OnePlace:
    """A gazetteer of one town. Immutable."""

    def resolve(self, text: str) -> Place | None:
        """Return the town if it is named."""
        return REMER if text == "Remer,MN" else None

    def by_hash(self, hash_: IdHash) -> Place | None:
        """Return the town of its hash."""
        return REMER if hash_ == id_hash(Kind.PLACE, REMER.id) else None


@dataclass(frozen=True)
class RecordedNoFill:
    """A no fill as it was recorded."""

    slot: IdHash
    place: IdHash
    topic: IdHash
    variant: Variant
    reason: NoFillReason


@dataclass(frozen=True)
class RecordedEvent:
    """An event as it was recorded."""

    kind: EventKind
    verdict: InvalidReason | None
    reported: Variant
    token: Token | None


@dataclass
class MemoryRecorder:
    """A `Recorder` that remembers. One thread."""

    fills: list[Token] = field(default_factory=list)
    no_fills: list[RecordedNoFill] = field(default_factory=list)
    events: list[RecordedEvent] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    fault: Exception | None = None

    def fill(self, token: Token) -> None:
        """Remember a fill."""
        self._fail()
        self.fills.append(token)

    def no_fill(self, key: DecisionKey) -> None:
        """Remember a no fill."""
        self._fail()
        assert key.shard == shard_of(key.slot, SHARDS)
        assert key.quarter > 0
        assert key.reason is not None
        self.no_fills.append(RecordedNoFill(key.slot, key.place, key.topic, key.variant, key.reason))

    def event(self, event: Event) -> None:
        """Remember an event."""
        self._fail()
        assert event.second > 0
        self.events.append(RecordedEvent(event.kind, event.reason, event.reported, event.token))

    def took(self, seconds: float) -> None:
        """Remember how long a call took."""
        self.times.append(seconds)

    @property
    def all(self) -> list[object]:
        """Everything that left a trace."""
        return [*self.fills, *self.no_fills, *self.events]

    def _fail(self) -> None:
        if self.fault is not None:
            raise self.fault


class Stand:
    """A delivery app with all that it stands on. One thread."""

    def __init__(
        self,
        catalog: Catalog | None = None,
        *,
        public_url: str | None = None,
        home_url: str | None = None,
        retired: tuple[RetiredCreative, ...] = (),
        extra: tuple[Blueprint, ...] = (),
        issuer: Issuer | None = None,
        readers: ReaderPlaces | None = None,
    ) -> None:
        self.now = START
        self.catalog = FixedCatalog(Snapshot.build(catalog or make_catalog(), 1, retired, SHARDS))
        self.recorder = MemoryRecorder()
        self.codec = TokenCodec((b"k" * 32,))
        acceptance = Acceptance(self.codec, self.recorder, make_edge(), self._second)
        places = OnePlace()
        self.deliverer = Deliverer(
            catalog=self.catalog,
            delivered=NothingDelivered(),
            codec=self.codec,
            issuer=issuer or Issuer(),
            recorder=self.recorder,
            clock=lambda: self.now,
            rng=Random(1),
        )
        self.clicks = ClickRouter(
            catalog=self.catalog,
            places=places,
            codec=self.codec,
            acceptance=acceptance,
            clock=lambda: self.now,
            home_url=home_url,
        )
        self.app = Flask("adserver.web", static_folder=None)
        install_problems(self.app)
        self.calls = DeliveryCalls(
            deliverer=self.deliverer,
            acceptance=acceptance,
            places=places,
            public_url=public_url,
            ledgers=LedgerCodec((b"k" * 32,)),
            readers=readers,
        )
        self.app.register_blueprint(delivery_blueprint(self.calls, self.clicks))
        self.app.register_blueprint(demo_blueprint(self.deliverer, places))
        for blueprint in extra:
            self.app.register_blueprint(blueprint)
        any_host = HostRules(public_url="https://sponsors.example")
        self.app.wsgi_app = Lane(self.app, self.calls, any_host)  # type: ignore[method-assign]  # as Flask documents it

    def client(self) -> FlaskClient:
        """Return a reader."""
        return self.app.test_client()

    def _second(self) -> float:
        return self.now.timestamp()

    def pass_time(self, **units: int) -> None:
        """Move the clock on; units as of `timedelta`."""
        self.now += timedelta(**units)
