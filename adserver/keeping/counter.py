"""Brings what stands in the spools into the counts, exactly once, whatever fails in between."""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adserver.counting.coarser import SiteDay
from adserver.counting.spool_run import SpoolRun
from adserver.domain.errors import StoreUnavailable
from adserver.domain.ids import IdHash
from adserver.keeping.batch_size import MOST_BYTES, BatchSize
from adserver.keeping.batches import Batch, Goal
from adserver.keeping.batching import make_batches
from adserver.keeping.counts import CountStore
from adserver.keeping.quarantine import Quarantine
from adserver.keeping.record_table import RecordTable
from adserver.keeping.tails import SpoolTail, open_tails

BYTES_GONE: Final = "spool.bytes_gone"
"""Log event: a range of a spool is not there any more; it is declared as a gap, and counting goes on behind it."""
SPOOL_BEHIND: Final = "spool.behind"
"""Log event: Redis has counted further than a spool reaches: the data folder was put back from a copy. What that holds
was counted, and stays; nobody writes to that spool any more, and new events count from others."""

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is not in the counts yet. Immutable."""

    unapplied_bytes: int
    """Synced to disk but not applied, summed over the shard that is furthest behind in each spool."""


@dataclass(frozen=True, slots=True)
class SpoolStanding:
    """How far a spool is counted. Immutable."""

    folder: Path
    spool_id: str
    applied: int
    """The offset up to which every shard has it."""
    sizes: tuple[tuple[int, int], ...]
    """Start and size in bytes of each segment, lowest first."""
    dropped: int
    """Events its workers answered but could not write, ever."""

    @property
    def segments(self) -> int:
        """How many there are."""
        return len(self.sizes)


class SpoolCounter:
    """Follows every spool of the data folder, with a cursor for each shard. For the keeper's one thread.

    The cursors are only a memory of what the shards said; a shard that stands elsewhere says so and is believed.
    So shards fail, rewind and replay each for itself, and a lost reply costs nothing.
    """

    def __init__(
        self,
        spools: Path,
        counts: CountStore,
        shards: int = 1,
        batch_bytes: int = MOST_BYTES,
        quarantine: Quarantine | None = None,
        run: SpoolRun | None = None,
        on_applied: Callable[[RecordTable, int], None] = lambda _table, _shard: None,
    ) -> None:
        """Take the folder of all spools, where to count, N if it is known, and where bad bytes are put aside.

        `on_applied` is told the records that a shard has just counted.
        `run` is the one that lasts while this counts, so that workers who come go on where those before them left off.
        """
        self._spools = spools
        self._counts = counts
        self._shards = range(shards)
        self._size = BatchSize(batch_bytes)
        self._quarantine = quarantine
        self._run = run
        self._on_applied = on_applied
        self._tails: dict[Path, SpoolTail] = {}
        self._cursors: dict[tuple[str, int], int] = {}
        self._declared: dict[str, int] = {}
        self._reported: dict[str, int] = {}
        self._away: dict[int, StoreUnavailable] = {}
        """Shards that did not answer, and why, until that is raised."""

    def sync(self) -> None:
        """Find new spools and bring all that is written to the disk.

        Raises:
            OSError: the disk refuses.
        """
        if self._run is not None:
            with suppress(OSError):  # a disk that takes nothing has no workers who write to it
                self._run.join()
        open_tails(self._spools, self._tails)
        for tail in self._tails.values():
            tail.sync()

    def cut_into(self, shards: int) -> None:
        """Take N once the store has said it."""
        self._shards = range(shards)

    def recall(self) -> None:
        """Ask every shard where it stands, in idle spools too; one that fell back is replayed from there.

        A shard that does not answer is left out until it is asked again; the others go on.

        Raises:
            StoreUnavailable: none answered.
        """
        self._declared.clear()  # a store that fell back has forgotten them too
        self._away.clear()
        for shard in self._shards:
            try:
                applied = self._counts.applied(shard)
                unknown = [tail.spool_id for tail in self._tails.values() if tail.spool_id not in applied]
                ended = self._counts.ended(shard, unknown)  # one that has come back was counted to its end
            except StoreUnavailable as error:
                self._away[shard] = error
                continue
            for tail in self._tails.values():
                offset = applied.get(tail.spool_id, ended.get(tail.spool_id, 0))
                self._cursors[tail.spool_id, shard] = offset
                if offset > tail.synced:
                    self._report_lost(tail, offset)
        if len(self._away) == len(self._shards):
            self._raise_away()

    def apply(self, site_day: SiteDay, goals: Mapping[IdHash, Goal], enough: Callable[[], bool]) -> int:
        """Apply byte ranges of all spools in turn until none is left, or it is `enough`; return how many were.

        Raises:
            StoreUnavailable: a shard did not answer, and all that others take was applied; ask all where they stand
                before going on.
        """
        for tail in self._tails.values():
            self._declare_drops(tail)
        done = 0
        behind = list(self._tails.values())
        while behind:
            behind = [tail for tail in behind if self._apply_range(tail, site_day, goals)]
            done += len(behind)
            if enough():
                break
        if self._away:
            self._raise_away()
        return done

    def backlog(self) -> Backlog:
        """Return what is not in the counts yet."""
        return Backlog(
            sum(
                max(0, tail.synced - min(self._cursor(tail, shard) for shard in self._shards))
                for tail in self._tails.values()
            )
        )

    def standings(self) -> tuple[SpoolStanding, ...]:
        """Return how far each spool is counted, as the shards last said.

        Raises:
            OSError: a folder cannot be read.
        """
        return tuple(
            SpoolStanding(
                folder,
                tail.spool_id,
                min(self._cursor(tail, shard) for shard in self._shards),
                tuple(tail.segments()),
                tail.dropped,
            )
            for folder, tail in self._tails.items()
        )

    def forget(self, folder: Path) -> None:
        """Let go of a spool that is about to be removed."""
        tail = self._tails.pop(folder, None)
        if tail is not None:
            for shard in self._shards:
                self._cursors.pop((tail.spool_id, shard), None)
            tail.close()

    def close(self) -> None:
        """Let go of the files."""
        for tail in self._tails.values():
            tail.close()
        self._tails.clear()
        if self._run is not None:
            self._run.leave()

    def _cursor(self, tail: SpoolTail, shard: int) -> int:
        return self._cursors.get((tail.spool_id, shard), 0)

    def _apply_range(self, tail: SpoolTail, site_day: SiteDay, goals: Mapping[IdHash, Goal]) -> bool:
        """Apply the lowest unapplied range to the shards that stand at its start; return whether there was one."""
        present = (shard for shard in self._shards if shard not in self._away)
        behind = {shard: cursor for shard in present if (cursor := self._cursor(tail, shard)) < tail.synced}
        if not behind:
            return False
        start = min(behind.values())
        ahead = min((cursor for cursor in behind.values() if cursor > start), default=tail.synced)
        data = tail.read(start, min(self._size.bytes, ahead - start))
        table: RecordTable | None = None
        shards = [shard for shard, cursor in behind.items() if cursor == start]
        if data:
            table = RecordTable.read(data)
            if self._quarantine is not None and 0 in shards:  # the shard that counts them
                self._quarantine.keep(tail.spool_id, start, data, table.bad())
            counted = make_batches(table, shards, len(self._shards), site_day, goals)
            batches = [each.batch(tail.spool_id, start, start + len(data)) for each in counted]
        else:
            batches = self._gap(tail, shards, start, min(ahead, tail.following(start)))
        for batch in batches:
            began = time.perf_counter()
            try:
                applied = self._counts.apply(batch)
                self._cursors[tail.spool_id, batch.shard] = applied.offset
            except StoreUnavailable as error:  # in a cluster the others may live on other nodes
                self._away[batch.shard] = error
            else:
                self._size.learn(len(data), time.perf_counter() - began)
                if applied.offset < start:
                    self._declared.clear()  # it fell back, and has forgotten them too
                if applied.done and table is not None:
                    self._on_applied(table, batch.shard)
        return True

    def _gap(self, tail: SpoolTail, shards: list[int], start: int, end: int) -> list[Batch]:
        """Return what moves shards over bytes that are gone, and declares them."""
        _LOG.error(BYTES_GONE, extra={"spool": tail.spool_id, "start": start, "end": end})
        return [Batch(shard, tail.spool_id, start, end, gap=True) for shard in shards]

    def _report_lost(self, tail: SpoolTail, offset: int) -> None:
        if self._reported.get(tail.spool_id) != offset:
            self._reported[tail.spool_id] = offset
            _LOG.error(SPOOL_BEHIND, extra={"spool": tail.spool_id, "synced": tail.synced, "applied": offset})

    def _declare_drops(self, tail: SpoolTail) -> None:
        dropped = tail.dropped
        if dropped != self._declared.get(tail.spool_id, 0):
            try:
                self._counts.declare_dropped(tail.spool_id, dropped)
            except StoreUnavailable as error:
                self._away[0] = error  # the shard that holds them
                return
            self._declared[tail.spool_id] = dropped

    def _raise_away(self) -> None:
        away, self._away = self._away, {}
        error = next(iter(away.values()))
        if len(self._shards) == 1:
            raise error
        raise StoreUnavailable(f"{len(away)} of {len(self._shards)} shards wait: {error}") from error
