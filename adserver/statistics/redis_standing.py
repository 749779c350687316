"""How the counts in Redis stand: what was declared lost there, and how far this host is behind."""

from collections.abc import Callable
from typing import cast

import redis
from redis.exceptions import RedisClusterException, RedisError

from adserver.counting.cells import SHARDS_KEY, shard_tag
from adserver.counting.losses import DROPS_PART, GAPS_PART, Losses
from adserver.domain.errors import StoreUnavailable
from adserver.statistics.standing import CountStanding


class RedisStanding:
    """A `StandingSource` on Redis or Valkey. Immutable, shared by all threads, as its client is."""

    def __init__(self, client: redis.Redis, backlog: Callable[[], tuple[int, float]]) -> None:
        """Take a client, and what tells this host's uncounted bytes and since how many seconds there are any."""
        self._client = client
        self._backlog = backlog

    def read(self) -> CountStanding:
        """Return how they stand."""
        return CountStanding(read_losses(self._client), *self._backlog())


def read_losses(client: redis.Redis) -> Losses:
    """Return what was declared lost in all shards.

    Raises:
        StoreUnavailable: Redis did not answer.
    """
    try:
        losses = Losses()
        for shard in range(int(cast("bytes | None", client.get(SHARDS_KEY)) or 1)):
            drops = cast("dict[bytes, bytes]", client.hgetall(f"{shard_tag(shard)}{DROPS_PART}"))
            losses = losses.plus(drops, client.hlen(f"{shard_tag(shard)}{GAPS_PART}"))
    except (RedisError, RedisClusterException) as error:
        raise StoreUnavailable(f"Redis did not say what is not counted: {error}") from error
    return losses
