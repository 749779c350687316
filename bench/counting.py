"""Events a second through the service's own keeper into its embedded Valkey, and what they cost."""

import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from adserver.counting.records import RECORD_BYTES
from adserver.keeping.batch_size import MOST_BYTES
from bench.events import Backlog, Readers
from bench.machine import cpu_seconds
from bench.servers import Server

EVENTS: Final = 200_000
ROUNDS: Final = 3
BATCH_EVENTS: Final = MOST_BYTES // RECORD_BYTES


@dataclass(frozen=True, slots=True)
class CountingSpeed:
    """Medians of the rounds. Immutable."""

    events_a_second: float
    keeper_micros: float
    """Processor time of the keeper an event: reading, checking, sorting, sending."""
    server_micros: float
    """Processor time of Valkey an event."""


def measure(service: Server, data_dir: Path, readers: Readers) -> CountingSpeed:
    """Return how fast a backlog is counted while nothing else happens."""
    keeper, store = service.process("keeper"), service.process("valkey", "redis-server")
    rounds = []
    with Backlog.of(data_dir) as backlog:
        for _ in range(ROUNDS):
            records = readers.events(EVENTS)
            before, began = (cpu_seconds(keeper), cpu_seconds(store)), time.monotonic()
            backlog.write(records)
            backlog.await_counted()
            took = time.monotonic() - began
            used = cpu_seconds(keeper) - before[0], cpu_seconds(store) - before[1]
            rounds.append((EVENTS / took, used[0] / EVENTS * 1e6, used[1] / EVENTS * 1e6))
    return CountingSpeed(*(median(column) for column in zip(*rounds, strict=True)))
