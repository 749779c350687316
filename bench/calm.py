"""Whether decisions wait for what happens beside them: a backlog being counted, a revision being published."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import Final

from bench.events import Backlog, Readers
from bench.pacer import Pacer
from bench.servers import Server
from bench.world import FLIGHTS_A_CAMPAIGN, campaign_documents

A_SECOND: Final = 150
"""Calls a second of each client."""
CLIENTS: Final = 2
SECONDS: Final = 6.0
BLOCKS: Final = 4
BACKLOG_EVENTS: Final = 5_000_000
"""In all blocks together; a block with a part of it lasts until that is counted."""
PUBLISH_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Calm:
    """Milliseconds of a decision as its client sees it, the median of the blocks. Immutable."""

    p50: float
    p99: float
    calls: int


@dataclass(frozen=True, slots=True)
class Beside:
    """What decisions take beside other work, by its name, and how fast a backlog is counted beside them. Immutable."""

    calm: Mapping[str, Calm]
    replayed_a_second: float


def measure(service: Server, asked: Sequence[str], data_dir: Path, readers: Readers) -> Beside:
    """Return what decisions take: quiet, while a backlog is counted, while revisions are published; in turns."""
    blocks: dict[str, list[list[float]]] = {"quiet": [], "backlog": [], "publishing": []}
    counting_seconds: list[float] = []
    with Backlog.of(data_dir) as backlog:
        for block in range(BLOCKS):
            pieces = readers.events(BACKLOG_EVENTS // BLOCKS)
            blocks["quiet"].append(_ask(service, asked, _wait))
            began = time.monotonic()
            blocks["backlog"].append(_ask(service, asked, partial(_count, backlog, pieces)))
            counting_seconds.append(time.monotonic() - began)
            blocks["publishing"].append(_ask(service, asked, partial(_publish, service, data_dir, block)))
    calm = {name: _summary(times) for name, times in blocks.items()}
    return Beside(calm, BACKLOG_EVENTS / sum(counting_seconds))


def _ask(service: Server, asked: Sequence[str], beside: Callable[[float], None]) -> list[float]:
    """Return the milliseconds of the calls that clients make until `beside`, given its end, returns."""
    clients = [Pacer.start(service.port, asked[number::CLIENTS], A_SECOND) for number in range(CLIENTS)]
    try:
        beside(time.monotonic() + SECONDS)
    finally:
        took = [client.end() for client in clients]
    return [each for client in took for each in client]


def _wait(end: float) -> None:
    """Do nothing beside the clients: what the other rounds are held against."""
    time.sleep(max(0.0, end - time.monotonic()))


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


def _summary(blocks: Sequence[Sequence[float]]) -> Calm:
    return Calm(
        p50=median(median(block) for block in blocks),
        p99=median(quantiles(block, n=100)[98] for block in blocks),
        calls=sum(map(len, blocks)),
    )
