"""Reach in Redis: sketches of the days that still have them, and numbers of those that were rolled up."""

from collections.abc import Callable, Iterator, Sequence
from typing import cast

import redis
from redis.exceptions import RedisClusterException, RedisError

from adserver.counting.cells import SHARDS_KEY, reach_index_key, reach_key, reached_key
from adserver.domain.errors import StoreUnavailable
from adserver.domain.ids import IdHash
from adserver.statistics.reach_store import StoredReach
from adserver.statistics.redis_cell_store import EXISTS_KEYS, PIPELINE_COMMANDS, chunks


class RedisReachStore:
    """A `ReachStore` on Redis or Valkey. Immutable, shared by all threads, as its client is.

    A flight's sketches are all in its shard, and each is counted alone, so that no command has keys of two slots.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def read(self, days: range, wanted: Callable[[IdHash], bool]) -> Iterator[StoredReach]:
        """Yield the readers asked for."""
        try:
            shards = int(cast("bytes | None", self._client.get(SHARDS_KEY)) or 1)
            for shard in range(shards):
                yield from self._read_shard(shard, days, wanted)
        except (RedisError, RedisClusterException) as error:
            raise StoreUnavailable(f"Redis did not say how many readers there were: {error}") from error

    def _read_shard(self, shard: int, days: range, wanted: Callable[[IdHash], bool]) -> Iterator[StoredReach]:
        for some in chunks(self._days_kept(shard, days), PIPELINE_COMMANDS // 2):
            with self._client.pipeline(transaction=False) as pipeline:
                for day in some:
                    pipeline.smembers(reach_index_key(shard, day))
                    pipeline.hgetall(reached_key(shard, day))
                replies = pipeline.execute()
            sketches: list[tuple[int, IdHash]] = []
            for place, day in enumerate(some):
                flights = {_hash(name) for name in cast("set[bytes]", replies[2 * place])}
                sketches += [(day, flight) for flight in flights if wanted(flight)]
                for name, readers in cast("dict[bytes, bytes]", replies[2 * place + 1]).items():
                    flight = _hash(name)
                    if flight not in flights and wanted(flight):
                        yield StoredReach(flight, day, int(readers))
            yield from self._count(shard, sketches)

    def _count(self, shard: int, sketches: Sequence[tuple[int, IdHash]]) -> Iterator[StoredReach]:
        for some in chunks(sketches, PIPELINE_COMMANDS):
            with self._client.pipeline(transaction=False) as pipeline:
                for day, flight in some:
                    pipeline.pfcount(reach_key(shard, day, flight))
                counts = cast("list[int]", pipeline.execute())
            for (day, flight), readers in zip(some, counts, strict=True):
                yield StoredReach(flight, day, readers)

    def _days_kept(self, shard: int, days: range) -> list[int]:
        """Return the days that may have any, in groups of `EXISTS_KEYS`: years without one cost next to nothing."""
        groups = list(chunks(days, EXISTS_KEYS))
        found: list[int] = []
        for some in chunks(groups, PIPELINE_COMMANDS):
            with self._client.pipeline(transaction=False) as pipeline:
                for group in some:
                    keys = (key for day in group for key in (reach_index_key(shard, day), reached_key(shard, day)))
                    pipeline.exists(*keys)
                counts = cast("list[int]", pipeline.execute())
            found += [day for group, count in zip(some, counts, strict=True) if count for day in group]
        return found


def _hash(name: bytes) -> IdHash:
    return IdHash(bytes.fromhex(name.decode()))
