"""Reach in Redis: sketches of the days that still have them, and numbers of those that were rolled up."""

from collections.abc import Callable, Iterator, Sequence
from typing import cast

import redis
from redis.exceptions import RedisClusterException, RedisError

from adserver.counting.cells import SHARDS_KEY, reach_index_key, reach_key, reached_key
from adserver.domain.errors import StoreUnavailable
from adserver.domain.ids import IdHash
from adserver.statistics.reach_store import StoredReach
from adserver.statistics.redis_cell_store import PIPELINE_COMMANDS
from adserver.store.presence import chunks, may_exist


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
                yield StoredReach(flight, day, readers or self._settled(shard, day, flight))

    def _settled(self, shard: int, day: int, flight: IdHash) -> int:
        """Return what is left of a sketch that was still listed a moment ago, and is rolled up now."""
        return int(cast("bytes | None", self._client.hget(reached_key(shard, day), flight.hex())) or 0)

    def _days_kept(self, shard: int, days: range) -> list[int]:
        """Return the days that may have any."""
        keys = [(reach_index_key(shard, day), reached_key(shard, day)) for day in days]
        return [day for day, may in zip(days, may_exist(self._client, keys), strict=True) if may]


def _hash(name: bytes) -> IdHash:
    return IdHash(bytes.fromhex(name.decode()))
