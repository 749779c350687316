"""What the keeper sends to one shard for one byte range of one spool. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from adserver.counting.cells import (
    FILLS,
    Family,
    Metric,
    cell_field,
    cell_key,
    hours_member,
    index_key,
    places_member,
    shard_tag,
    topics_member,
)
from adserver.counting.records import CORRUPT, QUARTER_SECONDS, Corrupt, Record, RecordKind
from adserver.domain.ids import IdHash
from adserver.domain.reasons import EventKind, InvalidReason, NoFillReason
from adserver.domain.variants import Variant

TOKENS_PER_BLOCK: Final = 8160
"""Six bits each: 6,120 bytes."""

_REMEMBERED: Final = 8192
"""What is counted alike: about 10 MB in the keeper; batch after batch names the same."""

_VARIANTS: Final = {variant.code: variant for variant in Variant}
_EVENTS: Final = {kind.code: kind for kind in EventKind}
_INVALID: Final = {reason.code: reason for reason in InvalidReason}
_NO_FILL: Final = {reason.code: reason for reason in NoFillReason}

SiteDay = Callable[[IdHash, int], int]
"""(slot, second) -> the day at the slot's site, in days since 1970."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A flight's goal as one revision has it. Immutable."""

    revision: int
    """0: the flight is not in the catalog any more; what the shard remembers stays in force."""
    impressions: int
    """0: no goal."""


NO_GOAL: Final = Goal(0, 0)


@dataclass(frozen=True, slots=True)
class Cell:
    """A hash of cells, and where the index lists it. Immutable."""

    key: str
    index: str
    member: str


@dataclass(frozen=True, slots=True)
class Group:
    """Tokens whose events count in the same three cells. Numbers point into the batch. Immutable."""

    hours: tuple[int, int]
    """(cell, hour within its block)."""
    places: tuple[int, int]
    """(cell, day within its block)."""
    topics: tuple[int, int]
    flight: int
    hour: int
    """Hours since 1970."""


class TokenEvent(NamedTuple):
    """An event that the edge let through. Immutable; a tuple, for there are hundreds of thousands a second."""

    block: int
    token: int
    """Its place in the block."""
    kind: EventKind
    length: Variant
    """What the token's length becomes if this is its first event."""
    group: int


@dataclass(frozen=True, slots=True)
class Batch:
    """One call of the script. Immutable."""

    shard: int
    spool_id: str
    start: int
    """Bytes: applied only where the shard stands exactly here."""
    end: int
    blocks: tuple[str, ...] = ()
    cells: tuple[Cell, ...] = ()
    groups: tuple[Group, ...] = ()
    flights: tuple[tuple[IdHash, Goal], ...] = ()
    events: tuple[TokenEvent, ...] = ()
    increments: tuple[tuple[int, bytes, int], ...] = ()
    """(cell, field, by): decisions, and events that the edge found invalid."""
    corrupt: int = 0
    gap: bool = False
    """The range is not there any more: nothing of it can be counted, and it is declared."""
    found_again: bool = False
    """The range was declared gone: it is applied only while it is. Corrupt records were counted before."""


