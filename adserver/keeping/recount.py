"""What records must have come to, counted anew by the rules in words: no order, no batches, no store. Pure.

Views that met their flight's goal depend on the order in which events came, so what is over a goal is counted in with
what is not: see `FOLDED`. Where a token's events report several lengths, which of them counts depends on the order too:
see `Recount.mixed`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from adserver.counting.cells import (
    CLICKS,
    FILLS,
    IMPRESSIONS,
    VIEWABLE,
    Family,
    Kept,
    Metric,
    hours_member,
    places_member,
    topics_member,
)
from adserver.counting.coarser import SiteDay
from adserver.counting.records import QUARTER_SECONDS, Record, RecordKind
from adserver.domain.ids import IdHash
from adserver.domain.reasons import EventKind, InvalidReason, NoFillReason
from adserver.domain.variants import Variant

FOLDED: Final[Mapping[int, int]] = {
    Metric.invalid(EventKind.SEEN, InvalidReason.OVER).code: IMPRESSIONS.code,
    Metric.invalid(EventKind.VIEWABLE, InvalidReason.OVER).code: VIEWABLE.code,
    Metric.invalid(EventKind.CLICK, InvalidReason.OVER).code: CLICKS.code,
}
"""Codes of what is over a goal, and of what it is compared as."""

_NO_VIEW: Final = Metric.invalid(EventKind.CLICK, InvalidReason.NO_VIEW).code
_DUPLICATES: Final = tuple(Metric.invalid(kind, InvalidReason.DUPLICATE).code for kind in EventKind)
_SEEN, _VIEWABLE, _CLICK = (kind.bit for kind in EventKind)
_NO_FILL: Final = {reason.code: Metric.no_fill(reason).code for reason in NoFillReason}
_INVALID: Final = {
    (kind.code, reason.code): Metric.invalid(kind, reason).code for kind in EventKind for reason in InvalidReason
}
_LENGTHS: Final = {1 << variant.code: variant.code for variant in Variant}
_KIND_BITS: Final = 3
_MOST_MEMBERS: Final = 200_000
_GROUP_AT: Final = 7
"""A token is one number: which kinds came (3 bits), which lengths they report (4), its group."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A hash of cells. Immutable."""

    shard: int
    family: Kept
    block: int
    member: str


Fields = dict[int, int]
"""Counts of a hash by field; the field's two bytes as one number: offset, variant, metric."""


def field_number(offset: int, variant: int, metric: int) -> int:
    """Return the number of a field: its two bytes, big-endian."""
    return (offset << 2 | variant) << 8 | metric


@dataclass(slots=True)
class _Pass:
    """The tokens of one pass."""

    tokens: dict[tuple[bytes, int, int], int] = field(default_factory=dict)
    repeats: dict[tuple[bytes, int, int], list[int]] = field(default_factory=dict)
    """Of the few tokens whose events came twice: how often too often, by kind."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Where records count alike: three hashes, each with the offset within its block. Immutable but for the counts."""

    spots: tuple[tuple[Spot, int], ...]
    counts: tuple[tuple[Fields, int], ...]
    """The same: the counts of each hash, and the number of its field without variant and metric."""


