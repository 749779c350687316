"""Turns records into batches, with numpy: what is done here an event is done a quarter of a million times a second."""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from adserver.counting.cells import (
    FILLS,
    Family,
    cell_key,
    hours_member,
    index_key,
    places_member,
    reach_index_key,
    reach_key,
    shard_tag,
    topics_member,
)
from adserver.counting.coarser import SiteDay
from adserver.counting.records import RecordKind
from adserver.domain.ids import IdHash
from adserver.domain.reasons import InvalidReason
from adserver.keeping.batches import NO_GOAL, TOKENS_PER_BLOCK, Batch, Cell, Echo, Goal, Group
from adserver.keeping.record_table import HASHES_BYTES, PLACES_BYTES, Bits, Numbers, RecordTable, Words
from adserver.keeping.token_rows import TokenRows

_REMEMBERED: Final = 8192
"""What is counted alike: about 10 MB in the keeper; batch after batch names the same."""

_MIX: Final = np.array(
    [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93], dtype=np.uint64
)
"""Odd numbers; any would do, as what shares a sum is compared."""

_INCREMENT: Final = np.dtype([("group", ">u2"), ("variant", "u1"), ("metric", "u1"), ("by", ">u8")])


def make_batches(
    table: RecordTable, shards: Iterable[int], of: int, site_day: SiteDay, goals: Mapping[IdHash, Goal]
) -> Iterable["Counted"]:
    """Yield what each of `shards`, out of shards 0 to `of` - 1, has to count of some records.

    What cannot be read, or names a shard that there is not, goes to shard 0 and counts as corrupt there.
    """
    good = table.good & (table.columns["shard"] < of)
    corrupt = len(good) - int(np.count_nonzero(good))
    for shard in shards:
        mine = good & (table.columns["shard"] == shard)
        yield Counted(shard, table.where(mine), 0 if shard else corrupt, site_day, goals)


class Counted:
    """What one shard has to count of some records. One thread, one use."""

    def __init__(
        self, shard: int, table: RecordTable, corrupt: int, site_day: SiteDay, goals: Mapping[IdHash, Goal]
    ) -> None:
        self._shard = shard
        self._corrupt = corrupt
        self._goals = goals
        self._cells: dict[Cell, int] = {}
        self._sketches: dict[Cell, int] = {}
        self._flights: dict[IdHash, int] = {}
        self._groups, group_of = self._group(table, site_day)
        kinds = table.columns["kind"]
        counts_at_once = (kinds >= RecordKind.FILL) | (table.columns["reason"] != 0)
        self._increments = _increments(table, counts_at_once, group_of)
        self._echoes = _echoes(table, shard, group_of)
        self._rows = TokenRows.of(table, np.flatnonzero(~counts_at_once), group_of)

    def batch(self, spool_id: str, start: int, end: int) -> Batch:
        """Return it as a call for the byte range [start, end) of a spool."""
        tag = shard_tag(self._shard)
        return Batch(
            shard=self._shard,
            spool_id=spool_id,
            start=start,
            end=end,
            blocks=tuple(_block_key(tag, issuer, block) for issuer, block in self._rows.blocks),
            block_rows=tuple(self._rows.block_rows),
            rows=self._rows.packed,
            cells=tuple(self._cells),
            sketches=tuple(self._sketches),
            groups=tuple(self._groups),
            flights=tuple((flight, self._goals.get(flight, NO_GOAL)) for flight in self._flights),
            views=self._views(),
            increments=self._increments,
            echoes=self._echoes,
            corrupt=self._corrupt,
        )

    def _group(self, table: RecordTable, site_day: SiteDay) -> tuple[list[Group], Numbers]:
        """Return the groups, and which one each record is in."""
        places = table.places()
        firsts, group_of = _alike(places)
        issued = table.columns["issued"][firsts].tolist()
        names = places[firsts].tobytes()
        return [
            self._make_group(names[start : start + HASHES_BYTES], second, site_day)
            for start, second in zip(range(0, len(names), PLACES_BYTES), issued, strict=True)
        ], group_of

    def _make_group(self, names: bytes, second: int, site_day: SiteDay) -> Group:
        hour = second // 3600
        day = site_day(names[_SLOT], second)  # type: ignore[arg-type]  # a call of `IdHash` would take longer than the rest
        hours, places, topics, sketch, flight, at_hour, at_day, at_topics_day = _placed(self._shard, hour, day, names)
        cells, sketches, flights = self._cells, self._sketches, self._flights
        return Group(
            cells.setdefault(hours, len(cells)),
            at_hour,
            cells.setdefault(places, len(cells)),
            at_day,
            cells.setdefault(topics, len(cells)),
            at_topics_day,
            flights.setdefault(flight, len(flights)),
            hour,
            sketches.setdefault(sketch, len(sketches)),
        )

    def _views(self) -> tuple[int, ...]:
        flights = np.array([group.flight for group in self._groups], np.int64)
        return tuple(np.bincount(flights[self._rows.view_groups], minlength=len(self._flights)).tolist())