class BatchBuilder:
    """Gathers a shard's records of one byte range into a batch. One thread, one use."""

    def __init__(self, shard: int, site_day: SiteDay, goals: Mapping[IdHash, Goal]) -> None:
        self._shard = shard
        self._site_day = site_day
        self._goals = goals
        self._blocks: dict[tuple[bytes, int], int] = {}
        self._cells: list[Cell] = []
        self._numbers: dict[str, int] = {}
        """Each cell's place in the list, by its key."""
        self._flights: dict[IdHash, int] = {}
        self._groups: dict[tuple[int, IdHash, IdHash, IdHash, IdHash, IdHash], int] = {}
        self._group_list: list[Group] = []
        self._events: list[TokenEvent] = []
        self._increments: dict[tuple[int, bytes], int] = {}
        self._corrupt = 0

    def add(self, record: Record | Corrupt) -> None:
        """Take one record of this shard, or one that cannot be read (the first shard takes those)."""
        if isinstance(record, Corrupt):
            self._corrupt += 1
        elif record.kind >= RecordKind.FILL:
            self._add_decisions(record)
        elif record.reason:
            self._add_invalid(record)
        else:
            self._add_event(record)

    def build(self, spool_id: str, start: int, end: int) -> Batch:
        """Return the batch for the byte range [start, end) of a spool."""
        tag = shard_tag(self._shard)
        return Batch(
            shard=self._shard,
            spool_id=spool_id,
            start=start,
            end=end,
            blocks=tuple(f"{tag}tok:{issuer.hex()}:{block}" for issuer, block in self._blocks),
            cells=tuple(self._cells),
            groups=tuple(self._group_list),
            flights=tuple((flight, self._goals.get(flight, NO_GOAL)) for flight in self._flights),
            events=tuple(self._events),
            increments=tuple((cell, field, by) for (cell, field), by in self._increments.items()),
            corrupt=self._corrupt,
        )

    def _add_decisions(self, record: Record) -> None:
        metric = FILLS if record.kind == RecordKind.FILL else Metric.no_fill(_NO_FILL[record.reason])
        self._increment(record, _VARIANTS[record.variant], metric, record.times)

    def _add_invalid(self, record: Record) -> None:
        metric = Metric.invalid(_EVENTS[record.kind], _INVALID[record.reason])
        self._increment(record, _VARIANTS[record.variant or record.reported], metric, record.times)

    def _add_event(self, record: Record) -> None:
        block, place = divmod(record.sequence, TOKENS_PER_BLOCK)
        self._events.append(
            TokenEvent(
                self._blocks.setdefault((record.issuer, block), len(self._blocks)),
                place,
                _EVENTS[record.kind],
                _VARIANTS[record.variant or record.reported],
                self._group(record),
            )
        )

    def _increment(self, record: Record, variant: Variant, metric: Metric, by: int) -> None:
        group = self._group_list[self._group(record)]
        for cell, offset in (group.hours, group.places, group.topics):
            key = (cell, cell_field(offset, variant, metric))
            self._increments[key] = self._increments.get(key, 0) + by

    def _group(self, record: Record) -> int:
        quarter = record.issued_second // QUARTER_SECONDS
        key = (quarter, record.flight, record.creative, record.slot, record.place, record.topic)
        number = self._groups.get(key)
        if number is None:
            number = self._groups[key] = len(self._group_list)
            self._group_list.append(self._make_group(record))
        return number

    def _make_group(self, record: Record) -> Group:
        hour = record.issued_second // 3600
        day = self._site_day(record.slot, record.issued_second)
        hashes = (record.flight, record.creative, record.slot, record.place, record.topic)
        hours, places, topics = _cells_of(self._shard, hour, day, hashes)
        return Group(
            self._number(*hours),
            self._number(*places),
            self._number(*topics),
            self._flights.setdefault(record.flight, len(self._flights)),
            hour,
        )

    def _number(self, cell: Cell, offset: int) -> tuple[int, int]:
        number = self._numbers.get(cell.key)
        if number is None:
            number = self._numbers[cell.key] = len(self._cells)
            self._cells.append(cell)
        return number, offset


_Placed = tuple[Cell, int]
"""(cell, hour or day within its block)."""


@lru_cache(_REMEMBERED)
def _cells_of(
    shard: int, hour: int, day: int, hashes: tuple[IdHash, IdHash, IdHash, IdHash, IdHash]
) -> tuple[_Placed, _Placed, _Placed]:
    """Return where events of (flight, creative, slot, place, topic) count; hour and day are counted from 1970."""
    flight, creative, slot, place, topic = hashes
    return (
        _cell(shard, Family.HOURS, hours_member(flight, creative, slot), hour),
        _cell(shard, Family.PLACES, places_member(flight, creative, slot, place), day),
        _cell(shard, Family.TOPICS, topics_member(flight, slot, topic), day),
    )


def _cell(shard: int, family: Family, member: str, time: int) -> _Placed:
    block, offset = divmod(time, family.block_size)
    return Cell(cell_key(shard, family, member, block), index_key(shard, family, block), member), offset


def split_by_shard(records: Iterable[Record | Corrupt], builders: Mapping[int, BatchBuilder], shards: int) -> None:
    """Give each record to the builder of its shard, if it is among `builders`.

    What cannot be read, or names a shard that there is not, goes to shard 0 and counts as corrupt there.
    """
    for record in records:
        known = record if isinstance(record, Record) and record.shard < shards else CORRUPT
        builder = builders.get(known.shard if isinstance(known, Record) else 0)
        if builder is not None:
            builder.add(known)
