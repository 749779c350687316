"""How long a decision takes inside a worker, by the number of flights: processor time, one thread."""

import gc
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import Final, cast

from adserver.catalog.build import build_catalog
from adserver.catalog.compiled import Compiled, encode_compiled, open_compiled
from adserver.catalog.documents import Documents, JsonObject
from adserver.catalog.file_names import COMPILED_NAME
from adserver.catalog.upload import Format, read_rules, read_slots
from adserver.counting.paces import WorkerPaces, write_pace
from adserver.decision.decide import decide
from adserver.decision.paces import ODDS_WHOLE
from adserver.decision.pacing import PaceRow, PaceTable
from adserver.decision.snapshot import Snapshot
from adserver.domain.decisions import Fill, SlotRequest
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
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        build_seconds, file_bytes = _compile(flights, gazetteer, Path(folder))
        gc.collect()
        gc.freeze()  # as a worker does once it has loaded
        swaps = []
        for _ in range(ROUNDS):
            image = open_compiled(Path(folder) / COMPILED_NAME)
            began = time.thread_time()
            snapshot = Snapshot(image)
            swaps.append((time.thread_time() - began) * 1000)
        one = partial(_decide, snapshot, _paces(snapshot, Path(folder)), datetime.now(UTC), Random(3))
        requests = [question(path, gazetteer) for path in paths(REQUESTS, Random(2))]
        cold = [_micros(one, request) for request in requests]
        warm = [_micros(one, request) for _ in range(ROUNDS) for request in requests]
    gc.unfreeze()
    return DecisionTime(
        median(warm), quantiles(warm, n=100)[98], median(cold), build_seconds, median(swaps), file_bytes / 1e6
    )


def _compile(flights: int, gazetteer: Gazetteer, folder: Path) -> tuple[float, int]:
    """Write the compiled catalog as a keeper does; return the seconds that it took to compile, and its bytes."""
    # Unchecked: a schema would take minutes at the largest size; a test has it look at these files.
    made = campaign_documents(flights, Random(1))
    files = {f"{number}.yaml": cast("JsonObject", file) for number, file in enumerate(made)}
    slots = read_slots(json.dumps(slots_document()).encode(), Format.JSON).slots
    rules = read_rules(json.dumps(rules_document()).encode(), Format.JSON).rules
    catalog = build_catalog(Documents(files, slots, rules), gazetteer)
    began = time.process_time()
    data = encode_compiled(Compiled(1, catalog))
    seconds = time.process_time() - began
    (folder / COMPILED_NAME).write_bytes(data)
    return seconds, len(data)


def _paces(snapshot: Snapshot, folder: Path) -> WorkerPaces:
    """Return the paces of a worker that was granted plenty of every flight that has a goal or a cap of its own."""
    flights = [each.flight.id for each in snapshot.counted_flights()]
    odds = Random(4)
    rows = {flight: PaceRow(odds.choice((ODDS_WHOLE, ODDS_WHOLE // 2)), is_capped=False) for flight in flights}
    write_pace(folder, PaceTable(1, rows, {"bench": dict.fromkeys(flights, REQUESTS * ROUNDS)}))
    paces = WorkerPaces(folder, lambda: "bench", lambda: 0.0)
    paces.poll()
    return paces


def _decide(snapshot: Snapshot, paces: WorkerPaces, now: datetime, chance: Random, request: SlotRequest) -> None:
    """Decide, and take a fill of what was granted, as a worker does."""
    decision = decide(request, snapshot, {}, now, chance, paces=paces)
    if decision.asked:
        paces.note(decision.asked)
        if isinstance(decision, Fill):
            paces.take(decision.flight)


def _micros(one: Callable[[SlotRequest], None], request: SlotRequest) -> float:
    began = time.thread_time_ns()
    one(request)
    return (time.thread_time_ns() - began) / 1000