def _alike(words: Words) -> tuple[Numbers, Numbers]:
    """Return the first of each set of equal rows, and which set each row is in."""
    _, firsts, sets = np.unique((words * _MIX).sum(axis=1, dtype=np.uint64), return_index=True, return_inverse=True)
    if not np.array_equal(words[firsts][sets], words):  # two sets share a sum
        _, firsts, sets = np.unique(words, axis=0, return_index=True, return_inverse=True)
    return firsts, sets.reshape(-1)


def _increments(table: RecordTable, chosen: Bits, group_of: Numbers) -> bytes:
    if not chosen.any():
        return b""
    records, groups = table.columns[chosen], group_of[chosen]
    kinds, reasons = records["kind"].astype(np.int64), records["reason"].astype(np.int64)
    events = kinds < RecordKind.FILL
    metrics = np.where(events, 16 + 16 * kinds + reasons, np.where(kinds == RecordKind.FILL, FILLS.code, 64 + reasons))
    variants = np.where(events & (records["variant"] == 0), records["reported"], records["variant"])
    sums, places = np.unique(groups << 16 | variants.astype(np.int64) << 8 | metrics, return_inverse=True)
    packed = np.zeros(len(sums), _INCREMENT)
    packed["group"], packed["variant"], packed["metric"] = sums >> 16, sums >> 8 & 255, sums & 255
    by = np.zeros(len(sums), np.int64)
    np.add.at(by, places, records["times"].astype(np.int64))
    packed["by"] = by
    return packed.tobytes()


def _echoes(table: RecordTable, shard: int, group_of: Numbers) -> tuple[Echo, ...]:
    """Return the views of tokens that had expired."""
    columns = table.columns
    chosen = np.flatnonzero(
        (columns["reason"] == InvalidReason.EXPIRED.code) & (columns["kind"] <= RecordKind.VIEWABLE)
    )
    if not len(chosen):
        return ()
    issuers, sequences = table.issuers()[chosen].tolist(), columns["sequence"][chosen].tolist()
    tag = shard_tag(shard)
    times = Counter(zip(issuers, sequences, group_of[chosen].tolist(), strict=True))
    return tuple(
        Echo(_block_key(tag, issuer, sequence // TOKENS_PER_BLOCK), sequence % TOKENS_PER_BLOCK, group, number)
        for (issuer, sequence, group), number in times.items()
    )


def _block_key(tag: str, issuer: int, block: int) -> str:
    return f"{tag}tok:{issuer:012x}:{block}"


_SLOT: Final = slice(12, 17)


class _Placed(NamedTuple):
    """Where records count. Immutable; shared by all batches."""

    hours: Cell
    places: Cell
    topics: Cell
    sketch: Cell
    flight: IdHash
    hour_in_block: int
    places_day_in_block: int
    topics_day_in_block: int


@lru_cache(_REMEMBERED)
def _placed(shard: int, hour: int, day: int, names: bytes) -> _Placed:
    """Return where records of (flight, creative, slot, place, topic) count; hour and day are counted from 1970."""
    flight, creative, slot, place, topic = (
        IdHash(names[start:end]) for start, end in ((0, 6), (6, 12), (12, 17), (17, 22), (22, 26))
    )
    return _Placed(
        _cell(shard, Family.HOURS, hours_member(flight, creative, slot), hour),
        _cell(shard, Family.PLACES, places_member(flight, creative, slot, place), day),
        _cell(shard, Family.TOPICS, topics_member(flight, slot, topic), day),
        Cell(reach_key(shard, day, flight), reach_index_key(shard, day), flight.hex()),
        flight,
        hour % Family.HOURS.block_size,
        day % Family.PLACES.block_size,
        day % Family.TOPICS.block_size,
    )


def _cell(shard: int, family: Family, member: str, time: int) -> Cell:
    block = time // family.block_size
    return Cell(cell_key(shard, family, member, block), index_key(shard, family, block), member)
