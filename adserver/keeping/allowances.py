"""Keeps the paces of a host: from what is counted and what workers use, to the file that workers read."""

import logging
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from adserver.counting.paces import read_uses, write_pace
from adserver.counting.shards import shard_of
from adserver.decision.compiled_flight import CompiledFlight
from adserver.decision.paced import is_paced, paced_flight
from adserver.decision.pacing import Controller, Counted, PaceTable
from adserver.decision.plan import PacedFlight
from adserver.decision.snapshot import Snapshot
from adserver.decision.traffic import WeekCurve
from adserver.domain.catalog import CapScope, is_capped_for_all
from adserver.domain.ids import FlightId, IdHash, Kind, SlotId, id_hash
from adserver.keeping.caps import CappedFlight, CapWatch
from adserver.keeping.past_traffic import PastTraffic
from adserver.keeping.views import ViewLog

_SOON_SECONDS: Final = 120.0
"""A flight is paced from so long before it begins."""
_LONG_SECONDS: Final = 0.025
_PART_OF_TIME: Final = 0.1
"""How much of its time the keeper gives to paces at most: with very many flights, where a step takes longer than
`_LONG_SECONDS`, it steps them less often."""

_LOG: Final = logging.getLogger(__name__)

PACE_UNWRITABLE: Final = "pacing.unwritable"
"""Log event: the file of paces cannot be written; what workers have lapses within a minute."""


class AllowanceKeeper:
    """Steps the controller with what this host knows. For the keeper's one thread."""

    def __init__(self, folder: Path, caps: CapWatch, past: PastTraffic) -> None:
        """Take the data folder, what counts within days and hours, and what knows the past."""
        self._folder = folder
        self._caps = caps
        self._past = past
        self._controller = Controller()
        self._snapshot: Snapshot | None = None
        self._past_version = 0
        self._flights: tuple[PacedFlight, ...] = ()
        self._capped: Mapping[FlightId, CappedFlight] = {}
        self._ids: Mapping[IdHash, FlightId] = {}
        self._counted = Counted({}, {}, {}, {}, is_fresh=False)
        self._written: PaceTable | None = None
        self._next = 0.0
        self.views = ViewLog()

    @property
    def table(self) -> PaceTable | None:
        """What workers were told last; None: nothing yet."""
        return self._written

    @property
    def hashes(self) -> Mapping[IdHash, FlightId]:
        """The flights whose deliveries it must be told."""
        return self._ids

    def curve(self, slots: Iterable[SlotId] | None) -> WeekCurve:
        """Return the shape of the past traffic of some slots, or of all; for any thread."""
        return self._past.curve(slots)

    def follow(self, snapshot: Snapshot) -> None:
        """Take the live catalog."""
        self._snapshot = snapshot
        compiled = [each for each in snapshot.counted_flights() if is_paced(each)]
        self._ids = {id_hash(Kind.FLIGHT, each.flight.id): each.flight.id for each in compiled}
        now = datetime.now(UTC)
        self._flights = tuple(paced_flight(each, self._past.curve(each.flight.slots), now) for each in compiled)
        self._capped = {
            each.flight.id: _capped(each, snapshot.shards) for each in compiled if is_capped_for_all(each.flight)
        }

    def step(self, now: float, delivered: Mapping[FlightId, int] | None) -> None:
        """Tell workers what they may serve from now on.

        Args:
            now: Unix time.
            delivered: net impressions of all flights of `hashes`; None: the store does not answer.

        Raises:
            StoreUnavailable: the store does not say what a cap counts from.
        """
        self._past.poll(time.monotonic())
        if self._past.version != self._past_version and self._snapshot is not None:
            self._past_version = self._past.version
            self.follow(self._snapshot)
        if time.monotonic() < self._next:
            return
        began = time.monotonic()
        if delivered is not None:
            self.views.forget(now)
            left = self._caps.left(self._capped, delivered, now)
            self._counted = Counted(delivered, self._seen(), left, self._late())
        else:
            self._counted = self._counted._replace(is_fresh=False)
        self._tell(now, self._counted)
        took = time.monotonic() - began
        self._next = began + took / _PART_OF_TIME if took > _LONG_SECONDS else began

    def _tell(self, now: float, counted: Counted) -> None:
        flights = [each for each in self._flights if each.starts - _SOON_SECONDS <= now < (each.ends or now + 1)]
        table = self._controller.step(now, flights, counted, read_uses(self._folder))
        if table == self._written:
            return
        try:
            write_pace(self._folder, table)
        except OSError as error:
            _LOG.error(PACE_UNWRITABLE, extra={"fault": error.strerror})
        else:
            self._written = table

    def _seen(self) -> dict[int, dict[FlightId, int]]:
        return {period: self._named(counts) for period, counts in self.views.seen.items()}

    def _late(self) -> dict[FlightId, int]:
        return self._named(self.views.late)

    def _named(self, counts: Mapping[IdHash, int]) -> dict[FlightId, int]:
        return {self._ids[hash_]: count for hash_, count in counts.items() if hash_ in self._ids}


def _capped(each: CompiledFlight, shards: int) -> CappedFlight:
    hash_ = id_hash(Kind.FLIGHT, each.flight.id)
    caps = tuple(cap for cap in each.flight.caps if cap.scope is CapScope.FLIGHT)
    return CappedFlight(each.flight.id, hash_, shard_of(hash_, shards), ZoneInfo(each.campaign.timezone), caps)
