"""What the caps of flights leave of this day or hour."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from adserver.domain.catalog import Cap, CapPeriod
from adserver.domain.ids import FlightId, IdHash


class CappedFlight(NamedTuple):
    """A flight with caps that count all readers together. Immutable."""

    id: FlightId
    hash: IdHash
    shard: int
    zone: ZoneInfo
    """Its campaign's."""
    caps: tuple[Cap, ...]


class CapStore(Protocol):
    """Remembers how much a flight had delivered when a day or an hour began."""

    def base(self, flight: CappedFlight, window: int, delivered: int) -> int:
        """Return what was delivered when a window was first asked for, which is `delivered` if it is now.

        Args:
            flight: whose.
            window: the second of Unix time at which it began.
            delivered: net impressions of the flight, now.

        Raises:
            StoreUnavailable: the store does not answer.
        """


class CapWatch:
    """Counts within windows. For the keeper's one thread; what it remembers stands in the store too.

    A window begins to count when the keeper first sees it: with the first step after midnight or the full hour, or, on
    the day on which a cap is published, with that.
    """

    def __init__(self, store: CapStore) -> None:
        self._store = store
        self._bases: dict[tuple[FlightId, int], int] = {}

    def left(
        self, flights: Mapping[FlightId, CappedFlight], delivered: Mapping[FlightId, int], now: float
    ) -> dict[FlightId, int]:
        """Return how many impressions the caps of each flight leave; 0 at least.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        left: dict[FlightId, int] = {}
        used: set[tuple[FlightId, int]] = set()
        for id_, flight in flights.items():
            if id_ not in delivered:
                continue
            for cap in flight.caps:
                window = window_of(cap.per, flight.zone, now)
                used.add((id_, window))
                if (id_, window) not in self._bases:
                    self._bases[id_, window] = self._store.base(flight, window, delivered[id_])
                rest = max(0, cap.impressions - max(0, delivered[id_] - self._bases[id_, window]))
                left[id_] = min(rest, left.get(id_, rest))
        self._bases = {key: base for key, base in self._bases.items() if key in used}
        return left


def window_of(period: CapPeriod, zone: ZoneInfo, now: float) -> int:
    """Return the second of Unix time at which the day or hour of a zone began that a moment is in.

    Raises:
        ValueError: the period is a visit or a page, which a reader has and a zone has not.
    """
    local = datetime.fromtimestamp(now, zone)
    if period is CapPeriod.DAY:
        return int(datetime.combine(local.date(), time.min, zone).timestamp())
    if period is CapPeriod.HOUR:
        minutes = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return int((local.astimezone(UTC) - minutes).timestamp())
    raise ValueError(f"a {period} is not a time of a zone")
