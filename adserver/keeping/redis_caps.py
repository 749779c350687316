"""How much a flight had delivered when a day or an hour began, in Redis.

{s<shard>}:capped:<second at which the window began>     hash: flight in hex -> net impressions then; 3 days
"""

from typing import Final, cast

import redis
from redis.exceptions import RedisError

from adserver.counting.cells import shard_tag
from adserver.domain.errors import StoreUnavailable
from adserver.keeping.caps import CappedFlight

_KEPT_SECONDS: Final = 3 * 86_400


class RedisCapStore:
    """A `CapStore` on a Redis or Valkey server. One thread."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def base(self, flight: CappedFlight, window: int, delivered: int) -> int:
        """Return what was delivered when the first host asked for a window."""
        key, field = f"{shard_tag(flight.shard)}capped:{window}", flight.hash.hex()
        try:
            self._client.hsetnx(key, field, str(delivered))
            self._client.expire(key, _KEPT_SECONDS)
            stored = cast("bytes | None", self._client.hget(key, field))
        except RedisError as error:
            raise StoreUnavailable(f"Redis did not say what a cap counts from: {error}") from error
        return delivered if stored is None else int(stored)
