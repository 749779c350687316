"""Counts everything anew from what was recorded, and compares it with what the store has, cell by cell.

It may run beside a service that counts: cells that were counted into while they were read are left out, and said.
Memory holds the tokens of one day, or of a part of it, and the cells of a few weeks.
"""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from adserver.counting.cells import Family, Kept, Rolled, moves_field
from adserver.counting.coarser import SiteDay
from adserver.counting.records import RECORD_BYTES
from adserver.domain.errors import AdserverError
from adserver.keeping.audit_findings import Audit, Difference, explained_by_late
from adserver.keeping.audit_flights import FlightSums, ShardFlight
from adserver.keeping.audit_records import DAY_SECONDS, all_records, part_of, records_of_day
from adserver.keeping.audit_rolled import Moved, blocks_until, first_day, is_over
from adserver.keeping.recount import Fields, Recount, Spot, folded
from adserver.keeping.redis_cells import CountedCells
from adserver.keeping.sources import Missing, Records, Source

MOST_RECORDS: Final = 2_000_000
"""How many records of one day are counted in one pass: their tokens take some 500 MB."""

Progress = Callable[[int, int], None]
"""Is told the bytes read so far, and how many there are in all."""


class StoreMoved(AdserverError):
    """The store fell back to an older state, or old cells were moved, while it was compared."""

    def __init__(self, what: str = "Redis fell back") -> None:
        super().__init__(f"{what} while it was compared; run the audit again")


