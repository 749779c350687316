"""What the keeper sends to one shard for one byte range of one spool. Pure values; `Batcher` makes them."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from adserver.domain.ids import IdHash

TOKENS_PER_BLOCK: Final = 8160
"""Six bits each: 6,120 bytes."""

MOST_RECORDS: Final = 65_535
"""A batch numbers its records, groups and cells in two bytes."""

TOKEN_ROW: Final = struct.Struct(">HBHHI")
"""A `TokenRow`: token, what (kinds 3 bits, length 2 bits, 32: is there a reader), group, order, reader."""
INCREMENT: Final = struct.Struct(">HBBQ")
"""An `Increment`: group, variant, metric, by."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A flight's goal as one revision has it. Immutable."""

    revision: int
    """0: the flight is not in the catalog any more; what the shard remembers stays in force."""
    impressions: int
    """0: no goal."""


NO_GOAL: Final = Goal(0, 0)


class Cell(NamedTuple):
    """A hash of cells, or a sketch of readers, and where the index lists it. Immutable; a tuple, as it is a key."""

    key: str
    index_key: str
    member: str


class Group(NamedTuple):
    """Records that count in the same three cells. Numbers point into the batch. Immutable."""

    hours_cell: int
    hour_in_block: int
    places_cell: int
    places_day_in_block: int
    topics_cell: int
    topics_day_in_block: int
    flight: int
    hour: int
    """Hours since 1970."""
    sketch: int
    """Of the flight's readers on this day of the site."""

    @property
    def placed(self) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
        """(cell, time within its block), family by family."""
        return (
            (self.hours_cell, self.hour_in_block),
            (self.places_cell, self.places_day_in_block),
            (self.topics_cell, self.topics_day_in_block),
        )


class TokenRow(NamedTuple):
    """What came for one token: each kind of event once; what came again is a row of its own. Immutable."""

    token: int
    """Its place in the block."""
    kinds: int
    """The bits of the kinds of events that came."""
    length: int
    """The code of what the token's length becomes if these are its first events."""
    group: int
    order: int
    """Which record of the batch makes it a view, else its first: goals are filled in this order."""
    reader: int
    """Who viewed it, as a cut of the reader's daily hash; 0 = not said."""


class Increment(NamedTuple):
    """Decisions, or events that the edge found invalid. Immutable."""

    group: int
    variant: int
    metric: int
    by: int


class Echo(NamedTuple):
    """Views of one token that had expired when they came. Immutable."""

    block: str
    """The key of its block."""
    token: int
    """Its place in the block."""
    group: int
    times: int


@dataclass(frozen=True, slots=True)
class Batch:
    """One call of the script. Immutable."""

    shard: int
    spool_id: str
    start: int
    """Bytes: applied only where the shard stands exactly here."""
    end: int
    blocks: tuple[str, ...] = ()
    """Keys of blocks of tokens."""
    block_rows: tuple[int, ...] = ()
    """How many of the rows are each block's."""
    rows: bytes = b""
    """Rows of tokens by block, by token, then as they came; packed as `TOKEN_ROW`."""
    cells: tuple[Cell, ...] = ()
    sketches: tuple[Cell, ...] = ()
    groups: tuple[Group, ...] = ()
    flights: tuple[tuple[IdHash, Goal], ...] = ()
    views: tuple[int, ...] = ()
    """For each flight, how many views the rows can bring it at most."""
    increments: bytes = b""
    """Packed as `INCREMENT`."""
    echoes: tuple[Echo, ...] = ()
    corrupt: int = 0
    gap: bool = False
    """The range is not there any more: nothing of it can be counted, and it is declared."""
    found_again: bool = False
    """The range was declared gone: it is applied only while it is. Corrupt records were counted before."""

    def token_rows(self) -> Iterator[tuple[str, TokenRow]]:
        """Yield (key of the block, row) for all rows."""
        keys = (block for block, rows in zip(self.blocks, self.block_rows, strict=True) for _ in range(rows))
        for block, (token, what, group, order, reader) in zip(keys, TOKEN_ROW.iter_unpack(self.rows), strict=True):
            yield block, TokenRow(token, what & 7, what >> 3 & 3, group, order, reader)

    def all_increments(self) -> Iterator[Increment]:
        """Yield what decisions and invalid events add."""
        return map(Increment._make, INCREMENT.iter_unpack(self.increments))
