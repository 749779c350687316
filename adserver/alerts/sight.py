"""Looks at what the keeper has on disk: the live catalog, what is delivered, what was lost, cached markup."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from adserver.alerts.book import Book, lost_lately
from adserver.alerts.marks import Marks, speed_mark
from adserver.alerts.scene import OverSold, Scene, WatchedFlight
from adserver.catalog.watch import CatalogWatch
from adserver.counting.delivered import DeliveredWatch
from adserver.counting.losses import NO_LOSSES, Losses
from adserver.decision.compiled_flight import CompiledFlight
from adserver.decision.paced import paced_flight
from adserver.decision.snapshot import Snapshot
from adserver.decision.traffic import WeekCurve
from adserver.domain.catalog import Catalog
from adserver.domain.ids import FlightId, SlotId
from adserver.keeping.cached_embeds_file import read_cached_embeds
from adserver.keeping.keeper_state import read_keeper_state

REFRESH_SECONDS: Final = 3600.0
"""After so long the plans follow newer traffic, and the days of the schedule a newer today."""
_MOST_BEHIND_SECONDS: Final = 60.0
"""What is counted later than that is not looked at: flights would seem to be behind that are not."""

Curve = Callable[[Iterable[SlotId] | None], WeekCurve]
"""Returns the shape of the past traffic of some slots, or of all."""
Overbooking = Callable[[Catalog, datetime, frozenset[FlightId]], Sequence[OverSold]]
"""Returns what is over-booked from a moment on, but for flights that have met their goals."""


class Sight:
    """What one host sees. For the alerts' one thread."""

    def __init__(self, folder: Path, catalog: CatalogWatch, curve: Curve, overbooking: Overbooking) -> None:
        """Take the data folder, a view of the catalog of one's own, and what knows past traffic and the schedule."""
        self._folder = folder
        self._catalog = catalog
        self._delivered = DeliveredWatch(folder)
        self._curve = curve
        self._overbooking = overbooking
        self._snapshot: Snapshot | None = None
        self._refreshed = 0.0
        self._flights: tuple[WatchedFlight, ...] = ()
        self._over_sold: Sequence[OverSold] = ()
        self.losses: Losses = NO_LOSSES
        """What was lost ever, as of the last look."""

    def delivered(self) -> Mapping[FlightId, int]:
        """Return net impressions of the flights that have a goal and run, as of the last look."""
        counts = self._delivered.current()
        return {each.id: counts[each.id] for each in self._flights if each.plan is not None and each.id in counts}

    def look(self, now: float) -> bool:
        """Look anew; return whether what there is to see is whole: the keeper counts, and is not behind.

        Args:
            now: Unix time.
        """
        state = read_keeper_state(self._folder)
        if state is None or state.pid != os.getpid() or state.is_stale(now):
            return False
        if not state.redis or state.lag_seconds(now) > _MOST_BEHIND_SECONDS:
            return False
        self.losses = state.losses
        self._delivered.poll()
        self._catalog.poll()
        snapshot = self._catalog.current()
        if snapshot is None:
            return False
        if snapshot is not self._snapshot or not 0 <= now - self._refreshed < REFRESH_SECONDS:
            self._refresh(snapshot, now)
        return True

    def scene(self, now: float, book: Book, marks: Marks) -> Scene:
        """Return what the last look saw.

        Args:
            now: Unix time.
            book: what is remembered of alerts.
            marks: what flights had hours ago.
        """
        speeds = {flight: mark for flight, each in marks.items() if (mark := speed_mark(each, now)) is not None}
        return Scene(
            now=datetime.fromtimestamp(now, UTC),
            flights=self._flights,
            delivered=self._delivered.current(),
            marks=speeds,
            over_sold=self._over_sold,
            embeds=read_cached_embeds(self._folder),
            gaps=self.losses.gaps,
            lost_lately=lost_lately(book, self.losses, now),
            held=book.held,
        )

    def _refresh(self, snapshot: Snapshot, now: float) -> None:
        curves: dict[frozenset[SlotId] | None, WeekCurve] = {}
        watched: list[WatchedFlight] = []
        for each in _running(snapshot.flights, now):
            slots = each.flight.slots
            if slots not in curves:
                curves[slots] = self._curve(slots)
            watched.append(watch_flight(each, curves[slots], datetime.fromtimestamp(now, UTC)))
        self._flights = tuple(watched)
        counts = self._delivered.current()
        met = frozenset(
            goal.flight for goal in snapshot.goals() if counts.get(goal.flight, 0) >= (goal.impressions or 1)
        )
        self._over_sold = self._overbooking(snapshot.catalog, datetime.fromtimestamp(now, UTC), met)
        self._snapshot, self._refreshed = snapshot, now


def watch_flight(each: CompiledFlight, curve: WeekCurve, now: datetime) -> WatchedFlight:
    """Return a flight as alerts look at it, with the past traffic of its slots; `now` is aware."""
    return WatchedFlight(
        id=each.flight.id,
        campaign=each.campaign.id,
        campaign_name=each.campaign.name,
        advertiser=each.campaign.advertiser,
        timezone=each.campaign.timezone,
        first_day=each.flight.starts or each.campaign.starts,
        last_day=each.flight.ends or each.campaign.ends,
        plan=paced_flight(each, curve, now) if each.goal is not None else None,
    )


def _running(flights: Iterable[CompiledFlight], now: float) -> Iterator[CompiledFlight]:
    """Yield the flights that run at a moment, or begin within the next hours, and are not paused."""
    moment = datetime.fromtimestamp(now, UTC)
    soon = moment + timedelta(seconds=2 * REFRESH_SECONDS)
    return (each for each in flights if not each.paused and each.starts <= soon and each.ends > moment)
