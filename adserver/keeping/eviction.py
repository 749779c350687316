"""Counts must never be evicted: a Redis that may forget keys under memory pressure is refused."""

from typing import Final, cast

import redis
from redis.exceptions import NoPermissionError, RedisError

from adserver.domain.errors import AdserverError, StoreUnavailable

KEEPS_ALL: Final = "noeviction"


class RedisEvicts(AdserverError):
    """The store throws keys away when its memory is full: counts would be lost without a word."""

    def __init__(self, policy: str) -> None:
        super().__init__(
            f"Redis has maxmemory-policy {policy}, so it may throw counts away: set it to {KEEPS_ALL} (redis.conf, or "
            f"CONFIG SET maxmemory-policy {KEEPS_ALL}; with a hosted Redis in its parameters)"
        )
        self.policy = policy


def refuse_eviction(client: redis.Redis) -> None:
    """Return if the store keeps what it is given, or does not let us ask; a full one then refuses writes.

    Asks INFO, which hosted servers allow where they forbid CONFIG.

    Raises:
        RedisEvicts: it does not.
        StoreUnavailable: it did not answer.
    """
    try:
        memory = cast("dict[str, object]", client.info("memory"))
    except NoPermissionError:
        return
    except RedisError as error:
        raise StoreUnavailable(f"Redis did not say whether it evicts: {error}") from error
    policy = str(memory.get("maxmemory_policy", KEEPS_ALL))
    if policy != KEEPS_ALL:
        raise RedisEvicts(policy)
