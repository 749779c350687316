"""Events that the edge let through, put in order by token, with numpy."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from adserver.keeping.batches import TOKENS_PER_BLOCK
from adserver.keeping.record_table import Bits, Numbers, RecordTable, Words

_ROW: Final = np.dtype([("token", ">u2"), ("what", "u1"), ("group", ">u2"), ("order", ">u2"), ("reader", ">u4")])
"""As `TOKEN_ROW`."""
_HAS_READER: Final = 32
_VIEWS: Final = 3
"""The bits of seen and viewable."""
_KINDS: Final = 3
_CLICK: Final = 2


@dataclass(frozen=True, slots=True)
class TokenRows:
    """The rows of a batch, packed. Immutable."""

    blocks: list[tuple[int, int]]
    """(issuer, sequence div `TOKENS_PER_BLOCK`)."""
    block_rows: list[int]
    packed: bytes
    view_groups: Numbers
    """The group of each row that can be a view."""

    @classmethod
    def of(cls, table: RecordTable, chosen: Numbers, group_of: Numbers) -> Self:
        """Put the chosen records of a table in rows; `group_of` says in which group each record of the table is."""
        if not len(chosen):
            return cls([], [], b"", chosen)
        issuers, sequences = table.issuers()[chosen], table.columns["sequence"][chosen].astype(np.int64)
        sorted_ = np.lexsort((sequences, issuers))  # stable: a token's events stay as they came
        order = chosen[sorted_]
        issuers, sequences = issuers[sorted_], sequences[sorted_]
        blocks, tokens = np.divmod(sequences, TOKENS_PER_BLOCK)
        new_issuer = _changes(issuers)
        new_block = new_issuer | _changes(blocks)
        new_token = new_issuer | _changes(sequences)
        groups = group_of[order]
        rows = _Rows.of(table, order, new_token, groups)
        starts = np.flatnonzero(new_block)
        packed = np.empty(len(rows.events), _ROW)
        packed["token"], packed["group"] = tokens[rows.events], groups[rows.events]
        packed["what"], packed["order"], packed["reader"] = rows.what, rows.order, rows.reader
        first_rows = np.searchsorted(rows.events, starts)
        return cls(
            list(zip(issuers[starts].tolist(), blocks[starts].tolist(), strict=True)),
            np.diff(first_rows, append=len(packed)).tolist(),
            packed.tobytes(),
            groups[rows.events][rows.what & _VIEWS != 0],
        )


@dataclass(frozen=True, slots=True)
class _Rows:
    """Columns of the rows. Immutable."""

    events: Numbers
    """Which of the sorted events each row begins with."""
    what: Numbers
    order: Numbers
    reader: Numbers

    @classmethod
    def of(cls, table: RecordTable, order: Numbers, new_token: Bits, groups: Numbers) -> Self:
        """Unite what came for one token in one group, each kind once.

        Args:
            table: all records.
            order: which of them, by token, then as they came.
            new_token: where another token begins.
            groups: of each.
        """
        records = table.columns[order]
        kinds = records["kind"].astype(np.int64)
        numbers = np.arange(len(order))
        new_run = new_token | _changes(groups)
        run = np.cumsum(new_run) - 1
        kind_of_run = run * _KINDS + kinds
        first_of_kind = _firsts(kind_of_run, numbers, _KINDS * (int(run[-1]) + 1))
        again = first_of_kind[kind_of_run] != numbers
        starts = np.flatnonzero(new_run)
        views = kinds != _CLICK
        view_of_run = _firsts(run[views], numbers[views], len(starts))
        decisive = np.where(view_of_run >= 0, view_of_run, starts)
        lengths = _lengths(table, order)[np.maximum.accumulate(np.where(new_token, numbers, 0))]
        events = np.concatenate((starts, np.flatnonzero(again)))
        what = np.concatenate((np.bitwise_or.reduceat(1 << kinds, starts), 1 << kinds[again])) | lengths[events] << 3
        decisive = np.concatenate((decisive, np.flatnonzero(again)))
        readers = np.where(views, records["reader"], 0)[decisive]
        what |= np.where(readers != 0, _HAS_READER, 0)
        in_order = np.argsort(events, kind="stable")
        return cls(events[in_order], what[in_order], order[decisive][in_order], readers[in_order])


def _changes(values: Numbers | Words) -> Bits:
    """Tell where a value differs from the one before it; the first does."""
    changes = np.empty(len(values), np.bool_)
    changes[0] = True
    np.not_equal(values[1:], values[:-1], out=changes[1:])
    return changes


def _firsts(keys: Numbers, numbers: Numbers, size: int) -> Numbers:
    """Return for each key below `size` the first of the numbers that have it, -1 where none has."""
    firsts = np.full(size, -1)
    firsts[keys[::-1]] = numbers[::-1]  # of several for one key the last is kept: the first
    return firsts


def _lengths(table: RecordTable, order: Numbers) -> Numbers:
    records = table.columns[order]
    return np.where(records["variant"] == 0, records["reported"], records["variant"]).astype(np.int64)
