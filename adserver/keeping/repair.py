"""Counts again what the store has lost and nobody but the archive has: gaps, through the very script that counts.

After a loss the keeper by itself replays what the spools still hold, and declares what they do not as a gap. A gap is
filled from its start, a range at a time, each only while the gap begins exactly there; so it may be broken off, run
twice, and run beside any number of keepers. Tokens older than their bits are kept are declared `late`, as ever.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from adserver.counting.coarser import SiteDay
from adserver.counting.records import RECORD_BYTES, Record, encode
from adserver.domain.ids import IdHash
from adserver.keeping.batches import Batch, Goal
from adserver.keeping.batching import make_batches
from adserver.keeping.counts import Applied
from adserver.keeping.record_table import RecordTable
from adserver.keeping.sources import ArchivedSource, Records, Source

_BATCH_BYTES: Final = 4096 * RECORD_BYTES


class Repairable(Protocol):
    """The store, as far as it is repaired. Fails closed with `StoreUnavailable`."""

    def shards(self) -> int:
        """Return N."""

    def counted(self, shard: int) -> Mapping[str, int]:
        """Return up to where each spool is counted, in bytes, those that have ended included."""

    def gaps(self, shard: int) -> Mapping[tuple[str, int], int]:
        """Return the declared gaps: (spool, from) -> to."""

    def known(self, shard: int) -> frozenset[str]:
        """Return the spools that a shard stands in, or has seen the end of."""

    def declare_lost(self, shard: int, spool_id: str, start: int, end: int) -> None:
        """Declare a spool that has ended as a gap, in a shard that has forgotten it."""


class Fillable(Protocol):
    """Counts ranges."""

    def apply(self, batch: Batch) -> Applied:
        """Apply a batch."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """What came of it. Immutable."""

    filled_bytes: int
    """Of all shards: a record counts once in each, although only one of them takes it."""
    left_bytes: int
    """Of gaps whose records stand nowhere."""


class Repair:
    """Fills the gaps of a store. One thread, one use."""

    def __init__(
        self,
        records: Records,
        store: Repairable,
        counts: Fillable,
        site_day: SiteDay,
        goals: Mapping[IdHash, Goal],
    ) -> None:
        """Take what is recorded, what is to be repaired, and the days and goals that the keeper counts by."""
        self._by_spool: dict[str, list[Source]] = defaultdict(list)
        for source in records.sources:
            self._by_spool[source.spool_id].append(source)
        self._living = records.living
        self._store = store
        self._counts = counts
        self._site_day = site_day
        self._goals = goals
        self._shards = store.shards()

    def run(self) -> Repaired:
        """Declare what nobody else can, and fill every gap as far as there are records.

        Raises:
            StoreUnavailable: the store does not answer; run it again.
            ArchiveDamaged: a file of the archive is not what was written.
            OSError: a folder cannot be read.
        """
        filled = left = 0
        for shard in range(self._shards):
            self._declare_ended(shard)
            self._declare_archived(shard)
            for (spool_id, start), end in sorted(self._store.gaps(shard).items()):
                reached = self._fill(shard, spool_id, start, end)
                filled += reached - start
                left += end - reached
        return Repaired(filled, left)

    def _declare_ended(self, shard: int) -> None:
        """Declare archived spools that have ended and that this shard, having lost all, does not know."""
        known = self._store.known(shard)
        for spool_id, sources in sorted(self._by_spool.items()):
            if spool_id not in known and spool_id not in self._living:
                self._store.declare_lost(shard, spool_id, sources[0].start, sources[-1].end)

    def _declare_archived(self, shard: int) -> None:
        """Declare what is archived of living spools and not counted, as the keeper is about to."""
        counted = self._store.counted(shard)
        for spool_id, sources in sorted(self._by_spool.items()):
            end = max((source.end for source in sources if isinstance(source, ArchivedSource)), default=0)
            start = counted.get(spool_id, 0)
            if spool_id in self._living and start < end:
                self._counts.apply(Batch(shard, spool_id, start, end, gap=True))

    def _fill(self, shard: int, spool_id: str, start: int, end: int) -> int:
        """Fill one gap; return up to where."""
        for first, last, records in _ranges(self._by_spool.get(spool_id, ()), start, end):
            if first != start:
                break
            table = RecordTable.read(b"".join(map(encode, records)))
            [counted] = make_batches(table, [shard], self._shards, self._site_day, self._goals)
            batch = replace(counted.batch(spool_id, first, last), found_again=True)
            if not self._counts.apply(batch).done:
                break  # somebody else fills it
            start = last
        return start


def _ranges(sources: Sequence[Source], start: int, end: int) -> Iterator[tuple[int, int, list[Record]]]:
    """Yield (from, to, good records) of a spool between two offsets, as far as they stand somewhere."""
    for source in sources:
        if source.end <= start or source.start >= end:
            continue
        at = max(source.start, start)
        pending: list[Record] = []
        for offset, record in source.records():
            if not at <= offset < end:
                continue
            if offset - at >= _BATCH_BYTES:
                yield at, offset, pending
                at, pending = offset, []
            pending.append(record)
        yield at, min(source.end, end), pending
