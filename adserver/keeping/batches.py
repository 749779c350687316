"""What the keeper sends to one shard for one byte range of one spool. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

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
from adserver.counting.records import QUARTER_SECONDS, Corrupt, Record, RecordKind
from adserver.domain.ids import IdHash
from adserver.domain.reasons import EventKind, InvalidReason, NoFillReason
from adserver.domain.variants import Variant

TOKENS_PER_BLOCK: Final = 8160
"""Six bits each: 6,120 bytes."""

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


@dataclass(frozen=True, slots=True)
class TokenEvent:
    """An event that the edge let through. Immutable."""

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


class BatchBuilder:
    """Gathers a shard's records of one byte range into a batch. One thread, one use."""

    def __init__(self, shard: int, site_day: SiteDay, goals: Mapping[IdHash, Goal]) -> None:
        self._shard = shard
        self._site_day = site_day
        self._goals = goals
        self._blocks: dict[str, int] = {}
        self._cells: dict[Cell, int] = {}
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
        return Batch(
            shard=self._shard,
            spool_id=spool_id,
            start=start,
            end=end,
            blocks=tuple(self._blocks),
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
        block = f"{shard_tag(self._shard)}tok:{record.issuer.hex()}:{record.sequence // TOKENS_PER_BLOCK}"
        self._events.append(
            TokenEvent(
                self._blocks.setdefault(block, len(self._blocks)),
                record.sequence % TOKENS_PER_BLOCK,
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
        hours = hours_member(record.flight, record.creative, record.slot)
        places = places_member(record.flight, record.creative, record.slot, record.place)
        topics = topics_member(record.flight, record.slot, record.topic)
        return Group(
            self._cell(Family.HOURS, hours, hour),
            self._cell(Family.PLACES, places, day),
            self._cell(Family.TOPICS, topics, day),
            self._flights.setdefault(record.flight, len(self._flights)),
            hour,
        )

    def _cell(self, family: Family, member: str, time: int) -> tuple[int, int]:
        block, offset = divmod(time, family.block_size)
        key = cell_key(self._shard, family, member, block)
        cell = Cell(key, index_key(self._shard, family, block), member)
        return self._cells.setdefault(cell, len(self._cells)), offset


def split_by_shard(records: Iterable[Record | Corrupt], builders: Mapping[int, BatchBuilder]) -> None:
    """Give each record to the builder of its shard, if it is among `builders`; unreadable ones go to shard 0."""
    for record in records:
        builder = builders.get(0 if isinstance(record, Corrupt) else record.shard)
        if builder is not None:
            builder.add(record)
