"""What is wrong with a set-up, and how to mend it. Pure: facts in, findings out; `examination` gathers the facts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from adserver.keeping.eviction import KEEPS_ALL
from adserver.processes.facts import Facts, RedisFacts, ServerFacts

LEAST_REDIS: Final = (7, 0)
"""Older ones lack what the script of the counts calls."""
LITTLE_ROOM_BYTES: Final = 1 << 30
NO_ROOM_BYTES: Final = 100 << 20
CLOCK_OFF_SECONDS: Final = 5.0
CLOCK_WRONG_SECONDS: Final = 300.0
BEHIND_SECONDS: Final = 30.0
NEARLY_FULL: Final = 0.9

NETWORK_FILESYSTEMS: Final = frozenset(
    {
        *("9p", "afs", "beegfs", "ceph", "cifs", "coda", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4"),
        *("ocfs2", "pvfs2", "smb2", "smb3", "smbfs", "vboxsf", "virtiofs"),
        *("fuse.ceph", "fuse.gcsfuse", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"),
    }
)
"""Where locks, renames and synced bytes are another machine's to keep, or not."""

MEMORY_FILESYSTEMS: Final = frozenset({"ramfs", "tmpfs"})


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    """Counts or pages are at risk now."""
    WARNING = "warning"
    """Mend it before it becomes an error."""
    INFO = "info"
    """Good to know."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at. Immutable."""

    code: str
    """Always the same for the same thing."""
    severity: Severity
    problem: str
    remedy: str


def diagnose(facts: Facts) -> tuple[Finding, ...]:
    """Return what is to be looked at, the worst first."""
    order = list(Severity)
    findings = [finding for check in _CHECKS for finding in check(facts)]
    return tuple(sorted(findings, key=lambda finding: order.index(finding.severity)))


def _check_folder(facts: Facts) -> Iterator[Finding]:
    folder = facts.folder
    if folder is None:
        yield Finding("data_dir_missing", Severity.INFO, "there is no data folder yet", "adserver serve makes it")
        return
    if not folder.writable:
        yield Finding(
            "data_dir_readonly",
            Severity.ERROR,
            f"{folder.path} cannot be written by this user: every event is dropped",
            "give the folder to the service's user, and run doctor as that user",
        )
    if folder.keeps_locks is False:
        yield Finding(
            "data_dir_locks",
            Severity.ERROR,
            f"{folder.path} is on a file system that does not keep locks: two services could count the same events",
            "set ADSERVER_DATA_DIR to a folder on a local disk",
        )
    if folder.open_to_others:
        yield Finding(
            "secrets_readable",
            Severity.ERROR,
            f"others than the owner may read {', '.join(folder.open_to_others)}",
            f"chmod go-rwx {' '.join(folder.open_to_others)}; if others did, remove admin-token, then start again",
        )


def _check_disk(facts: Facts) -> Iterator[Finding]:
    folder = facts.folder
    if folder is None:
        return
    if folder.filesystem in NETWORK_FILESYSTEMS:
        yield Finding(
            "data_dir_network",
            Severity.ERROR,
            f"{folder.path} is on a network disk ({folder.filesystem}): an event may be lost, or a page wait for it",
            "set ADSERVER_DATA_DIR to a folder on a local disk; one host, one folder",
        )
    if folder.filesystem in MEMORY_FILESYSTEMS:
        yield Finding(
            "data_dir_memory",
            Severity.WARNING,
            f"{folder.path} is kept in memory ({folder.filesystem}): a restart of the host loses all that is in it",
            "set ADSERVER_DATA_DIR to a folder on a local disk",
        )
    if folder.free_bytes is not None and folder.free_bytes < LITTLE_ROOM_BYTES:
        none = folder.free_bytes < NO_ROOM_BYTES
        yield Finding(
            "disk_space",
            Severity.ERROR if none else Severity.WARNING,
            f"{folder.free_bytes >> 20} MiB are left on the data folder's disk; a full one drops events",
            "make room, or move the data folder to a larger disk",
        )


