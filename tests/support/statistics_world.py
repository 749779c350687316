"""A small publisher with counts, for tests of statistics: build it, count into it, ask it."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from adserver.catalog.names import Names, OrderName, Parent, SlotName, Whereabouts
from adserver.counting.cells import FILLS, Family, Field, Metric
from adserver.domain.catalog import (
    Advertiser,
    Campaign,
    Catalog,
    Creative,
    CreativeWeight,
    Flight,
    Price,
    Site,
    Slot,
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
from adserver.domain.places import Place, PlaceLevel
from adserver.domain.variants import Text, Variant, Variants
from adserver.statistics.cell_store import CellStore, Member, MemoryCellStore, StoredCell
from adserver.statistics.parsing import parse_query
from adserver.statistics.reach_store import MemoryReachStore, StoredReach
from adserver.statistics.service import Result, StatisticsService
from adserver.statistics.standing import MemoryStanding

NOW = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
"""A Tuesday, noon in Chicago."""

ORDERS = {
    "minnesota": ("qwiket-season", "qwiket"),
    "iowa": ("qwiket-season", "qwiket"),
    "tools": ("spring", "hardware"),
}
"""Flight -> campaign, advertiser."""
SITES = {"america-one": "America/Chicago", "oslo-post": "Europe/Oslo"}
SLOTS = {"masthead": "america-one", "article-top": "america-one", "forside": "oslo-post"}
CREATIVES = ("elevate", "hammer")
TOPICS = ("sports", "=politics")
CHAINS = {
    "us-mn-remer": ("us-mn-remer", "us-mn-cass-county", "us-mn", "us"),
    "us-mn-cass-county": ("us-mn-cass-county", "us-mn", "us"),
    "us-mn": ("us-mn", "us"),
    "us": ("us",),
}
LEVELS = (PlaceLevel.TOWN, PlaceLevel.COUNTY, PlaceLevel.STATE, PlaceLevel.COUNTRY)


class Places:
    """What statistics ask of a gazetteer, over `CHAINS`. Immutable."""

    def __init__(self) -> None:
        self._places = {
            id_: Place(PlaceId(id_), id_, LEVELS[-len(chain)], tuple(map(PlaceId, chain)), 0.0, 0.0)
            for id_, chain in CHAINS.items()
        }

    def get(self, place_id: PlaceId) -> Place | None:
        return self._places.get(place_id)

    def by_hash(self, hash_: IdHash) -> Place | None:
        return next((place for id_, place in self._places.items() if id_hash(Kind.PLACE, id_) == hash_), None)


class World:
    """A publisher with its counts. One thread."""

    def __init__(self) -> None:
        self.now = NOW
        self.memory = MemoryCellStore()
        self.store: CellStore = self.memory
        self.reach = MemoryReachStore()
        self.standing = MemoryStanding()
        self.places = Places()
        self.names = Names(
            flights={id_hash(Kind.FLIGHT, id_): order_name(id_, (0, *order)) for id_, order in ORDERS.items()},
            creatives={id_hash(Kind.CREATIVE, id_): order_name(id_, (0, "", "")) for id_ in CREATIVES},
            slots={id_hash(Kind.SLOT, id_): slot_name(id_, (0, site, SITES[site])) for id_, site in SLOTS.items()},
            topics={id_hash(Kind.TOPIC, id_): Topic(id_) for id_ in TOPICS},
        )
        self.flights = {id_: Flight(FlightId(id_), (CreativeWeight(CreativeId("elevate")),)) for id_ in ORDERS}
        self.starts = date(2026, 11, 1)
        self.ends: date | None = date(2026, 11, 30)
        self.sites = dict(SITES)

    def price(self, flight: str, price: Price) -> None:
        """Give a flight its price."""
        self.flights[flight] = Flight(FlightId(flight), (CreativeWeight(CreativeId("elevate")),), price=price)

    def catalog(self) -> Catalog:
        """Return what is live."""
        message = Creative(CreativeId("elevate"), "https://qwiket.com/", Variants(Text("QWIKET", 6, 6), None, None))
        campaigns = tuple(
            Campaign(
                CampaignId(campaign),
                AdvertiserId(advertiser),
                campaign,
                "America/Chicago",
                self.starts,
                self.ends,
                (message,),
                tuple(flight for id_, flight in self.flights.items() if ORDERS[id_] == (campaign, advertiser)),
            )
            for campaign, advertiser in dict.fromkeys(ORDERS.values())
        )
        return Catalog(
            sites=tuple(Site(SiteId(id_), id_, "https://a.example/", zone) for id_, zone in self.sites.items()),
            slots=tuple(Slot(SlotId(id_), SiteId(site), 140) for id_, site in SLOTS.items() if site in self.sites),
            advertisers=(Advertiser(AdvertiserId("qwiket"), "QWIKET"), Advertiser(AdvertiserId("hardware"), "Tools")),
            campaigns=campaigns,
        )

    def count(
        self,
        metric: Metric = FILLS,
        number: int = 1,
        *,
        at: datetime = NOW,
        flight: str | None = "minnesota",
        creative: str = "elevate",
        slot: str | None = "masthead",
        place: str | None = "us-mn-remer",
        topic: str | None = "sports",
        variant: Variant = Variant.AUTO,
    ) -> None:
        """Count in all three families, as the keeper does; a flight, place or topic of None is absent."""
        flight_hash = hash_of(Kind.FLIGHT, flight)
        creative_hash = hash_of(Kind.CREATIVE, creative if flight else None)
        slot_hash = id_hash(Kind.SLOT, slot) if slot else Kind.SLOT.unknown
        second = int(at.timestamp())
        zone = self.names.zone_at(slot_hash, second)
        day = (at.astimezone(zone).date() - date(1970, 1, 1)).days
        place_hash, topic_hash = hash_of(Kind.PLACE, place), hash_of(Kind.TOPIC, topic)
        for family, member, time in (
            (Family.HOURS, Member(flight_hash, slot_hash, creative_hash), second // 3600),
            (Family.PLACES, Member(flight_hash, slot_hash, creative_hash, place=place_hash), day),
            (Family.TOPICS, Member(flight_hash, slot_hash, topic=topic_hash), day),
        ):
            block, offset = divmod(time, family.block_size)
            self.memory.cells.append((family, StoredCell(member, block, Field(offset, variant, metric), number)))

    def reached(self, flight: str, day: int, readers: int) -> None:
        """Say how many readers a flight had on a day of November 2026."""
        number = (date(2026, 11, day) - date(1970, 1, 1)).days
        self.reach.stored.append(StoredReach(id_hash(Kind.FLIGHT, flight), number, readers))

    def service(self, names: Callable[[], Names] | None = None) -> StatisticsService:
        """Return the service over this world, or over other names."""
        names = names or (lambda: self.names)
        return StatisticsService(
            self.store, names, self.catalog, self.places, lambda: self.now, self.reach, self.standing
        )

    def ask(self, *metrics: str, by: tuple[str, ...] = (), **rest: object) -> Result:
        """Ask for metrics by dimensions, over all time unless `date_range` says otherwise."""
        return self.service().run(
            parse_query({"metrics": [*metrics], "dimensions": [*by], "date_range": "all", **rest})
        )

    def rows(self, *metrics: str, by: tuple[str, ...] = (), **rest: object) -> dict[tuple[str, ...], tuple[float, ...]]:
        """Ask likewise; return the numbers by their labels."""
        return {row.dimensions: row.metrics for row in self.ask(*metrics, by=by, **rest).rows}

    def total(self, metric: str, **rest: object) -> float:
        """Ask for one number without dimensions."""
        return self.ask(metric, by=(), **rest).rows[0].metrics[0]


def hash_of(kind: Kind, id_: str | None) -> IdHash:
    """Return the hash of an id, or the one for none."""
    return kind.none if id_ is None else id_hash(kind, id_)


def order_name(id_: str, *parents: tuple[int, str, str]) -> OrderName:
    """Return a flight's or creative's name with its parents: second, campaign, advertiser."""
    return OrderName(id_, tuple(Parent(at, CampaignId(one), AdvertiserId(two)) for at, one, two in parents))


def slot_name(id_: str, *spans: tuple[int, str, str]) -> SlotName:
    """Return a slot's name with where it was: second, site, zone."""
    return SlotName(id_, tuple(Whereabouts(*span) for span in spans))


def local(day: int, hour: int, zone: str = "America/Chicago") -> datetime:
    """Return a moment of November 2026 in a zone."""
    return datetime(2026, 11, day, hour, tzinfo=ZoneInfo(zone))
