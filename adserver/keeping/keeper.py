"""The keeper: all that is slow or needs the world, so that the delivery path needs neither. One a host."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol
from zoneinfo import ZoneInfo

from adserver.catalog.names import Names, NamesUnreadable
from adserver.counting.delivered import write_delivered
from adserver.counting.losses import NO_LOSSES, Losses
from adserver.counting.shards import shard_of
from adserver.decision.snapshot import Snapshot
from adserver.domain.errors import AdserverError, StoreUnavailable
from adserver.domain.ids import FlightId, IdHash
from adserver.keeping.batches import Goal
from adserver.keeping.calendar import SiteCalendar
from adserver.keeping.counts import CountStore, ShardsDiffer
from adserver.keeping.eviction import RedisEvicts
from adserver.keeping.salts import SaltKeeper

if TYPE_CHECKING:  # it brings numpy, which workers and supervisor must not carry
    from adserver.keeping.allowances import AllowanceKeeper
    from adserver.keeping.counter import SpoolCounter

TICK_SECONDS: Final = 0.25
_RECALL_SECONDS: Final = 5.0
_STEP_SECONDS: Final = 0.25
"""How long a step may count before it looks at the catalog again, whatever the backlog."""

_log: Final = logging.getLogger(__name__)


class CatalogKeeping(Protocol):
    """What the keeper asks of the catalog's mirror."""

    def step(self, now: datetime) -> int:
        """Bring the newest revision to this host's disk; return its number. Never raises for Redis being away."""

    @property
    def shards(self) -> int | None:
        """Into how many shards what this host has written is cut; None: nothing was ever served here."""

    @property
    def fault(self) -> str:
        """Why the last step could not, though Redis answers; empty: it did."""


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
    trouble: str = ""
    """Why nothing is counted, for the log; empty while all goes well."""
    refusal: str = ""
    """The same where Redis answers and must not be counted into; names no address."""
    catalog_fault: str = ""
    """Why the newest revision is not served on this host though Redis answers, for the log; empty: it is."""
    losses: Losses = NO_LOSSES
    """What Redis last said is in no count."""
    archive_fault: str = ""
    """Why what is counted cannot be put into the archive, in the operating system's words; empty: it can."""


class NamesIncomplete(AdserverError):
    """Redis lacks names of slots that are in use; days would be told wrong. They are put back from the data folder."""

    def __init__(self) -> None:
        super().__init__("Redis lacks names of the live catalog; counting waits until they are put back")


