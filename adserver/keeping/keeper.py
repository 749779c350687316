"""The keeper: all that is slow or needs the world, so that the delivery path needs neither. One a host."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from adserver.catalog.names import Names, NamesUnreadable
from adserver.counting.delivered import write_delivered
from adserver.counting.shards import shard_of
from adserver.decision.snapshot import Snapshot
from adserver.domain.errors import StoreUnavailable
from adserver.domain.ids import FlightId, IdHash
from adserver.keeping.batches import Goal
from adserver.keeping.calendar import SiteCalendar
from adserver.keeping.counter import SpoolCounter
from adserver.keeping.counts import CountStore, ShardsDiffer

TICK_SECONDS: Final = 0.25
_RECALL_SECONDS: Final = 5.0
_BATCHES_A_STEP: Final = 64

_log: Final = logging.getLogger(__name__)


class CatalogKeeping(Protocol):
    """What the keeper asks of the catalog's mirror."""

    def step(self, now: datetime) -> int:
        """Bring the newest revision to this host's disk; return its number. Never raises for Redis being away."""


class SnapshotSource(Protocol):
    """What the keeper asks of the compiled catalog on disk."""

    def poll(self) -> bool:
        """Look at the file again."""

    def current(self) -> Snapshot | None:
        """Return the newest that could be read."""


@dataclass(frozen=True, slots=True)
class KeeperReport:
    """How the last step went. Immutable."""

    redis: bool
    """Whether Redis took all it was asked."""
    unapplied_bytes: int
    """Spool bytes on disk that are not in the counts yet."""
    applied_ranges: int
    """How many byte ranges this step brought into the counts."""
    revision: int
    """The catalog's, 0 where there is none."""


class Keeper:
    """Spools to counts, revisions to snapshots, counts to the file of what is delivered. One thread, one a host."""

    def __init__(
        self,
        *,
        data_dir: Path,
        counter: SpoolCounter,
        counts: CountStore,
        shards: int,
        catalog: CatalogKeeping,
        snapshots: SnapshotSource,
        load_names: Callable[[], Names],
    ) -> None:
        self._data_dir = data_dir
        self._counter = counter
        self._counts = counts
        self._shards = shards
        self._catalog = catalog
        self._snapshots = snapshots
        self._load_names = load_names
        self._calendar: SiteCalendar | None = None
        self._calendar_revision = 0
        self._goals: Mapping[IdHash, Goal] = {}
        self._goal_flights: Mapping[IdHash, FlightId] = {}
        self._delivered: Mapping[FlightId, int] | None = None
        self._recall_at = 0.0
        self._redis = True

    def step(self, now: float, wall: datetime) -> KeeperReport:
        """Do one round; Redis or the disk being away is reported, not raised.

        Args:
            now: monotonic seconds.
            wall: the same moment, aware UTC.
        """
        revision = self._catalog.step(wall)
        self._follow_catalog()
        try:
            self._counter.sync()
        except OSError as error:
            _log.error("spools cannot be synced: %s", error.strerror)
        applied = 0
        try:
            applied = self._count(now)
            self._report_redis(reachable=True)
        except (StoreUnavailable, NamesUnreadable, ShardsDiffer) as error:
            self._recall_at = 0.0
            self._report_redis(reachable=False, why=str(error))
        return KeeperReport(self._redis, self._counter.backlog().unapplied_bytes, applied, revision)

    def _count(self, now: float) -> int:
        if now >= self._recall_at:
            self._counts.agree_on_shards(self._shards)
            self._counter.recall()
            self._recall_at = now + _RECALL_SECONDS
        applied = self._counter.apply(self._calendar_now().day, self._goals, _BATCHES_A_STEP)
        self._write_delivered()
        return applied

    def _follow_catalog(self) -> None:
        if not self._snapshots.poll():
            return
        snapshot = self._snapshots.current()
        if snapshot is None:
            return
        flights = [flight for campaign in snapshot.catalog.campaigns for flight in campaign.flights]
        hashes = snapshot.hashes.flights
        self._goals = {
            hashes[flight.id]: Goal(snapshot.revision, flight.goal.impressions if flight.goal else 0)
            for flight in flights
        }
        self._goal_flights = {hashes[flight.id]: flight.id for flight in flights if flight.goal}

    def _calendar_now(self) -> SiteCalendar:
        snapshot = self._snapshots.current()
        revision = snapshot.revision if snapshot else 0
        if self._calendar is None or revision != self._calendar_revision:
            self._calendar = SiteCalendar(self._load_names())
            self._calendar_revision = revision
        return self._calendar

    def _write_delivered(self) -> None:
        by_shard: dict[int, list[IdHash]] = {}
        for hash_ in self._goal_flights:
            by_shard.setdefault(shard_of(hash_, self._shards), []).append(hash_)
        delivered = {
            self._goal_flights[hash_]: count
            for shard, hashes in by_shard.items()
            for hash_, count in self._counts.delivered(shard, hashes).items()
        }
        if delivered != self._delivered:
            try:
                write_delivered(self._data_dir, delivered)
                self._delivered = delivered
            except OSError as error:
                _log.error("the file of what is delivered cannot be written: %s", error.strerror)

    def _report_redis(self, *, reachable: bool, why: str = "") -> None:
        if reachable and not self._redis:
            _log.info("Redis is back; counting goes on")
        elif not reachable and self._redis:
            _log.warning("counting waits for Redis, pages go on: %s", why)
        self._redis = reachable


def run_keeper(keeper: Keeper, stop: threading.Event) -> None:
    """Step four times a second until `stop` is set; then still apply all that is written, as far as Redis takes it."""
    while not stop.wait(TICK_SECONDS):
        _catch_up(keeper, stop.is_set)
    _catch_up(keeper, lambda: False)


def _catch_up(keeper: Keeper, enough: Callable[[], bool]) -> None:
    """Step until all is counted, nothing more can be, or it is `enough`."""
    while True:
        report = keeper.step(time.monotonic(), datetime.now(UTC))
        if not report.applied_ranges or not report.unapplied_bytes or enough():
            return
