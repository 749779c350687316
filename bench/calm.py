"""Whether decisions wait for what happens beside them: a backlog being counted, a revision being published."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import Final

from adserver.processes.background import processor_of
from bench.events import Backlog, Readers
from bench.http_speed import THREADS, WORKERS
from bench.pacer import Pacer
from bench.servers import Server, floor
from bench.world import FLIGHTS_A_CAMPAIGN, campaign_documents

A_SECOND: Final = 150
"""Calls a second of each client."""
CLIENTS: Final = 2
SECONDS: Final = 3.0
BLOCKS: Final = 10
BACKLOG_EVENTS: Final = 5_000_000
"""In all blocks together; a block with a part of it lasts until that is counted."""
PUBLISH_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Calm:
    """Milliseconds of a decision as its client sees it, the median of the blocks. Immutable."""

    p50: float
    p99: float
    moved: float
    """p99 as a part of that of the quiet block just before: 0.1 is a tenth more; the median of the blocks."""
    hello_p99: float
    """Of a Flask hello that knows nothing of the service, asked in the same moments."""
    hello_moved: float
    calls: int


@dataclass(frozen=True, slots=True)
class Beside:
    """What decisions take beside other work, by its name, and how fast a backlog is counted beside them. Immutable."""

    calm: Mapping[str, Calm]
    replayed_a_second: float


def measure(service: Server, asked: Sequence[str], data_dir: Path, readers: Readers, body_bytes: int) -> Beside:
    """Return what decisions take: quiet, while a backlog is counted, while revisions are published; in turns."""
    blocks: dict[str, list[_Block]] = {"quiet": [], "backlog": [], "publishing": []}
    counting_seconds: list[float] = []
    with Backlog.of(data_dir) as backlog, floor("hello", WORKERS, THREADS, body_bytes) as hello:
        clients = _Clients(service, asked, hello, _elsewhere(data_dir))
        clients.ask(partial(_publish, service, data_dir, BLOCKS))  # the first starts a process that the others find
        for block in range(BLOCKS):
            pieces = readers.events(BACKLOG_EVENTS // BLOCKS)
            blocks["quiet"].append(clients.ask(_wait))
            began = time.monotonic()
            blocks["backlog"].append(clients.ask(partial(_count, backlog, pieces)))
            counting_seconds.append(time.monotonic() - began)
            blocks["publishing"].append(clients.ask(partial(_publish, service, data_dir, block)))
    calm = {name: _summary(each, blocks["quiet"]) for name, each in blocks.items()}
    return Beside(calm, BACKLOG_EVENTS / sum(counting_seconds))


@dataclass(frozen=True, slots=True)
class _Block:
    """What the calls of one block took, in milliseconds. Immutable."""

    ours: Sequence[float]
    hello: Sequence[float]


@dataclass(frozen=True, slots=True)
class _Clients:
    """Who asks the service, and at the same time Flask's hello. Immutable."""

    service: Server
    asked: Sequence[str]
    hello: Server
    processors: AbstractSet[int]
    """Where they run."""

    def ask(self, beside: Callable[[float], None]) -> _Block:
        """Return the calls that are made until `beside`, given its end, returns."""
        of_hello = Pacer.start(self.hello.port, ["/"], A_SECOND, self.processors)
        of_ours = [
            Pacer.start(self.service.port, self.asked[at::CLIENTS], A_SECOND, self.processors) for at in range(CLIENTS)
        ]
        try:
            beside(time.monotonic() + SECONDS)
        finally:
            took, hello_took = [client.end() for client in of_ours], of_hello.end()
        return _Block([each for client in took for each in client], hello_took)


def _elsewhere(data_dir: Path) -> AbstractSet[int]:
    """Return the processors for the clients, which stand for other machines: what they wait for is the service alone.

    So they are kept off that of what works behind the pages, and off no other.
    """
    processors = os.sched_getaffinity(0)
    return processors - {processor_of(data_dir, sorted(processors))} or processors


def _wait(end: float) -> None:
    """Do nothing beside the clients: what the other rounds are held against."""
    time.sleep(max(0.0, end - time.monotonic()))  # the block lasts so long, with nothing beside it


def _count(backlog: Backlog, pieces: Sequence[bytes], _end: float) -> None:
    backlog.write(pieces)
    backlog.await_counted()


def _publish(service: Server, data_dir: Path, block: int, end: float) -> None:
    token = (data_dir / "admin-token").read_text().strip()
    number = 0
    while time.monotonic() < end:
        (changed,) = campaign_documents(FLIGHTS_A_CAMPAIGN, Random(100 * block + number + 10))
        status, body = service.call("/v1/campaigns", changed, {"Authorization": f"Bearer {token}"})
        if status != 200:
            raise RuntimeError(f"publishing was answered with {status}: {body.decode(errors='replace')}")
        number += 1
        time.sleep(PUBLISH_SECONDS)  # the load that is measured: so often somebody publishes


def _summary(blocks: Sequence[_Block], quiet: Sequence[_Block]) -> Calm:
    ours, hello = [_p99(block.ours) for block in blocks], [_p99(block.hello) for block in blocks]
    return Calm(
        p50=median(median(block.ours) for block in blocks),
        p99=median(ours),
        moved=median(p99 / _p99(block.ours) - 1 for p99, block in zip(ours, quiet, strict=True)),
        hello_p99=median(hello),
        hello_moved=median(p99 / _p99(block.hello) - 1 for p99, block in zip(hello, quiet, strict=True)),
        calls=sum(len(block.ours) for block in blocks),
    )


def _p99(took: Sequence[float]) -> float:
    return quantiles(took, n=100)[98]
