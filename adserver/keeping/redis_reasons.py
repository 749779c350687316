"""Sampled reasons in Redis, as the keeper adds to them."""

from collections.abc import Mapping
from importlib import resources
from typing import Final

import redis
from redis.exceptions import RedisClusterException, RedisError

from adserver.counting.reason_cells import (
    KEPT_DAYS,
    MOST_CELLS,
    MOST_PLACED_CELLS,
    Looks,
    ReasonCell,
    encode_field,
    encode_looks,
    reasons_key,
)
from adserver.domain.errors import StoreUnavailable

_LIFE_SECONDS: Final = KEPT_DAYS * 86_400


class RedisReasonStore:
    """A `ReasonStore` on Redis or Valkey. The client's retries must be off. One thread."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._script = resources.files("adserver.keeping").joinpath("add_reasons.lua").read_text()

    def add(self, shard: int, shards: int, day: int, found: Mapping[ReasonCell, Looks]) -> None:
        """Add to the cells of a shard and a day."""
        bounds = (MOST_CELLS // shards, MOST_PLACED_CELLS // shards, _LIFE_SECONDS)
        pairs = [part for cell, looks in found.items() for part in (encode_field(cell), encode_looks(looks))]
        try:
            self._client.eval(self._script, 1, reasons_key(shard, day), *map(_argument, (*bounds, *pairs)))
        except (RedisError, RedisClusterException) as error:
            raise StoreUnavailable(f"Redis did not take sampled reasons: {error}") from error


def _argument(value: int | bytes) -> str:
    """Return an argument as the client's types have it; what is no text goes through as it is."""
    return value if isinstance(value, bytes) else str(value)  # type: ignore[return-value]  # redis-py sends bytes too