class Recount:
    """Adds up records. One thread.

    All records of one token must be added within one pass; memory holds the tokens of a pass and the cells.
    """

    def __init__(self, site_day: SiteDay, shards: int) -> None:
        self.cells: dict[Spot, Fields] = defaultdict(lambda: defaultdict(int))
        self.mixed: set[tuple[Spot, int]] = set()
        """Hashes, each with the offset within its block, where a token counts whose events report several lengths: only
        the sum over all lengths is certain."""
        self._site_day = site_day
        self._shards = shards
        self._numbers: dict[tuple[int, int, IdHash, IdHash, IdHash, IdHash, IdHash], int] = {}
        """By quarter; groups that differ in it alone share a number."""
        self._number_of: dict[tuple[tuple[Spot, int], ...], int] = {}
        self._groups: list[_Group] = []
        self._members: dict[tuple[IdHash, IdHash, IdHash, IdHash, IdHash], tuple[str, str, str]] = {}
        self._pass = _Pass()

    def add(self, record: Record) -> None:
        """Take a record; one of a shard that there is not was counted as corrupt, and is passed over."""
        if record.shard >= self._shards:
            return
        group = self._group(record)
        if record.kind >= RecordKind.FILL:
            metric = FILLS.code if record.kind == RecordKind.FILL else _NO_FILL[record.reason]
            self._count(group, record.variant, metric, record.times)
        elif record.reason:
            self._count(group, record.variant or record.reported, _INVALID[record.kind, record.reason], record.times)
        else:
            self._add_event(record, group)

    def end_pass(self) -> None:
        """Let the tokens of this pass become counts, and forget them."""
        for state, tokens in Counter(self._pass.tokens.values()).items():
            group, length = state >> _GROUP_AT, self._length(state)
            for metric in _metrics_of(state):
                self._count(group, length, metric, tokens)
        for token, repeats in self._pass.repeats.items():
            state = self._pass.tokens[token]
            for metric, times in zip(_DUPLICATES, repeats, strict=True):
                if times:
                    self._count(state >> _GROUP_AT, self._length(state), metric, times)
        self._pass = _Pass()
        self._numbers.clear()
        self._number_of.clear()
        self._groups.clear()
        if len(self._members) > _MOST_MEMBERS:
            self._members.clear()

    def spots(self, record: Record) -> tuple[tuple[Spot, int], ...]:
        """Return which hashes a record counts in, each with the offset within its block."""
        return self._groups[self._group(record)].spots if record.shard < self._shards else ()

    def forget(self, spot: Spot) -> None:
        """Give up the cells of a hash that nothing will be added to any more; not within a pass."""
        self.cells.pop(spot, None)

    def _add_event(self, record: Record, group: int) -> None:
        token = (record.issuer, record.shard, record.sequence)
        bit = 1 << record.kind
        state = self._pass.tokens.get(token, group << _GROUP_AT)
        if state & bit:
            self._pass.repeats.setdefault(token, [0, 0, 0])[record.kind] += 1
        length = 1 << (record.variant or record.reported)
        self._pass.tokens[token] = state | bit | length << _KIND_BITS

    def _length(self, state: int) -> int:
        """Return the length a token counts under; one of several, which is noted, where its events report several."""
        lengths = state >> _KIND_BITS & 15
        length = _LENGTHS.get(lengths)
        if length is None:
            length = next(code for bit, code in _LENGTHS.items() if lengths & bit)
            self.mixed.update(self._groups[state >> _GROUP_AT].spots)
        return length

    def _count(self, group: int, variant: int, metric: int, by: int) -> None:
        field = variant << 8 | metric
        for fields, offset in self._groups[group].counts:
            fields[offset | field] += by

    def _group(self, record: Record) -> int:
        quarter = record.issued_second // QUARTER_SECONDS
        ids = (record.flight, record.creative, record.slot, record.place, record.topic)
        key = (record.shard, quarter, *ids)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = self._make_group(tuple(self._spots(record)))
        return number

    def _make_group(self, spots: tuple[tuple[Spot, int], ...]) -> int:
        number = self._number_of.get(spots)
        if number is None:
            number = self._number_of[spots] = len(self._groups)
            counts = tuple((self.cells[spot], field_number(offset, 0, 0)) for spot, offset in spots)
            self._groups.append(_Group(spots, counts))
        return number

    def _spots(self, record: Record) -> Iterator[tuple[Spot, int]]:
        hour = record.issued_second // 3600
        day = self._site_day(record.slot, record.issued_second)
        hours, places, topics = self._members_of(record)
        members = {Family.HOURS: (hours, hour), Family.PLACES: (places, day), Family.TOPICS: (topics, day)}
        for family, (member, time) in members.items():
            block, offset = divmod(time, family.block_size)
            yield Spot(record.shard, family, block, member), offset

    def _members_of(self, record: Record) -> tuple[str, str, str]:
        ids = (record.flight, record.creative, record.slot, record.place, record.topic)
        members = self._members.get(ids)
        if members is None:
            members = self._members[ids] = (
                hours_member(record.flight, record.creative, record.slot),
                places_member(record.flight, record.creative, record.slot, record.place),
                topics_member(record.flight, record.slot, record.topic),
            )
        return members


def _metrics_of(state: int) -> Iterator[int]:
    """Yield what a token counts as by the kinds that came for it, whatever their order, goals aside."""
    if state & (_SEEN | _VIEWABLE):
        yield IMPRESSIONS.code
        if state & _VIEWABLE:
            yield VIEWABLE.code
        if state & _CLICK:
            yield CLICKS.code
    elif state & _CLICK:
        yield _NO_VIEW


def folded(fields: Mapping[int, int]) -> Fields:
    """Return the counts of a hash with what is over a goal counted in; no zeros."""
    sums: Fields = defaultdict(int)
    for number, count in fields.items():
        sums[number & ~0xFF | FOLDED.get(number & 0xFF, number & 0xFF)] += count
    return {number: count for number, count in sums.items() if count}