def _check_settings(facts: Facts) -> Iterator[Finding]:
    if not facts.public_url:
        yield Finding(
            "public_url_unset",
            Severity.WARNING,
            "links and beacons name the host of each request, which a proxy may have changed",
            "set ADSERVER_PUBLIC_URL to the address that readers' browsers reach",
        )
    if facts.remote_redis and not facts.encrypted_redis:
        yield Finding(
            "redis_plain",
            Severity.INFO,
            "the way to Redis is not encrypted",
            "where others share the network, use rediss:// in ADSERVER_REDIS_URL",
        )
    if facts.service.untrusted_proxies:
        named = "that ADSERVER_TRUSTED_PROXIES does not name" if facts.trusted_proxies else "and none is trusted"
        yield Finding(
            "proxies_untrusted",
            Severity.WARNING,
            f"{facts.service.untrusted_proxies} requests came with X-Forwarded-For from an address near by, {named}: "
            "readers' networks and https are not seen",
            "set ADSERVER_TRUSTED_PROXIES to your proxy's address, such as 127.0.0.1 or 10.0.0.0/8",
        )
    if facts.campaigns is not None:
        yield Finding(
            "campaigns_differ",
            Severity.WARNING,
            facts.campaigns,
            "adserver plan shows the changes, adserver push publishes them",
        )


def _check_keeper(facts: Facts) -> Iterator[Finding]:
    service, keeper = facts.service, facts.service.keeper
    if service.keepers is not None and len(service.keepers) > 1:
        pids = ", ".join(map(str, service.keepers))
        yield Finding(
            "two_keepers",
            Severity.ERROR,
            f"several processes are the keeper of this folder (pid {pids})",
            "end all services on this folder and start one; the folder must be on a local disk",
        )
    if not service.running:
        yield Finding(
            "service_stopped", Severity.INFO, "no service is at work on this data folder", "adserver serve starts it"
        )
        return
    if service.keepers == () or (service.keepers is None and keeper is None):
        yield Finding(
            "keeper_absent",
            Severity.ERROR,
            "no keeper is at work: events are kept on disk, and not counted",
            "look at what the service printed; adserver serve starts a keeper and keeps it alive",
        )
    elif keeper is None or keeper.is_stale(facts.now):
        silent = "never said anything" if keeper is None else f"has been silent for {facts.now - keeper.at:.0f} s"
        yield Finding(
            "keeper_silent",
            Severity.ERROR,
            f"the keeper {silent}: events are kept on disk, and not counted",
            "look at its log and at the disk; ended by its pid, it is started again",
        )
    elif not keeper.redis:
        yield Finding(
            "not_counting",
            Severity.ERROR,
            f"events are kept on disk, and not counted: {keeper.trouble}",
            "mend what it says; the keeper then goes on by itself, and nothing is lost",
        )
    elif keeper.catalog_fault:
        yield Finding(
            "catalog_stuck",
            Severity.ERROR,
            f"the live revision cannot be served on this host: {keeper.catalog_fault}",
            "mend what it says; the keeper then goes on by itself",
        )


def _check_counts(facts: Facts) -> Iterator[Finding]:
    keeper = facts.service.keeper
    if facts.service.running and keeper is not None and keeper.lag_seconds(facts.now) > BEHIND_SECONDS:
        yield Finding(
            "backlog",
            Severity.WARNING,
            f"the counts are {keeper.lag_seconds(facts.now):.0f} s behind ({keeper.backlog_bytes // 64} events)",
            "they catch up by themselves once Redis answers; if not, Redis or the disk is too slow",
        )
    if facts.service.dropped_events:
        yield Finding(
            "dropped",
            Severity.WARNING,
            f"{facts.service.dropped_events} events were answered and could not be written, ever",
            "they are lost; make sure that the data folder's disk has room and works",
        )
    if facts.redis is not None and facts.redis.gap_bytes:
        yield Finding(
            "gaps",
            Severity.WARNING,
            f"up to {facts.redis.gap_bytes // 64} events were gone from the spools before they were counted",
            "statistics lack them; keep the data folder's spools until the counts hold what is in them",
        )
    drops = {} if facts.redis is None else facts.redis.drops
    for cause, count in sorted(drops.items()):
        if count:
            yield Finding(
                f"dropped_{cause}",
                Severity.WARNING,
                f"{count} {_DROP_CAUSES.get(cause, f'events were not counted: {cause}')}",
                "statistics lack them; if it happens again, look at the disk and at how long counting was away",
            )


def _check_snapshot(facts: Facts) -> Iterator[Finding]:
    if facts.service.snapshot is not None:
        yield Finding(
            "snapshot_unreadable",
            Severity.ERROR,
            f"the compiled catalog cannot be read: {facts.service.snapshot}",
            "remove catalog.snapshot from the data folder; the keeper writes it anew at its next start",
        )
    elif facts.service.running and not facts.service.published:
        yield Finding(
            "nothing_published",
            Severity.ERROR,
            "nothing is published on this host: every slot stays empty",
            "adserver validate, then adserver push",
        )


