"""The address of the store: one server, a cluster, or a primary that sentinels name. Pure."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

TAKES: Final = (
    "redis://host:port/db, unix:///path, redis+cluster://host:port,host:port or "
    "redis+sentinel://host:port,host:port/service; rediss in place of redis encrypts"
)
"""Completes "it takes …"."""

TLS_FILES: Final = frozenset({"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"})
"""What may follow a `?` where several hosts are named and rediss encrypts: paths of PEM files."""
SENTINEL_LOGIN: Final = frozenset({"sentinel_username", "sentinel_password"})
"""What may follow a `?` in the address of sentinels: their own login, which is not the servers'."""

_REDIS_PORT: Final = 6379
_SENTINEL_PORT: Final = 26379
_DATABASE: Final = re.compile(r"(/[0-9]*)?")
_HOST_AND_PORT: Final = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")
_PARTS: Final = re.compile(r"[^:]+://([^/?#\s]*)([^?#\s]*)(?:\?([^#\s]*))?")
_SERVICE: Final = re.compile(r"/([A-Za-z0-9._-]+)(?:/([0-9]{1,3}))?")


class Topology(StrEnum):
    """How the store is made up."""

    SINGLE = "single"
    CLUSTER = "cluster"
    SENTINEL = "sentinel"


class Endpoint(NamedTuple):
    """Where a server listens."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """A store's address, read. Immutable; its repr shows no secret."""

    topology: Topology
    url: str = field(repr=False)
    """As it was given."""
    endpoints: tuple[Endpoint, ...] = ()
    """Of the server, of some nodes of the cluster, or of the sentinels; empty: a socket on this host."""
    encrypted: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    service: str = ""
    """What the sentinels call the primary."""
    database: int = 0
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Of `TLS_FILES` and `SENTINEL_LOGIN`."""

    @property
    def is_remote(self) -> bool:
        """Whether a host that it names is another than this one."""
        return any(not _is_loopback(endpoint.host) for endpoint in self.endpoints)


def parse_address(text: str) -> RedisAddress:
    """Read an address.

    Raises:
        ValueError: it is none; the words never hold a part of the password.
    """
    scheme = text.partition("://")[0].lower()
    match scheme:
        case "redis" | "rediss" | "unix":
            return _single(scheme, text)
        case "redis+cluster" | "rediss+cluster":
            return _cluster(scheme, text)
        case "redis+sentinel" | "rediss+sentinel":
            return _sentinel(scheme, text)
    raise ValueError("not an address of a Redis")


def _single(scheme: str, text: str) -> RedisAddress:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:  # the library's own words may hold a part of the password
        raise ValueError("not an address, or its port is none") from None
    if scheme == "unix":
        if parts.netloc.rpartition("@")[2] or not parts.path.startswith("/"):
            raise ValueError("a unix:// address needs an absolute path")
        return RedisAddress(Topology.SINGLE, text)
    if not parts.hostname or port == 0 or not _DATABASE.fullmatch(parts.path):
        raise ValueError("the address lacks its host, its port is 0, or its database is no number")
    return RedisAddress(
        Topology.SINGLE, text, (Endpoint(parts.hostname, port or _REDIS_PORT),), encrypted=scheme == "rediss"
    )


def _cluster(scheme: str, text: str) -> RedisAddress:
    hosts, path, _ = _parts(text)
    if path not in ("", "/"):
        raise ValueError("a cluster has no databases, so no path follows its hosts")
    return _several(scheme, text, Topology.CLUSTER, _endpoints(hosts, _REDIS_PORT), frozenset())


def _sentinel(scheme: str, text: str) -> RedisAddress:
    hosts, path, _ = _parts(text)
    named = _SERVICE.fullmatch(path)
    if named is None:
        raise ValueError("after the sentinels' hosts comes /service, what they call the primary, and /db if need be")
    address = _several(scheme, text, Topology.SENTINEL, _endpoints(hosts, _SENTINEL_PORT), SENTINEL_LOGIN)
    return replace(address, service=named[1], database=int(named[2] or 0))


def _several(
    scheme: str, text: str, topology: Topology, endpoints: tuple[Endpoint, ...], options: frozenset[str]
) -> RedisAddress:
    """Return the address of several hosts with one login; beside `options` rediss takes its files."""
    hosts, _, query = _parts(text)
    username, password = _login(hosts)
    encrypted = scheme.startswith("rediss+")
    return RedisAddress(
        topology,
        text,
        endpoints,
        encrypted=encrypted,
        username=username,
        password=password,
        options=_options(query, options | (TLS_FILES if encrypted else frozenset())),
    )


def _parts(text: str) -> tuple[str, str, str]:
    """Return hosts (with the login before them), path and query; the library reads one host only."""
    read = _PARTS.fullmatch(text)
    if read is None:
        raise ValueError("a blank cannot stand in an address, and a # in a password is written %23")
    return read[1], read[2], read[3] or ""


def _login(hosts: str) -> tuple[str | None, str | None]:
    login, has_login, _ = hosts.rpartition("@")
    if not has_login:
        return None, None
    username, _, password = login.partition(":")
    return unquote(username) or None, unquote(password) or None


def _endpoints(hosts: str, default_port: int) -> tuple[Endpoint, ...]:
    endpoints: list[Endpoint] = []
    for number, text in enumerate(hosts.rpartition("@")[2].split(","), start=1):
        read = _HOST_AND_PORT.fullmatch(text)
        port = int(read[2] or default_port) if read else 0
        if read is None or not 1 <= port <= 65535:
            raise ValueError(f"host {number} of the address is no host:port")
        endpoints.append(Endpoint(read[1].strip("[]"), port))
    return tuple(endpoints)


def _options(query: str, known: frozenset[str]) -> dict[str, str]:
    options: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in known or name in options or not value:
            taken = f"only {', '.join(sorted(known))} may follow a ?, once each" if known else "nothing may follow a ?"
            raise ValueError(f"in this address {taken}")
        options[name] = value
    return options


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
