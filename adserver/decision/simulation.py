"""A flight's life in simulated time: the decisions, the controller and the goals of production, with made readers.

Nothing here decides or paces: `decide` does and `Controller` does. What is simulated is the world around them: who
comes when, who sees what he is shown and how late, and the counting of it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from heapq import heappop, heappush
from random import Random
from typing import Final

from adserver.decision.decide import decide
from adserver.decision.paces import Pace
from adserver.decision.pacing import (
    HELD_PERIODS,
    KNOWN_PERIODS,
    PERIOD_SECONDS,
    Controller,
    Counted,
    PaceTable,
    ProcessUse,
)
from adserver.decision.plan import PacedFlight
from adserver.decision.snapshot import Snapshot
from adserver.domain.decisions import Fill, SlotRequest
from adserver.domain.ids import FlightId

DAY_SECONDS: Final = 86_400.0
LATE_PART: Final = 0.02
"""Of the views, those that come late."""
LATE_SECONDS: Final = 1_200.0
"""Their mean time."""
SOON_SECONDS: Final = 8.0
"""The mean time until a view that does not come late."""


@dataclass(frozen=True, slots=True)
class World:
    """What is simulated. Immutable."""

    snapshot: Snapshot
    flights: Sequence[PacedFlight]
    ask: Callable[[Random], SlotRequest]
    """What the next reader asks."""
    readers: Callable[[float, float], int]
    """How many come between two seconds of Unix time; called with rising ones."""
    starts: float
    ends: float
    seen_part: float = 0.6
    processes: int = 2
    step_seconds: float = 10.0


@dataclass(slots=True)
class FlightResult:
    """What became of one flight. Filled by a simulation."""

    flight: PacedFlight
    starts: float
    """When the simulation began, Unix time."""
    delivered: int = 0
    over: int = 0
    fills: int = 0
    days: list[tuple[float, int]] = field(default_factory=list)
    """At each day's end, and at the end of the flight: Unix time, and what was delivered by then."""

    @property
    def missing(self) -> int:
        """Impressions of the goal that were not delivered."""
        return max(0, (self.flight.goal or 0) - self.delivered)

    def deviations(self) -> Iterator[tuple[float, float]]:
        """Yield for each day how far the delivery was from the plan by its end, in parts of the goal."""
        for second, delivered in self.days:
            yield second, delivered / (self.flight.goal or 1) - self.flight.planned(second)


@dataclass(slots=True)
class _Process:
    """A worker: what it was granted, and what it used. One simulation's."""

    name: str
    table: PaceTable = field(default_factory=lambda: PaceTable(0, {}, {}))
    used: dict[int, Counter[FlightId]] = field(default_factory=lambda: {0: Counter()})
    asked: Counter[FlightId] = field(default_factory=Counter)

    def of(self, flight: FlightId) -> Pace | None:
        row = self.table.rows.get(flight)
        if row is None:
            return None
        granted = self.table.granted.get(self.name, {}).get(flight, 0)
        return Pace(row.odds, granted - self.used[self.table.number][flight], row.is_capped)

    def read(self, table: PaceTable) -> None:
        self.table = table
        self.used.setdefault(table.number, Counter())

    def note(self, fill: Fill) -> None:
        self.used[self.table.number][fill.flight.id] += 1

    def use(self) -> ProcessUse:
        for number in [each for each in self.used if each < self.table.number - KNOWN_PERIODS]:
            del self.used[number]
        return ProcessUse(self.name, is_alive=True, used=self.used, asked=self.asked)


@dataclass(slots=True)
class _Counts:
    """What counting does with views. One simulation's."""

    goals: Mapping[FlightId, int]
    delivered: Counter[FlightId] = field(default_factory=Counter)
    over: Counter[FlightId] = field(default_factory=Counter)
    seen: dict[int, Counter[FlightId]] = field(default_factory=lambda: defaultdict(Counter))
    late: Counter[FlightId] = field(default_factory=Counter)

    def view(self, flight: FlightId, issued: float, now: float) -> None:
        if now // PERIOD_SECONDS - issued // PERIOD_SECONDS > HELD_PERIODS:
            self.late[flight] += 1
        else:
            self.seen[int(issued // PERIOD_SECONDS)][flight] += 1
        goal = self.goals.get(flight)
        if goal is not None and self.delivered[flight] >= goal:
            self.over[flight] += 1
        else:
            self.delivered[flight] += 1


def simulate(
    world: World, seed: int, progress: Callable[[float], None] = lambda _done: None
) -> tuple[FlightResult, ...]:
    """Return what becomes of the world's flights.

    Args:
        world: what is simulated.
        seed: the same one gives the same outcome.
        progress: is told what part is done, 0 to 1.
    """
    rng = Random(seed)  # noqa: S311 - nothing secret is drawn
    ids = [flight.id for flight in world.flights]
    counts = _Counts({flight.id: flight.goal for flight in world.flights if flight.goal is not None})
    processes = [_Process(f"process-{number}") for number in range(world.processes)]
    controller = Controller()
    results = {flight.id: FlightResult(flight, world.starts) for flight in world.flights}
    views: list[tuple[float, float, FlightId]] = []
    now, day = world.starts, 0
    while now < world.ends:
        until = min(world.ends, now + world.step_seconds)
        for number in [each for each in counts.seen if each < now // PERIOD_SECONDS - KNOWN_PERIODS]:
            del counts.seen[number]
        counted = Counted({id_: counts.delivered[id_] for id_ in ids}, counts.seen, {}, counts.late)
        table = controller.step(now, world.flights, counted, [process.use() for process in processes])
        for process in processes:
            process.read(table)
        for moment in sorted(rng.uniform(now, until) for _ in range(world.readers(now, until))):
            _take_views(views, counts, moment)
            process = rng.choice(processes)
            fill = decide(
                world.ask(rng),
                world.snapshot,
                counts.delivered,
                datetime.fromtimestamp(moment, UTC),
                rng,
                paces=process,
            )
            process.asked.update(fill.asked)
            if isinstance(fill, Fill) and fill.flight.id in results:
                process.note(fill)
                results[fill.flight.id].fills += 1
                if rng.random() < world.seen_part:
                    heappush(views, (moment + _delay(rng), moment, fill.flight.id))
        _take_views(views, counts, until)
        now = until
        if now >= world.starts + (day + 1) * DAY_SECONDS or now >= world.ends:
            day += 1
            for id_, result in results.items():
                result.days.append((now, counts.delivered[id_]))
        progress((now - world.starts) / (world.ends - world.starts))
    _take_views(views, counts, float("inf"))
    for id_, result in results.items():
        result.delivered, result.over = counts.delivered[id_], counts.over[id_]
    return tuple(results.values())


def _take_views(views: list[tuple[float, float, FlightId]], counts: _Counts, until: float) -> None:
    while views and views[0][0] <= until:
        now, issued, flight = heappop(views)
        counts.view(flight, issued, now)


def _delay(rng: Random) -> float:
    """Return how long a reader takes to see a line: mostly seconds, sometimes he scrolls late."""
    return rng.expovariate(1 / (LATE_SECONDS if rng.random() < LATE_PART else SOON_SECONDS))
