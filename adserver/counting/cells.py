"""The layout of counted numbers in Redis: which key and field hold which cell. Pure; the one place that knows it.

Three families, each cut into blocks of time so that one hash stays small (packed: at most about 128 fields):

    {s<shard>}:hours:<flight>:<creative>:<slot>:<block>            block = hour since 1970 (UTC) div 6
    {s<shard>}:places:<flight>:<creative>:<slot>:<place>:<block>   block = day of the site since 1970 div 7
    {s<shard>}:topics:<flight>:<slot>:<topic>:<block>              block = day of the site since 1970 div 4

Hashes of ids are written in hex. A field is two bytes: the offset within the block (4 bits) and the variant (2 bits),
then the metric; its value is a count. `{s<shard>}:index:<family>:<block>` is the set of that block's keys, each without
its shard, family and block. Layout version 1: a change needs a new family name and a golden-file test.

Old cells are moved to a coarser time, hash by hash, with the same members, fields and indexes:

    {s<shard>}:days:<flight>:<creative>:<slot>:<block>             from hours: day of the site since 1970, div 7
    {s<shard>}:months:<flight>:<creative>:<slot>:<place>:<block>   from places: month of the site since 1970, div 12
    {s<shard>}:rolled         hash: `hours`, `places` -> the day of the site since 1970 from which on none was moved;
                              `hours:moves`, `places:moves` -> how many hashes were moved, ever

Reach is kept beside the cells: sketches (HyperLogLog) of the cuts of readers' daily hashes, 4 bytes each, big-endian:

    {s<shard>}:reach:<day>:<flight>        day = day of the site of issue since 1970
    {s<shard>}:index:reach:<day>           set of that day's flights, in hex
    {s<shard>}:reached:<day>               hash: flight in hex -> readers; what is left of sketches that were rolled up
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from adserver.domain.ids import IdHash
from adserver.domain.reasons import EventKind, InvalidReason, NoFillReason
from adserver.domain.variants import Variant

LAYOUT_VERSION: Final = 1

SHARDS_KEY: Final = "{meta}:shards"
"""Holds N, written once and never changed by a running system."""


class Family(StrEnum):
    """What is kept together."""

    HOURS = "hours"
    """By flight, creative, slot, variant and hour."""
    PLACES = "places"
    """By flight, creative, slot, place, variant and day of the site."""
    TOPICS = "topics"
    """By flight, slot, topic, variant and day of the site."""

    @property
    def block_size(self) -> int:
        """How many hours or days one block holds."""
        return _BLOCK_SIZES[self]

    @property
    def rolled(self) -> "Rolled | None":
        """Where its old cells go."""
        return _ROLLED.get(self)


class Rolled(StrEnum):
    """What old cells are moved to."""

    DAYS = "days"
    """What `Family.HOURS` keeps, by day of the site."""
    MONTHS = "months"
    """What `Family.PLACES` keeps, by month of the site."""

    @property
    def block_size(self) -> int:
        """How many days or months one block holds."""
        return 7 if self is Rolled.DAYS else 12


_BLOCK_SIZES: Final = {Family.HOURS: 6, Family.PLACES: 7, Family.TOPICS: 4}
"""A hash of topics is written by all creatives of a flight, at all places: four of its busiest days have 100 fields."""

Kept = Family | Rolled
"""Whatever cells are kept in."""

_ROLLED: Final = {Family.HOURS: Rolled.DAYS, Family.PLACES: Rolled.MONTHS}


@dataclass(frozen=True, slots=True)
class Metric:
    """What a cell counts, as its byte `code`. Immutable."""

    code: int

    @classmethod
    def invalid(cls, event: EventKind, reason: InvalidReason) -> "Metric":
        """Return the metric of invalid events of one kind for one reason."""
        return cls(16 + 16 * event.code + reason.code)

    @classmethod
    def no_fill(cls, reason: NoFillReason) -> "Metric":
        """Return the metric of decisions that filled nothing for one reason."""
        return cls(64 + reason.code)

    @property
    def invalid_parts(self) -> tuple[EventKind, InvalidReason] | None:
        """The kind and reason of an invalid event's metric, else None."""
        return _INVALID.get(self.code)

    @property
    def no_fill_reason(self) -> NoFillReason | None:
        """The reason of a no fill's metric, else None."""
        return _NO_FILL.get(self.code)


