"""What may be wrong with Redis: its set-up, its memory, its clock, a node of a cluster. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from adserver.keeping.eviction import KEEPS_ALL
from adserver.processes.facts import Facts, RedisFacts, ServerFacts
from adserver.processes.findings import Finding, Severity

LEAST_REDIS: Final = (7, 0)
"""Older ones lack what the script of the counts calls."""
CLOCK_OFF_SECONDS: Final = 5.0
CLOCK_WRONG_SECONDS: Final = 300.0
NEARLY_FULL: Final = 0.9


def check_redis(facts: Facts) -> Iterator[Finding]:
    """Find what is wrong with the store."""
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