def _check_redis(facts: Facts) -> Iterator[Finding]:
    if facts.redis is None:
        if facts.service.running or not facts.embedded_redis:
            yield Finding(
                "redis_away",
                Severity.ERROR,
                f"Redis does not answer: {facts.redis_fault}",
                "start it, or mend ADSERVER_REDIS_URL; pages go on, and counts catch up",
            )
        return
    for server in facts.redis.servers:
        yield from _check_server(server)
    yield from _check_cluster(facts.redis)
    if facts.service.shards not in (None, facts.redis.shards):
        yield Finding(
            "shards_differ",
            Severity.ERROR,
            f"this data folder counts in {facts.service.shards} shards, Redis in {facts.redis.shards}: they belong "
            "to different set-ups, and nothing is counted",
            "give the service the Redis that it had, or a new data folder; docs/operating.md says how to move counts",
        )


def _check_cluster(redis: RedisFacts) -> Iterator[Finding]:
    if redis.silent:
        yield Finding(
            "redis_node_away",
            Severity.WARNING,
            f"nodes of the cluster do not answer: {', '.join(redis.silent)}",
            "start them; until then what they hold has a copy less, or waits",
        )


def _check_server(server: ServerFacts) -> Iterator[Finding]:
    for finding in (*_check_set_up(server), *_check_memory(server), *_check_clock(server)):
        yield replace(finding, problem=f"{server.name}: {finding.problem}") if server.name else finding


def _check_clock(server: ServerFacts) -> Iterator[Finding]:
    off = abs(server.clock_ahead_seconds)
    if off > CLOCK_OFF_SECONDS:
        way = "ahead of" if server.clock_ahead_seconds > 0 else "behind"
        yield Finding(
            "clock",
            Severity.ERROR if off > CLOCK_WRONG_SECONDS else Severity.WARNING,
            f"the clock of Redis is {off:.0f} s {way} this host's: events may count in the wrong hour, or not at all",
            "set both by NTP (timedatectl set-ntp true)",
        )


def _check_set_up(server: ServerFacts) -> Iterator[Finding]:
    version = _version(server.version)
    if version and version < LEAST_REDIS:  # one that forbids INFO has none
        least = ".".join(map(str, LEAST_REDIS))
        yield Finding(
            "redis_old",
            Severity.ERROR,
            f"Redis {server.version} is older than {least}",
            f"use Redis {least} or newer, or Valkey",
        )
    if server.aof is False:
        yield Finding(
            "redis_no_aof",
            Severity.WARNING,
            "Redis keeps no append-only file: after its crash the counts fall back, and only what the spools still "
            "hold is counted again",
            "set appendonly yes, appendfsync everysec",
        )
    if server.aof_failing:
        yield Finding(
            "redis_aof_failing",
            Severity.ERROR,
            "Redis cannot write its append-only file",
            "look at its log; its disk is full or fails",
        )
    if server.replica:
        yield Finding(
            "redis_replica",
            Severity.ERROR,
            "ADSERVER_REDIS_URL names a replica, which takes no counts",
            "name the primary",
        )


def _check_memory(server: ServerFacts) -> Iterator[Finding]:
    if server.eviction_policy is None:
        yield Finding(
            "redis_eviction_unknown",
            Severity.WARNING,
            "Redis does not tell whether it may throw keys away",
            f"make sure that its maxmemory-policy is {KEEPS_ALL}, or allow INFO",
        )
    elif server.eviction_policy != KEEPS_ALL:
        yield Finding(
            "redis_evicts",
            Severity.ERROR,
            f"Redis may throw counts away (maxmemory-policy {server.eviction_policy}), so nothing is counted into it",
            f"set maxmemory-policy {KEEPS_ALL}: in redis.conf and by CONFIG SET, or in a hosted Redis's parameters",
        )
    if server.maxmemory_bytes and server.used_bytes > NEARLY_FULL * server.maxmemory_bytes:
        yield Finding(
            "redis_memory",
            Severity.WARNING,
            f"Redis uses {server.used_bytes >> 20} MiB of {server.maxmemory_bytes >> 20} MiB; "
            "a full one takes no counts",
            "raise maxmemory",
        )


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2] if part.isdigit())


_DROP_CAUSES: Final = {
    "late": "events came too late to be told from those counted before",
    "corrupt": "records of the spools were damaged",
}

_CHECKS: Final[tuple[Callable[[Facts], Iterator[Finding]], ...]] = (
    _check_folder,
    _check_disk,
    _check_redis,
    _check_keeper,
    _check_snapshot,
    _check_counts,
    _check_settings,
)