class Auditor:
    """One audit. One thread, one use."""

    def __init__(
        self,
        look: Callable[[], Records],
        store: CountedCells,
        site_day: SiteDay,
        today: int,
        progress: Progress = lambda _done, _total: None,
        most_records: int = MOST_RECORDS,
        late_before: int = 0,
    ) -> None:
        """Take what it works on.

        Args:
            look: finds what the data folders hold now.
            store: what is compared.
            site_day: tells days, as the keeper does.
            today: days since 1970, UTC.
            progress: is told how far it is.
            most_records: of one day, counted in one pass.
            late_before: Unix time; events of tokens issued before it may have been declared late.
        """
        self._look = look
        self._store = store
        self._site_day = site_day
        self._progress = progress
        self._most_records = most_records
        self._today = today
        self._late_before = late_before
        self._shards = range(store.shards())
        self._recount = Recount(site_day, len(self._shards))
        self._bounds: Mapping[int, Mapping[str, int]] = {}
        self._floor_day = 0
        self._left: dict[tuple[int, Kept], list[int]] = {}
        self._marks: Mapping[int, Mapping[str, int]] = {}
        self._moved = Moved({}, site_day)
        self._beside: dict[Spot, Fields] = defaultdict(lambda: defaultdict(int))
        self._sums = FlightSums()
        self._differences: list[Difference] = []
        self._records = self._cells = self._done = 0

    def run(self) -> Audit:
        """Count, and compare.

        Raises:
            StoreUnavailable: the store does not answer.
            StoreMoved: it fell back meanwhile, or old cells were moved.
            ArchiveDamaged: a file of an archive is not what was written.
            OSError: a folder cannot be read.
        """
        self._bounds = {shard: self._store.counted(shard) for shard in self._shards}
        standing = {spool for shard in self._shards for spool in self._store.applied(shard)}
        self._marks = {shard: self._store.rolled(shard) for shard in self._shards}
        self._moved = Moved(self._marks, self._site_day)
        records = self._look()
        complete_from = records.complete_from
        self._floor_day = complete_from // DAY_SECONDS + 2 if complete_from else 0  # whole days of every zone
        for shard in self._shards:
            for kept in (*Family, *Rolled):
                self._left[shard, kept] = list(self._store.blocks(shard, kept, blocks_until(kept, self._today)))
        for day in self._count_days(records):
            self._compare(day)
        self._compare(None)
        delivered = {shard: self._store.delivered(shard) for shard in self._shards}
        touched, moved = self._touched()
        settled = [one for one in self._differences if (one.spot, one.offset) not in touched]
        late = {shard: self._store.late(shard) for shard in self._shards}
        explained = explained_by_late(settled, late, self._late_before)
        return Audit(
            records=self._records,
            cells=self._cells,
            differences=tuple(one for one in settled if one not in explained),
            late=sum(late.values()),
            explained=len(explained),
            flights=tuple(self._sums.differences(delivered, moved)),
            unsettled=len(self._differences) - len(settled),
            missing=(*records.missing, *self._missing_ends(records)),
            complete_from=complete_from,
            strangers=tuple(sorted(standing - records.living - {source.spool_id for source in records.sources})),
            gap_bytes=sum(end - start for shard in self._shards for (_, start), end in self._store.gaps(shard).items()),
        )

    def _count_days(self, records: Records) -> Iterator[int]:
        """Count anew, day by day of decision (UTC); yield each day that is done."""
        by_day: dict[int, list[Source]] = defaultdict(list)
        for source in records.sources:
            for day in source.days:
                by_day[day].append(source)
        parts = {day: self._parts(day, sources) for day, sources in by_day.items()}
        total = sum((one.end - one.start) * parts[day] for day, sources in by_day.items() for one in sources)
        for day, sources in sorted(by_day.items()):
            for part in range(parts[day]):
                for source in sources:
                    self._add(source, day, part, parts[day])
                    self._done += source.end - source.start
                    self._progress(self._done, total)
                self._recount.end_pass()
            yield day

    def _parts(self, day: int, sources: Sequence[Source]) -> int:
        return -(-sum(source.days[day] for source in sources) // self._most_records)

    def _add(self, source: Source, day: int, part: int, parts: int) -> None:
        bounds = [self._bounds[shard].get(source.spool_id, 0) for shard in self._shards]
        for offset, data in source.chunks():
            whole = offset is None or offset + len(data) <= min(bounds)
            for position, record in records_of_day(data, day):
                if parts > 1 and part_of(record, parts) != part:
                    continue
                if whole or (record.shard < len(bounds) and (offset or 0) + position < bounds[record.shard]):
                    self._recount.add(record)
                    self._records += 1

    def _compare(self, day: int | None) -> None:
        """Compare the blocks that nothing after a day (UTC) counts in; None: all that are left."""
        self._compare_kept(Family, day)
        self._compare_kept(Rolled, day)  # after all that is carried to them

    def _compare_kept(self, among: Iterable[Kept], day: int | None) -> None:
        expected: dict[tuple[int, Kept, int], set[str]] = defaultdict(set)
        for spot in (*self._recount.cells, *self._beside):
            expected[spot.shard, spot.family, spot.block].add(spot.member)
        for shard, kept in itertools.product(self._shards, among):
            left = self._left[shard, kept]
            blocks = {*left, *(of[2] for of in expected if of[:2] == (shard, kept))}
            done = sorted(block for block in blocks if day is None or is_over(kept, block, day))
            for block in done:
                members = expected[shard, kept, block] | self._store.members(shard, kept, block)
                self._compare_block([Spot(shard, kept, block, member) for member in sorted(members)])
            self._left[shard, kept] = [block for block in left if day is not None and not is_over(kept, block, day)]

    def _compare_block(self, spots: Sequence[Spot]) -> None:
        for spot, found in zip(spots, self._store.hashes(spots), strict=True):
            self._sums.add(spot, found)
            if self._moved.may_hold(spot):
                self._carry(spot, found)
            else:
                for number, count in self._beside.pop(spot, {}).items():
                    found[number] = found.get(number, 0) + count
                self._differences += self._differing(spot, self._recount.cells.get(spot, {}), folded(found))
            self._recount.forget(spot)

    def _carry(self, spot: Spot, found: Fields) -> None:
        """Have a hash that may have been moved, or in part, compared where its cells are moved to."""
        expected = dict(self._recount.cells.get(spot, {}))
        for to, number, count in self._moved.carried(spot, expected):
            self._recount.cells[to][number] += count
        for to, number, count in self._moved.carried(spot, found):
            self._beside[to][number] += count
        for offset in {number >> 10 for number in (*expected, *found)}:
            if (spot, offset) in self._recount.mixed:
                self._recount.mixed.add(self._moved.place_of(spot, offset))

    def _differing(self, spot: Spot, expected: Mapping[int, int], found: Mapping[int, int]) -> Iterator[Difference]:
        want, have = self._comparable(spot, expected), self._comparable(spot, found)
        for key in sorted(want.keys() | have.keys(), key=str):
            offset, variant, metric = key
            self._cells += 1
            if want.get(key, 0) != have.get(key, 0):
                yield Difference(spot, offset, variant, metric, want.get(key, 0), have.get(key, 0))

    def _comparable(self, spot: Spot, fields: Mapping[int, int]) -> Mapping[tuple[int, int | None, int], int]:
        """Return counts by offset, length and metric: without days that are not compared, lengths added where mixed."""
        sums: dict[tuple[int, int | None, int], int] = defaultdict(int)
        for number, count in fields.items():
            offset, variant, metric = number >> 10, number >> 8 & 3, number & 0xFF
            if first_day(spot.family, spot.block, offset) >= self._floor_day:
                sums[offset, None if (spot, offset) in self._recount.mixed else variant, metric] += count
        return sums

    def _touched(self) -> tuple[set[tuple[Spot, int]], set[ShardFlight]]:
        """Return the cells, and the flights, that were counted into since the start.

        Raises:
            StoreMoved: the store has fallen back, or old cells were moved.
        """
        self._check_moves()
        after = {shard: self._store.counted(shard) for shard in self._shards}
        cells: set[tuple[Spot, int]] = set()
        flights: set[ShardFlight] = set()
        if after == self._bounds:
            return cells, flights
        for shard in self._shards:
            if any(after[shard].get(spool, 0) < at for spool, at in self._bounds[shard].items()):
                raise StoreMoved
        recount = Recount(self._site_day, len(self._shards))
        for source in self._look().sources:
            if source.end <= min(self._bounds[shard].get(source.spool_id, 0) for shard in self._shards):
                continue
            for offset, data in source.chunks():
                for position, record in all_records(data) if offset is not None else ():
                    at = (offset or 0) + position
                    bounds = (of.get(record.shard, {}).get(source.spool_id, 0) for of in (self._bounds, after))
                    if next(bounds) <= at < next(bounds):
                        cells.update(recount.spots(record))
                        cells.update(self._moved.place_of(*cell) for cell in recount.spots(record))
                        flights.add((record.shard, record.flight))
        return cells, flights

    def _check_moves(self) -> None:
        for shard, before in self._marks.items():
            rolled = self._store.rolled(shard)
            if any(rolled.get(field) != before.get(field) for field in map(moves_field, Family)):
                raise StoreMoved("old cells were moved")

    def _missing_ends(self, records: Records) -> Iterator[Missing]:
        """Yield what was counted of each spool past its end: its data folder was put back from an older copy."""
        ends: dict[str, int] = {}
        for source in records.sources:
            ends[source.spool_id] = max(source.end, ends.get(source.spool_id, 0))
        for spool_id, end in sorted(ends.items()):
            counted = max(bounds.get(spool_id, 0) for bounds in self._bounds.values())
            if counted > end + RECORD_BYTES:  # behind half a record, a segment begins one record further
                yield Missing(spool_id, end, counted)
