"""Brings what stands in the spools into the counts, exactly once, whatever fails in between."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adserver.counting.records import RECORD_BYTES, decode
from adserver.domain.ids import IdHash
from adserver.keeping.batches import BatchBuilder, Goal, SiteDay, split_by_shard
from adserver.keeping.counts import CountStore
from adserver.keeping.tails import SpoolTail, open_tails

BATCH_BYTES: Final = 4096 * RECORD_BYTES
"""How much of a spool one call of the script takes."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is not in the counts yet. Immutable."""

    unapplied_bytes: int
    """Synced to disk but not applied, summed over the shard that is furthest behind in each spool."""


class SpoolCounter:
    """Follows every spool of the data folder, with a cursor for each shard. For the keeper's one thread.

    The cursors are only a memory of what the shards said; a shard that stands elsewhere says so and is believed.
    So shards fail, rewind and replay each for itself, and a lost reply costs nothing.
    """

    def __init__(self, spools: Path, counts: CountStore, shards: int, batch_bytes: int = BATCH_BYTES) -> None:
        self._spools = spools
        self._counts = counts
        self._shards = range(shards)
        self._batch_bytes = batch_bytes
        self._tails: dict[Path, SpoolTail] = {}
        self._cursors: dict[tuple[str, int], int] = {}
        self._declared: dict[str, int] = {}

    def sync(self) -> None:
        """Find new spools and bring all that is written to the disk.

        Raises:
            OSError: the disk refuses.
        """
        open_tails(self._spools, self._tails)
        for tail in self._tails.values():
            tail.sync()

    def recall(self) -> None:
        """Ask every shard where it stands, in idle spools too; one that fell back is replayed from there.

        Raises:
            StoreUnavailable: a shard did not answer.
        """
        for shard in self._shards:
            applied = self._counts.applied(shard)
            for tail in self._tails.values():
                self._cursors[tail.spool_id, shard] = applied.get(tail.spool_id, 0)

    def apply(self, site_day: SiteDay, goals: Mapping[IdHash, Goal], most_batches: int) -> int:
        """Apply up to `most_batches` byte ranges of each spool; return how many were.

        Raises:
            StoreUnavailable: a shard did not answer; ask all where they stand before going on.
        """
        done = 0
        for tail in self._tails.values():
            self._declare_drops(tail)
            for _ in range(most_batches):
                if not self._apply_range(tail, site_day, goals):
                    break
                done += 1
        return done

    def backlog(self) -> Backlog:
        """Return what is not in the counts yet."""
        return Backlog(
            sum(
                max(0, tail.synced - min(self._cursor(tail, shard) for shard in self._shards))
                for tail in self._tails.values()
            )
        )

    def close(self) -> None:
        """Let go of the files."""
        for tail in self._tails.values():
            tail.close()
        self._tails.clear()

    def _cursor(self, tail: SpoolTail, shard: int) -> int:
        return self._cursors.get((tail.spool_id, shard), 0)

    def _apply_range(self, tail: SpoolTail, site_day: SiteDay, goals: Mapping[IdHash, Goal]) -> bool:
        """Apply the lowest unapplied range to the shards that stand at its start; return whether there was one."""
        behind = {shard: cursor for shard in self._shards if (cursor := self._cursor(tail, shard)) < tail.synced}
        if not behind:
            return False
        start = min(behind.values())
        ahead = min((cursor for cursor in behind.values() if cursor > start), default=tail.synced)
        data = tail.read(start, min(self._batch_bytes, ahead - start))
        if not data:
            return False
        builders = {shard: BatchBuilder(shard, site_day, goals) for shard, cursor in behind.items() if cursor == start}
        split_by_shard(decode(data), builders)
        for shard, builder in builders.items():
            applied = self._counts.apply(builder.build(tail.spool_id, start, start + len(data)))
            self._cursors[tail.spool_id, shard] = applied.offset
        return True

    def _declare_drops(self, tail: SpoolTail) -> None:
        dropped = tail.dropped
        if dropped != self._declared.get(tail.spool_id, 0):
            self._counts.declare_dropped(tail.spool_id, dropped)
            self._declared[tail.spool_id] = dropped
