"""The cells in Redis: first which blocks have any, then their index sets, then the hashes that are wanted."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple, cast

import redis
from redis.exceptions import RedisClusterException, RedisError

from adserver.counting.cells import (
    SHARDS_KEY,
    Family,
    Kept,
    cell_key,
    index_key,
    moves_field,
    parse_field,
    rolled_key,
)
from adserver.counting.coarser import rolled_blocks
from adserver.domain.errors import StoreUnavailable
from adserver.statistics.cell_store import CellsMoved, Member, StoredCell
from adserver.store.presence import chunks, may_exist

PIPELINE_COMMANDS: Final = 500
"""So that neither side ever holds much of an answer, and no other client waits long."""
_BURST_SECONDS: Final = 0.06
"""Cells are moved in bursts that are as long, with longer pauses."""


class _Entry(NamedTuple):
    shard: int
    block: int
    text: str
    member: Member


class RedisCellStore:
    """A `CellStore` on Redis or Valkey. Immutable, shared by all threads, as its client is.

    The client brings the time-outs; its retries should be off. One of a cluster serves as well: every command's keys
    share a shard's hash tag.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def read(self, family: Family, blocks: range, wanted: Callable[[Member], bool]) -> Iterator[StoredCell]:
        """Yield the cells asked for; all of the answer comes over in at most `PIPELINE_COMMANDS` replies at a time."""
        try:
            for shard in range(self._shards()):
                moves = self._moves(shard, family)
                yield from self._read(shard, family, family, blocks, wanted)
                if family.rolled is not None:
                    yield from self._read(shard, family, family.rolled, rolled_blocks(family, blocks), wanted)
                if self._moves(shard, family) != moves:
                    time.sleep(_BURST_SECONDS)  # the keeper moves cells in bursts: read within one, they move again
                    raise CellsMoved
        except (RedisError, RedisClusterException) as error:
            raise StoreUnavailable(f"Redis did not say what is counted: {error}") from error

    def oldest(self, family: Family) -> int | None:
        """Return the first day of which nothing was moved, in any shard."""
        try:
            marks = [self._client.hget(rolled_key(shard), family.value) for shard in range(self._shards())]
        except (RedisError, RedisClusterException) as error:
            raise StoreUnavailable(f"Redis did not say since when it keeps what: {error}") from error
        return max((int(cast("bytes", mark)) for mark in marks if mark is not None), default=None)

    def _moves(self, shard: int, family: Family) -> bytes | None:
        """Return how many hashes of a family were moved; None: none was, or ever will be."""
        if family.rolled is None:
            return None
        return cast("bytes | None", self._client.hget(rolled_key(shard), moves_field(family)))

    def _read(
        self, shard: int, family: Family, kept: Kept, blocks: range, wanted: Callable[[Member], bool]
    ) -> Iterator[StoredCell]:
        for some in chunks(self._blocks_kept(shard, kept, blocks), PIPELINE_COMMANDS):
            yield from self._cells(kept, self._entries(shard, family, kept, some, wanted))

    def _shards(self) -> int:
        """Return how many shards there are; one where nobody has said."""
        return int(cast("bytes | None", self._client.get(SHARDS_KEY)) or 1)

    def _blocks_kept(self, shard: int, kept: Kept, blocks: range) -> list[int]:
        """Return the blocks of a shard that may have cells."""
        there = may_exist(self._client, [(index_key(shard, kept, block),) for block in blocks])
        return [block for block, may in zip(blocks, there, strict=True) if may]

    def _entries(
        self, shard: int, family: Family, kept: Kept, blocks: Sequence[int], wanted: Callable[[Member], bool]
    ) -> list[_Entry]:
        with self._client.pipeline(transaction=False) as pipeline:
            for block in blocks:
                pipeline.smembers(index_key(shard, kept, block))
            sets = cast("list[set[bytes]]", pipeline.execute())
        members: dict[bytes, Member | None] = {}
        entries: list[_Entry] = []
        for block, names in zip(blocks, sets, strict=True):
            for name in names:
                if name not in members:
                    member = Member.parse(family, name.decode())
                    members[name] = member if wanted(member) else None
                wanted_one = members[name]
                if wanted_one is not None:
                    entries.append(_Entry(shard, block, name.decode(), wanted_one))
        return entries

    def _cells(self, kept: Kept, entries: Sequence[_Entry]) -> Iterator[StoredCell]:
        rolled = not isinstance(kept, Family)
        for some in chunks(entries, PIPELINE_COMMANDS):
            with self._client.pipeline(transaction=False) as pipeline:
                for entry in some:
                    pipeline.hgetall(cell_key(entry.shard, kept, entry.text, entry.block))
                hashes = cast("list[dict[bytes, bytes]]", pipeline.execute())
            for entry, counts in zip(some, hashes, strict=True):
                for name, count in counts.items():
                    yield StoredCell(entry.member, entry.block, parse_field(name), int(count), rolled)
