"""What there is to know of a set-up, as `examination` gathers it and `doctor` judges it: data only."""

from collections.abc import Mapping
from dataclasses import dataclass

from adserver.alerts.book import NO_BOOK, Book
from adserver.keeping.cached_embeds_file import CachedEmbeds
from adserver.keeping.keeper_state import KeeperState


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """The data folder. Immutable."""

    path: str
    writable: bool
    filesystem: str | None
    """As the system names its type; None: it does not tell."""
    free_bytes: int | None
    keeps_locks: bool | None
    """Whether a lock held by one descriptor keeps another out; None: could not be tried."""
    open_to_others: tuple[str, ...]
    """Files with secrets that others than the owner may read or write."""


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """The service on this folder. Immutable."""

    running: bool
    """Whether a supervisor or a worker is at work."""
    keepers: tuple[int, ...] | None
    """The pids that hold the keeper's lock open; None: the system does not tell."""
    keeper: KeeperState | None
    snapshot: str | None
    """Why the compiled catalog cannot be read; None: it can, or there is none yet."""
    published: bool
    """Whether there is a compiled catalog."""
    shards: int | None
    """Into how many shards this host's spools are cut; None: not told."""
    dropped_events: int
    cached_embeds: CachedEmbeds
    """What the keeper found of cached markup."""
    untrusted_proxies: int
    """Requests with forwarding headers from near-by addresses that no setting names."""
    alerts: Book = NO_BOOK
    """What is remembered of alerts."""


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What one server of the store says of itself. Immutable."""

    name: str
    """Its host:port in a cluster; empty where the setting names one server."""
    version: str
    eviction_policy: str | None
    """None: it does not tell."""
    maxmemory_bytes: int
    """0: no limit."""
    used_bytes: int
    aof: bool | None
    aof_failing: bool
    replica: bool
    """Whether it is one where none can be: outside a cluster."""
    clock_ahead_seconds: float
    """Of this host's clock; negative: behind it."""


@dataclass(frozen=True, slots=True)
class RedisFacts:
    """What the store says. Immutable."""

    servers: tuple[ServerFacts, ...]
    """Those that answer."""
    silent: tuple[str, ...]
    """Names of those of a cluster that do not."""
    shards: int
    """Into how many shards it counts, or would count where there is nothing yet."""
    drops: Mapping[str, int]
    """Events that could not be counted, by cause."""
    gap_bytes: int
    """What was gone from the spools before it was counted."""


@dataclass(frozen=True, slots=True)
class ReaderPlacesFacts:
    """The file that tells where readers are. Immutable."""

    fault: str | None
    """Why it cannot be read; None: it can."""
    built: float
    """Unix time; 0 where it cannot be read."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a diagnosis is made from. Immutable."""

    embedded_redis: bool
    remote_redis: bool
    encrypted_redis: bool
    public_url: bool
    trusted_proxies: bool
    unknown_settings: tuple[str, ...]
    """Names in the environment that look like settings and are none."""
    folder: FolderFacts | None
    """None: there is no data folder yet."""
    service: ServiceFacts
    redis: RedisFacts | None
    """None: it does not answer."""
    redis_fault: str
    """Why not."""
    campaigns: str | None
    """How the campaigns folder differs from what is live, or what is wrong with it; None: it does not."""
    now: float
    """Unix time."""
    reader_places: ReaderPlacesFacts | None = None
    """None: none is set."""
