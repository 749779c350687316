"""How the service reaches its store: the client that all stores share, and each server behind it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from adserver.store.address import TLS_FILES, RedisAddress, Topology
from adserver.store.cluster_client import ClusterClient

CLUSTER_SHARDS: Final = 16
"""Into how many shards a new cluster's counts are cut: some for each primary of a cluster that may still grow."""
SINGLE_SHARDS: Final = 1

_CONNECT_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 5.0

Servers = Callable[[], tuple[tuple[str, redis.Redis], ...]]
"""Returns servers by name, each with a client of its own; raises `RedisError` where nobody says which there are."""


@dataclass(frozen=True, slots=True)
class RedisLink:
    """A store as all of a process reaches it. Immutable, shared by all threads. It connects at first use."""

    client: redis.Redis
    """Never sends a command twice that may have been run."""
    writers: Servers
    """Those that take counts."""
    servers: Servers
    """All of them, replicas of a cluster too."""
    new_shards: int
    """Into how many shards counts are cut where there are none yet."""


def open_link(address: RedisAddress, answer_seconds: float = ANSWER_SECONDS) -> RedisLink:
    """Return the link to the store at an address, each of whose servers has so long for an answer."""
    timeouts = {"socket_connect_timeout": _CONNECT_SECONDS, "socket_timeout": answer_seconds}
    match address.topology:
        case Topology.CLUSTER:
            cluster = ClusterClient(address.endpoints, **timeouts, **_login(address))
            return RedisLink(cluster, cluster.primaries, cluster.nodes, CLUSTER_SHARDS)
        case Topology.SENTINEL:
            return _alone(_primary_of(address, timeouts))
        case Topology.SINGLE:
            return _alone(redis.Redis.from_url(address.url, retry=_never_again(), **timeouts))


def _alone(client: redis.Redis) -> RedisLink:
    def servers() -> tuple[tuple[str, redis.Redis], ...]:
        return (("", client),)

    return RedisLink(client, servers, servers, SINGLE_SHARDS)


def _primary_of(address: RedisAddress, timeouts: dict[str, float]) -> redis.Redis:
    """Return a client of whichever server the sentinels call the primary when it connects."""
    own_login = {
        "username": address.options.get("sentinel_username"),
        "password": address.options.get("sentinel_password"),
    }
    to_servers = _login(address)
    tls = {name: value for name, value in to_servers.items() if name.startswith("ssl")}
    make: Callable[..., Any] = Sentinel  # which has no types of its own
    client: redis.Redis = make(
        address.endpoints,
        sentinel_kwargs={**timeouts, **own_login, **tls, "retry": _never_again()},
    ).master_for(address.service, db=address.database, retry=_never_again(), **timeouts, **to_servers)
    return client


def _login(address: RedisAddress) -> dict[str, Any]:
    files = {name: value for name, value in address.options.items() if name in TLS_FILES}
    return {
        "username": address.username,
        "password": address.password,
        **({"ssl": True, **files} if address.encrypted else {}),
    }


def _never_again() -> Retry:
    return Retry(NoBackoff(), 0)
