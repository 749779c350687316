"""Events a second through the service's own keeper into its embedded Valkey, and what they cost."""

import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final, cast

import redis

from adserver.keeping.batches import TOKENS_PER_BLOCK
from adserver.processes.embedded_redis import EmbeddedRedis
from bench.events import Backlog, Readers
from bench.machine import cpu_seconds
from bench.servers import Server

EVENTS: Final = 1_000_000
ROUNDS: Final = 3
_BLOCKS: Final = 20
"""Blocks of tokens whose memory is asked for."""


@dataclass(frozen=True, slots=True)
class CountingSpeed:
    """Medians of the rounds. Immutable."""

    events_a_second: float
    keeper_micros: float
    """Processor time of the keeper an event: reading, checking, sorting, sending."""
    server_micros: float
    """Processor time of Valkey an event."""
    events_a_call: float
    """How many one call of the script brings."""
    token_bits: float
    """What a token takes in Valkey's memory, in a block that is full, its key and all."""


def measure(service: Server, data_dir: Path, readers: Readers) -> CountingSpeed:
    """Return how fast a backlog is counted while nothing else happens."""
    keeper, store = service.process("keeper"), service.process("valkey", "redis-server")
    rounds = []
    with Backlog.of(data_dir) as backlog, redis.Redis.from_url(EmbeddedRedis.of(data_dir).url) as client:
        for _ in range(ROUNDS):
            pieces = readers.events(EVENTS)
            before, calls = (cpu_seconds(keeper), cpu_seconds(store)), _calls(client)
            began = time.monotonic()
            backlog.write(pieces)
            backlog.await_counted()
            took = time.monotonic() - began
            used = cpu_seconds(keeper) - before[0], cpu_seconds(store) - before[1]
            calls = _calls(client) - calls
            rounds.append((EVENTS / took, used[0] / EVENTS * 1e6, used[1] / EVENTS * 1e6, EVENTS / max(calls, 1)))
        speed, keeper_micros, server_micros, events_a_call = (median(column) for column in zip(*rounds, strict=True))
        return CountingSpeed(speed, keeper_micros, server_micros, events_a_call, _token_bits(client))


def _calls(client: redis.Redis) -> int:
    stats = cast("dict[str, dict[str, int]]", client.info("commandstats"))
    return stats.get("cmdstat_evalsha", {}).get("calls", 0)


def _token_bits(client: redis.Redis) -> float:
    """Return the bits a token of the first blocks of an issuer, which are full."""
    keys = [key for key in client.scan_iter(match="{s*}:tok:*", count=1_000) if int(key.rpartition(b":")[2]) < _BLOCKS]
    taken = [cast("int", client.memory_usage(key, samples=0)) for key in keys[:_BLOCKS]]
    return median(taken) * 8 / TOKENS_PER_BLOCK
