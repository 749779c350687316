"""How long a decision takes inside a worker, by the number of flights: processor time, one thread."""

import gc
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from statistics import median, quantiles
from typing import Final, cast

from adserver.catalog.build import build_catalog
from adserver.catalog.documents import Documents, JsonObject
from adserver.catalog.upload import Format, read_rules, read_slots
from adserver.decision.compiling import compile_catalog
from adserver.decision.decide import decide
from adserver.decision.snapshot import Snapshot
from adserver.domain.decisions import SlotRequest
from adserver.places.gazetteer import Gazetteer
from bench.events import question
from bench.world import campaign_documents, paths, rules_document, slots_document

SIZES: Final = (10, 1_000, 10_000, 100_000)
REQUESTS: Final = 2_000
ROUNDS: Final = 5


@dataclass(frozen=True, slots=True)
class DecisionTime:
    """Microseconds of processor time. Immutable."""

    median: float
    """Of the requests, each once a round, after a first."""
    p99: float
    cold: float
    """Median of each request's first: its lists are looked up."""
    build_seconds: float
    """To compile the catalog, once a revision and host."""
    swap_ms: float
    """Milliseconds of the interpreter's time to take up what was compiled, once a revision and worker."""
    file_mb: float
    """Size of what was compiled, once a host, in MB of 10**6 bytes."""


def measure(gazetteer: Gazetteer) -> Mapping[int, DecisionTime]:
    """Return the time of a decision at each size."""
    return {flights: _measure(flights, gazetteer) for flights in SIZES}


def _measure(flights: int, gazetteer: Gazetteer) -> DecisionTime:
    # Unchecked: a schema would take minutes at the largest size; a test has it look at these files.
    made = campaign_documents(flights, Random(1))
    files = {f"{number}.yaml": cast("JsonObject", file) for number, file in enumerate(made)}
    slots = read_slots(json.dumps(slots_document()).encode(), Format.JSON).slots
    rules = read_rules(json.dumps(rules_document()).encode(), Format.JSON).rules
    catalog = build_catalog(Documents(files, slots, rules), gazetteer)
    began = time.process_time()
    image = compile_catalog(catalog, 1)
    build_seconds = time.process_time() - began
    del made, files, catalog
    gc.collect()
    swaps = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        snapshot = Snapshot(memoryview(image))
        swaps.append((time.thread_time() - began) * 1000)
    requests = [question(path, gazetteer) for path in paths(REQUESTS, Random(2))]
    now, chance = datetime.now(UTC), Random(3)

    def one(request: SlotRequest) -> None:
        decide(request, snapshot, {}, now, chance)

    cold = [_micros(one, request) for request in requests]
    warm = [_micros(one, request) for _ in range(ROUNDS) for request in requests]
    return DecisionTime(
        median(warm), quantiles(warm, n=100)[98], median(cold), build_seconds, median(swaps), len(image) / 1e6
    )


def _micros(one: Callable[[SlotRequest], None], request: SlotRequest) -> float:
    began = time.thread_time_ns()
    one(request)
    return (time.thread_time_ns() - began) / 1000
