"""The compiled catalog's records: flights, creatives, campaigns, advertisers, each decoded when first asked for."""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, Generic, TypeAlias, TypeVar

import msgspec

from adserver.decision.columns import Columns
from adserver.decision.compiled_flight import ALWAYS, NEVER, CompiledFlight
from adserver.decision.compiling import FIRST_SECOND, LAST_SECOND, NO_GOAL, hash_number
from adserver.decision.image import Image
from adserver.decision.regulation import Regulation, Rules
from adserver.decision.shelf import Shelf
from adserver.domain.catalog import Advertiser, Campaign, Creative, Flight
from adserver.domain.ids import FlightId, IdHash

FLIGHTS_REMEMBERED: Final = 16_384
"""Flights that a worker keeps decoded: about 2.4 kB each."""
REMEMBERED: Final = 16_384
"""Records of each other kind: at most 0.9 kB each."""
IDS_REMEMBERED: Final = 65_536
"""Ids of flights: 130 bytes each."""

_Record = TypeVar("_Record")

Order: TypeAlias = tuple[Advertiser, Campaign, Flight]


class Records(Generic[_Record]):
    """The records of one kind, by position. Shared by all threads: immutable, but for a bounded memory."""

    __slots__ = ("_data", "_decode", "_first", "_memo")

    def __init__(self, image: Image, name: str, kind: type[_Record], remembered: int = REMEMBERED) -> None:
        """Take the records of a name, and how many to keep decoded.

        Raises:
            ImageUnreadable: the image has none such.
        """
        self._data = image.raw(name)
        self._first = image.numbers(f"{name}_first", "Q")
        self._decode = msgspec.msgpack.Decoder(kind).decode
        self._memo: Shelf[_Record] = Shelf(min(remembered, len(self)) or 1)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._first) - 1

    def get(self, at: int) -> _Record:
        """Return the record at a position."""
        record = self._memo.get(at)
        if record is None:
            record = self._decode(self._data[self._first[at] : self._first[at + 1]])
            self._memo.put(at, record)
        return record


class HashTable:
    """Positions by hash. Immutable, shared by all threads."""

    __slots__ = ("_at", "_hashes")

    def __init__(self, image: Image, name: str) -> None:
        """Take the table of a name.

        Raises:
            ImageUnreadable: the image has none such.
        """
        self._hashes = image.numbers(name, "Q")
        self._at = image.numbers(f"{name}_at", "I")

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Yield each hash, as a number, with the position of what it stands for."""
        return zip(self._hashes, self._at, strict=True)

    def find(self, hash_: IdHash) -> int | None:
        """Return the position of what a hash stands for, or None."""
        number = hash_number(hash_)
        found = bisect_left(self._hashes, number)
        return self._at[found] if found < len(self._hashes) and self._hashes[found] == number else None


class CatalogRecords:
    """All records, and how they belong together. Shared by all threads, as its parts are."""

    __slots__ = ("_advertiser_of_campaign", "_campaign_of_creative", "_campaign_of_flight", "_columns", "_flight_ids",
                 "_orders", "advertisers", "campaigns", "creatives", "flights", "regulation")  # fmt: skip

    def __init__(self, image: Image, columns: Columns, regulation: Regulation) -> None:
        """Take the records of an image, and the rules that advertisers are under.

        Raises:
            ImageUnreadable: it lacks some.
        """
        self._columns = columns
        self.regulation = regulation
        self._campaign_of_flight = image.numbers("flight_campaigns", "I")
        self._campaign_of_creative = image.numbers("creative_campaigns", "I")
        self._advertiser_of_campaign = image.numbers("campaign_advertisers", "I")
        self._flight_ids = Records(image, "flight_ids", str, IDS_REMEMBERED)
        self.flights = Records(image, "flights", Flight, FLIGHTS_REMEMBERED)
        self.creatives = Records(image, "creatives", Creative)
        self.campaigns = Records(image, "campaigns", Campaign)
        """Without their creatives and flights."""
        self.advertisers = Records(image, "advertisers", Advertiser)
        self._orders: Shelf[Order] = Shelf(min(FLIGHTS_REMEMBERED, len(self.flights)) or 1)

    def id_of(self, flight: int) -> FlightId:
        """Return the id of the flight at a position."""
        return FlightId(self._flight_ids.get(flight))

    def campaign_of(self, flight: int) -> Campaign:
        """Return the campaign of the flight at a position."""
        return self.campaigns.get(self._campaign_of_flight[flight])

    def campaign_of_creative(self, creative: int) -> Campaign:
        """Return the campaign of the creative at a position."""
        return self.campaigns.get(self._campaign_of_creative[creative])

    def advertiser_of(self, flight: int) -> Advertiser:
        """Return the advertiser of the flight at a position."""
        return self.advertisers.get(self._advertiser_of_campaign[self._campaign_of_flight[flight]])

    def order_of(self, flight: int) -> Order:
        """Return the flight at a position with its campaign and advertiser."""
        order = self._orders.get(flight)
        if order is None:
            order = self.advertiser_of(flight), self.campaign_of(flight), self.flights.get(flight)
            self._orders.put(flight, order)
        return order

    def rules_of(self, flight: int) -> Rules:
        """Return the rules that the advertiser of the flight at a position is under."""
        return self.regulation.of(self.advertiser_of(flight).categories)

    def compiled(self, flight: int) -> CompiledFlight:
        """Return the flight at a position as the rules look at it: equal to no other, made anew at each call."""
        columns, advertiser = self._columns, self.advertiser_of(flight)
        own = range(columns.flight_creatives_first[flight], columns.flight_creatives_first[flight + 1])
        goal = columns.flight_goals[flight]
        return CompiledFlight(
            flight=self.flights.get(flight),
            campaign=self.campaign_of(flight),
            advertiser=advertiser,
            creatives=tuple(
                (self.creatives.get(columns.flight_creatives[at]), columns.flight_creative_weights[at]) for at in own
            ),
            starts=_instant(columns.flight_starts[flight]),
            ends=_instant(columns.flight_ends[flight]),
            part=columns.flight_parts[flight],
            goal=None if goal == NO_GOAL else goal,
            labels=advertiser.categories | advertiser.competes_with | {advertiser.id},
            rules=self.regulation.of(advertiser.categories),
        )


def _instant(second: int) -> datetime:
    if second == LAST_SECOND:
        return NEVER
    return ALWAYS if second == FIRST_SECOND else datetime.fromtimestamp(second, UTC)