class Keeper:
    """Spools to counts, revisions to snapshots, counts to the file of what is delivered. One thread, one a host."""

    def __init__(  # noqa: PLR0913 - its ports, by name
        self,
        *,
        data_dir: Path,
        counter: "SpoolCounter",
        counts: CountStore,
        new_shards: int,
        catalog: CatalogKeeping,
        snapshots: SnapshotSource,
        load_names: Callable[[], Names],
        check_store: Callable[[], None] | None = None,
        upkeep: Callable[[float], str] = lambda _now: "",
    ) -> None:
        """Take what it works on.

        Into `new_shards` shards the counts of a store are cut that has none yet. `check_store` raises `RedisEvicts`
        where the store may forget what is counted. `upkeep` is called with Unix time when all that is written is
        counted: what can wait, a little at a time; it returns what is amiss, or nothing.
        """
        self._data_dir = data_dir
        self._counter = counter
        self._counts = counts
        self._new_shards = new_shards
        self._shards: int | None = None
        self._catalog = catalog
        self._snapshots = snapshots
        self._load_names = load_names
        self._check_store = check_store
        self._upkeep = upkeep
        self._archive_fault = ""
        self._salts: SaltKeeper | None = None
        self._allowances: AllowanceKeeper | None = None
        self._zones: tuple[ZoneInfo, ...] = ()
        self._read_losses: Callable[[], Losses] = Losses
        self._follow_tokens: Callable[[], None] = lambda: None
        self._begin_beside: Callable[[], None] = lambda: None
        self._losses = NO_LOSSES
        self._calendar: SiteCalendar | None = None
        self._calendar_revision = 0
        self._goals: Mapping[IdHash, Goal] = {}
        self._goal_flights: Mapping[IdHash, FlightId] = {}
        self._delivered: Mapping[FlightId, int] | None = None
        self._recall_at = 0.0
        self._redis = True
        self._trouble = ""
        self._refusal = ""

    def tend(self, salts: SaltKeeper, read_losses: Callable[[], Losses]) -> None:
        """Keep what readers are told apart by, and report what is in no count; for the time before the first step.

        `read_losses` raises `StoreUnavailable` where Redis does not answer.
        """
        self._salts = salts
        self._read_losses = read_losses

    def follow_tokens(self, follow: Callable[[], None]) -> None:
        """Take what is called at each step while Redis answers; for the time before the first. It never raises."""
        self._follow_tokens = follow

    def accompany(self, begin: Callable[[], None]) -> None:
        """Take what starts work of its own, in threads beside the steps, where the keeper runs as a process."""
        self._begin_beside = begin

    def begin(self) -> None:
        """Start what runs beside the steps; never in tests that step by hand."""
        self._begin_beside()

    def pace(self, allowances: "AllowanceKeeper") -> None:
        """Keep what workers may serve of goals and caps; for the time before the first step."""
        self._allowances = allowances

    def step(self, now: float, wall: datetime) -> KeeperReport:
        """Do one round; Redis or the disk being away is reported, not raised.

        Args:
            now: monotonic seconds.
            wall: the same moment, aware UTC.
        """
        revision = self._catalog.step(wall)
        self._follow_catalog()
        if self._salts is not None:
            self._salts.step(self._zones, wall, now)
        try:
            self._counter.sync()
        except OSError as error:
            _log.error("spools cannot be synced: %s", error.strerror)
        applied = 0
        try:
            applied = self._count(now, wall)
            self._report_redis(reachable=True)
            self._refusal = ""
        except (StoreUnavailable, NamesUnreadable, NamesIncomplete, ShardsDiffer, RedisEvicts) as error:
            self._recall_at = 0.0
            self._report_redis(reachable=False, why=str(error))
            self._refusal = "" if isinstance(error, StoreUnavailable) else str(error)
            if self._allowances is not None:
                self._allowances.step(wall.timestamp(), None)
        if self._redis or self._refusal:  # a Redis that hangs is not asked once more
            self._follow_tokens()
        unapplied = self._counter.backlog().unapplied_bytes
        if self._redis and not unapplied:
            self._archive_fault = self._upkeep(wall.timestamp())
        faults = (self._trouble, self._refusal, self._catalog.fault)
        return KeeperReport(self._redis, unapplied, applied, revision, *faults, self._losses, self._archive_fault)

    def _count(self, now: float, wall: datetime) -> int:
        if now >= self._recall_at:
            if self._check_store is not None:
                self._check_store()
            self._agree_on_shards()
            self._counter.recall()
            with suppress(StoreUnavailable):  # one shard that is away must not hold up the others
                self._losses = self._read_losses()
            self._recall_at = now + _RECALL_SECONDS
        calendar = self._calendar_now()
        if calendar is None:
            return 0
        until = time.monotonic() + _STEP_SECONDS
        applied = self._counter.apply(calendar.day, self._goals, lambda: time.monotonic() >= until)
        delivered = self._read_delivered()
        self._write_delivered(delivered)
        if self._allowances is not None:
            behind = self._counter.backlog().unapplied_bytes  # what is seen in there is not in the counts yet
            self._allowances.step(wall.timestamp(), None if behind else delivered)
        return applied

    def _agree_on_shards(self) -> None:
        """Take N from the store; where another node than those of the shards holds it, and is away, it stays.

        Raises:
            ShardsDiffer: this data folder's spools are cut otherwise.
            StoreUnavailable: it never said.
        """
        try:
            shards = self._counts.agree_on_shards(self._new_shards, self._catalog.shards)
        except StoreUnavailable:
            if self._shards is None:
                raise
            return
        self._shards = shards
        self._counter.cut_into(shards)

    def _follow_catalog(self) -> None:
        if not self._snapshots.poll():
            return
        snapshot = self._snapshots.current()
        if snapshot is None:
            return
        self._zones = tuple({ZoneInfo(site.timezone) for site in snapshot.sites})
        self._goals = goals_of(snapshot)
        self._goal_flights = {each.hash: each.flight for each in snapshot.goals() if each.impressions}
        if self._allowances is not None:
            self._allowances.follow(snapshot)

    def _calendar_now(self) -> SiteCalendar | None:
        """Return the days of all sites; None where nothing was ever published here: then nothing can be counted yet.

        Raises:
            NamesIncomplete: the store has lost names of the catalog in use; the mirror is about to put them back.
        """
        snapshot = self._snapshots.current()
        if snapshot is None:
            return None
        if self._calendar is None or snapshot.revision != self._calendar_revision:
            names = self._load_names()
            if not names.slots.keys() >= set(snapshot.hashes.slots.values()):
                raise NamesIncomplete
            self._calendar = SiteCalendar(names)
            self._calendar_revision = snapshot.revision
        return self._calendar

    def _read_delivered(self) -> Mapping[FlightId, int]:
        """Return net impressions of all flights that have a goal, or a cap of their own."""
        flights = {**self._goal_flights, **(self._allowances.hashes if self._allowances is not None else {})}
        by_shard: dict[int, list[IdHash]] = {}
        for hash_ in flights:
            by_shard.setdefault(shard_of(hash_, self._shards or 1), []).append(hash_)
        return {
            flights[hash_]: count
            for shard, hashes in by_shard.items()
            for hash_, count in self._counts.delivered(shard, hashes).items()
        }

    def _write_delivered(self, delivered: Mapping[FlightId, int]) -> None:
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
        self._trouble = why


def goals_of(snapshot: Snapshot) -> Mapping[IdHash, Goal]:
    """Return the goals of a revision's flights; one without is 0."""
    return {each.hash: Goal(snapshot.revision, each.impressions or 0) for each in snapshot.goals()}


def run_keeper(
    keeper: Keeper, stop: threading.Event, on_report: Callable[[KeeperReport, datetime], None] | None = None
) -> None:
    """Step four times a second until `stop` is set; then still apply all that is written, as far as Redis takes it.

    Args:
        keeper: what steps.
        stop: asks for the end.
        on_report: is told of each step, and when it was.
    """
    keeper.begin()
    while not stop.wait(TICK_SECONDS):
        _catch_up(keeper, stop.is_set, on_report)
    _catch_up(keeper, lambda: False, on_report)


def _catch_up(
    keeper: Keeper, enough: Callable[[], bool], on_report: Callable[[KeeperReport, datetime], None] | None
) -> None:
    """Step until all is counted, nothing more can be, or it is `enough`."""
    while True:
        report = keeper.step(time.monotonic(), datetime.now(UTC))
        if on_report is not None:
            on_report(report, datetime.now(UTC))
        if not report.applied_ranges or not report.unapplied_bytes or enough():
            return