FILLS: Final = Metric(0)
IMPRESSIONS: Final = Metric(1)
VIEWABLE: Final = Metric(2)
CLICKS: Final = Metric(3)

_INVALID: Final = {
    Metric.invalid(event, reason).code: (event, reason) for event in EventKind for reason in InvalidReason
}
_NO_FILL: Final = {Metric.no_fill(reason).code: reason for reason in NoFillReason}
_VARIANTS: Final = {variant.code: variant for variant in Variant}


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a block's hash, read. Immutable."""

    offset: int
    """Hours or days from the block's first."""
    variant: Variant
    metric: Metric


def shard_tag(shard: int) -> str:
    """Return the prefix, with its cluster hash tag, that all keys of a shard share."""
    return f"{{s{shard}}}:"


def hours_member(flight: IdHash, creative: IdHash, slot: IdHash) -> str:
    """Return what names a cell of `Family.HOURS` beside its time."""
    return f"{flight.hex()}:{creative.hex()}:{slot.hex()}"


def places_member(flight: IdHash, creative: IdHash, slot: IdHash, place: IdHash) -> str:
    """Return what names a cell of `Family.PLACES` beside its time."""
    return f"{flight.hex()}:{creative.hex()}:{slot.hex()}:{place.hex()}"


def topics_member(flight: IdHash, slot: IdHash, topic: IdHash) -> str:
    """Return what names a cell of `Family.TOPICS` beside its time."""
    return f"{flight.hex()}:{slot.hex()}:{topic.hex()}"


def parse_member(member: str) -> tuple[IdHash, ...]:
    """Return the hashes that a member names, in the order of its family."""
    return tuple(IdHash(bytes.fromhex(part)) for part in member.split(":"))


def cell_key(shard: int, family: Kept, member: str, block: int) -> str:
    """Return the key of the hash that holds a block of cells."""
    return f"{shard_tag(shard)}{family}:{member}:{block}"


def index_key(shard: int, family: Kept, block: int) -> str:
    """Return the key of the set of members that a block has cells for."""
    return f"{shard_tag(shard)}index:{family}:{block}"


def rolled_key(shard: int) -> str:
    """Return the key of the hash that says how far a shard's cells were moved to coarser times, and how many."""
    return f"{shard_tag(shard)}rolled"


def moves_field(family: Family) -> str:
    """Return the field of `rolled_key` that tells how many hashes of a family were moved, ever."""
    return f"{family}:moves"


def reach_key(shard: int, day: int, flight: IdHash) -> str:
    """Return the key of the sketch of a flight's readers on one day of the site (days since 1970)."""
    return f"{shard_tag(shard)}reach:{day}:{flight.hex()}"


def reach_index_key(shard: int, day: int) -> str:
    """Return the key of the set of flights, in hex, that have a sketch on a day (days since 1970)."""
    return f"{shard_tag(shard)}index:reach:{day}"


def reached_key(shard: int, day: int) -> str:
    """Return the key of the hash of readers by flight, in hex, of a day whose sketches were rolled up."""
    return f"{shard_tag(shard)}reached:{day}"


def reader_element(reader: int) -> bytes:
    """Return what a sketch is told of a reader's cut."""
    return reader.to_bytes(4, "big")


def cell_field(offset: int, variant: Variant, metric: Metric) -> bytes:
    """Return the field of a count: its time within the block, its variant and metric."""
    return bytes((offset << 2 | variant.code, metric.code))


def parse_field(field: bytes) -> Field:
    """Return what a field says."""
    return Field(field[0] >> 2, _VARIANTS[field[0] & 3], Metric(field[1]))
