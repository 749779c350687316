"""Sampled reasons in Redis, as statistics read them."""

from collections.abc import Iterator
from typing import cast

import redis
from redis.exceptions import RedisClusterException, RedisError

from adserver.counting.cells import SHARDS_KEY
from adserver.counting.reason_cells import Looks, ReasonCell, decode_field, decode_looks, reasons_key
from adserver.counting.shards import shard_of
from adserver.domain.errors import StoreUnavailable
from adserver.domain.ids import IdHash


class RedisReasons:
    """`SampledReasons` of Redis or Valkey. Immutable, shared by all threads, as its client is."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def read(self, flight: IdHash, day: int) -> Iterator[tuple[ReasonCell, Looks]]:
        """Yield the cells of a flight; a day's hash is bounded, and read whole."""
        try:
            shards = int(cast("bytes | None", self._client.get(SHARDS_KEY)) or 1)
            stored = cast("dict[bytes, bytes]", self._client.hgetall(reasons_key(shard_of(flight, shards), day)))
        except (RedisError, RedisClusterException) as error:
            raise StoreUnavailable(f"Redis did not say what stopped a flight: {error}") from error
        for name, value in stored.items():
            cell = decode_field(name)
            if cell is not None and cell.flight == flight:
                yield cell, decode_looks(int(value))
