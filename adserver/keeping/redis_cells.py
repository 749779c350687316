"""What the store says of its counts, for whoever checks them: offsets, hashes of cells, and who stands in them."""

from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import Final, Protocol, cast

import redis
from redis.exceptions import RedisClusterException, RedisError

from adserver.counting.cells import SHARDS_KEY, Kept, cell_key, index_key, rolled_key, shard_tag
from adserver.domain.errors import StoreUnavailable
from adserver.domain.ids import IdHash
from adserver.keeping.recount import Fields, Spot
from adserver.store.presence import chunks, may_exist

_COMMANDS: Final = 500
"""In one round, so that neither side ever holds much of an answer."""


class CountedCells(Protocol):
    """Reads what is counted. Fails closed: an answer is whole, or `StoreUnavailable` is raised."""

    def shards(self) -> int:
        """Return N; 1 where nothing was counted yet."""

    def applied(self, shard: int) -> Mapping[str, int]:
        """Return where a shard stands in each spool, in bytes."""

    def counted(self, shard: int) -> Mapping[str, int]:
        """Return up to where each spool is counted, in bytes, those that have ended included."""

    def late(self, shard: int) -> int:
        """Return how many events were dropped, for their tokens were older than their bits are kept."""

    def gaps(self, shard: int) -> Mapping[tuple[str, int], int]:
        """Return the ranges of spools that were gone before they were counted: (spool, from) -> to."""

    def delivered(self, shard: int) -> Mapping[IdHash, int]:
        """Return the net impressions of every flight of a shard."""

    def rolled(self, shard: int) -> Mapping[str, int]:
        """Return how far, and how often, a shard's cells were moved to coarser times; see `counting.cells`."""

    def blocks(self, shard: int, family: Kept, among: range) -> Sequence[int]:
        """Return the blocks that may have cells, lowest first."""

    def members(self, shard: int, family: Kept, block: int) -> frozenset[str]:
        """Return what has cells in a block."""

    def hashes(self, spots: Sequence[Spot]) -> Iterator[Fields]:
        """Yield the counts of each hash; empty where there is none."""


class RedisCells:
    """`CountedCells` of a Redis or Valkey server or cluster. Immutable, as shareable as its client."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def shards(self) -> int:
        """Return N."""
        try:
            return int(cast("bytes | None", self._client.get(SHARDS_KEY)) or 1)
        except (RedisError, RedisClusterException) as error:
            raise _unavailable(error) from error

    def applied(self, shard: int) -> Mapping[str, int]:
        """Return where a shard stands in each spool."""
        return {field.decode(): int(offset) for field, offset in self._hash(f"{shard_tag(shard)}applied").items()}

    def counted(self, shard: int) -> Mapping[str, int]:
        """Return up to where each spool is counted."""
        applied = self.applied(shard)  # read first: a spool that ends meanwhile is then found among the ended
        ended = {field.decode(): int(offset) for field, offset in self._hash(f"{shard_tag(shard)}ended").items()}
        return {**ended, **applied}

    def late(self, shard: int) -> int:
        """Return how many events came too late."""
        return int(self._hash(f"{shard_tag(shard)}drops").get(b"late", b"0"))

    def gaps(self, shard: int) -> Mapping[tuple[str, int], int]:
        """Return the declared gaps."""
        parts = {
            field.decode().rpartition(":"): int(end) for field, end in self._hash(f"{shard_tag(shard)}gap").items()
        }
        return {(spool, int(start)): end for (spool, _, start), end in parts.items()}

    def known(self, shard: int) -> frozenset[str]:
        """Return the spools that a shard stands in, or has seen the end of."""
        return frozenset(
            field.decode() for name in ("applied", "ended") for field in self._hash(shard_tag(shard) + name)
        )

    def declare_lost(self, shard: int, spool_id: str, start: int, end: int) -> None:
        """Declare a spool that has ended as a gap, in a shard that has forgotten it; twice does no harm."""
        tag = shard_tag(shard)
        script = resources.files("adserver.keeping").joinpath("declare_lost.lua").read_text()
        try:
            self._client.eval(script, 2, f"{tag}ended", f"{tag}gap", spool_id, str(start), str(end))
        except (RedisError, RedisClusterException) as error:
            raise StoreUnavailable(f"Redis did not take a gap: {error}") from error

    def delivered(self, shard: int) -> Mapping[IdHash, int]:
        """Return the net impressions of every flight."""
        stored = self._hash(f"{shard_tag(shard)}delivered")
        return {IdHash(bytes.fromhex(field.decode())): int(count) for field, count in stored.items()}

    def rolled(self, shard: int) -> Mapping[str, int]:
        """Return how far, and how often, a shard's cells were moved."""
        return {field.decode(): int(number) for field, number in self._hash(rolled_key(shard)).items()}

    def blocks(self, shard: int, family: Kept, among: range) -> Sequence[int]:
        """Return the blocks that may have cells."""
        keys = [(index_key(shard, family, block),) for block in among]
        try:
            there = may_exist(self._client, keys)
        except (RedisError, RedisClusterException) as error:
            raise _unavailable(error) from error
        return [block for block, may in zip(among, there, strict=True) if may]

    def members(self, shard: int, family: Kept, block: int) -> frozenset[str]:
        """Return what has cells in a block."""
        try:
            names = cast("set[bytes]", self._client.smembers(index_key(shard, family, block)))
        except (RedisError, RedisClusterException) as error:
            raise _unavailable(error) from error
        return frozenset(name.decode() for name in names)

    def hashes(self, spots: Sequence[Spot]) -> Iterator[Fields]:
        """Yield the counts of each hash."""
        for some in chunks(spots, _COMMANDS):
            try:
                with self._client.pipeline(transaction=False) as pipeline:
                    for spot in some:
                        pipeline.hgetall(cell_key(spot.shard, spot.family, spot.member, spot.block))
                    stored = cast("list[dict[bytes, bytes]]", pipeline.execute())
            except (RedisError, RedisClusterException) as error:
                raise _unavailable(error) from error
            for fields in stored:
                yield {int.from_bytes(field, "big"): int(count) for field, count in fields.items()}

    def _hash(self, key: str) -> dict[bytes, bytes]:
        try:
            return cast("dict[bytes, bytes]", self._client.hgetall(key))
        except (RedisError, RedisClusterException) as error:
            raise _unavailable(error) from error


class RedisSpoolEnds:
    """Tells every shard that a spool is no more. Immutable, as shareable as its client.

    A shard remembers the spool in `{s<shard>}:ended` (spool -> end), so that archives of a spool without a folder are
    known to be counted.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def end(self, spool_id: str, end: int) -> None:
        """Remove a spool's offset from every shard; may be called again, and with less by an older copy of the spool.

        Raises:
            StoreUnavailable: a shard did not answer, or nobody says which there are: none may be left out.
        """
        try:
            shards = cast("bytes | None", self._client.get(SHARDS_KEY))
            if shards is None:
                raise StoreUnavailable("Redis does not say how its counts are cut")
            for tag in map(shard_tag, range(int(shards))):
                known = cast("bytes | None", self._client.hget(f"{tag}ended", spool_id))
                if known is None or int(known) < end:  # only the keeper of its host ends a spool
                    self._client.hset(f"{tag}ended", spool_id, str(end))
                self._client.hdel(f"{tag}applied", spool_id)
        except (RedisError, RedisClusterException) as error:
            raise StoreUnavailable(f"Redis did not take the end of a spool: {error}") from error


def _unavailable(error: Exception) -> StoreUnavailable:
    return StoreUnavailable(f"Redis did not say what is counted: {error}")
