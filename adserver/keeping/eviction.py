"""Counts must never be evicted: a Redis that may forget keys under memory pressure is refused."""

from typing import Final, cast

import redis
from redis.exceptions import NoPermissionError, RedisError

from adserver.domain.errors import AdserverError, StoreUnavailable
from adserver.store.link import Servers

KEEPS_ALL: Final = "noeviction"


class RedisEvicts(AdserverError):
    """The store throws keys away when its memory is full: counts would be lost without a word."""

    def __init__(self, policy: str) -> None:
        super().__init__(
            f"Redis has maxmemory-policy {policy}, so it may throw counts away: set it to {KEEPS_ALL} (redis.conf, or "
            f"CONFIG SET maxmemory-policy {KEEPS_ALL}; with a hosted Redis in its parameters)"
        )
        self.policy = policy


def refuse_eviction(servers: Servers) -> None:
    """Return if each server keeps what it is given, or does not let us ask; a full one then refuses writes.

    Asks INFO, which hosted servers allow where they forbid CONFIG. One of several that does not answer takes no counts
    either, and is asked again when it does.

    Raises:
        RedisEvicts: one does not.
        StoreUnavailable: none answered.
    """
    try:
        asked = servers()
    except RedisError as error:
        raise StoreUnavailable(f"Redis did not say whether it evicts: {error}") from error
    faults: list[RedisError] = []
    for _, server in asked:
        try:
            _refuse_eviction(server)
        except RedisError as error:
            faults.append(error)
    if len(faults) == len(asked):
        why = faults[0] if faults else "it has no server that takes writes"
        raise StoreUnavailable(f"Redis did not say whether it evicts: {why}")


def _refuse_eviction(server: redis.Redis) -> None:
    try:
        memory = cast("dict[str, object]", server.info("memory"))
    except NoPermissionError:
        return
    policy = str(memory.get("maxmemory_policy", KEEPS_ALL))
    if policy != KEEPS_ALL:
        raise RedisEvicts(policy)
