"""What a flight that is not live yet would get: past traffic asked again of the code that decides. Pure, seeded."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from math import sqrt
from random import Random
from typing import Final, Generic, TypeVar

from adserver.decision.compiled_flight import NEVER, CompiledFlight
from adserver.decision.decide import decide
from adserver.decision.eligibility import FIT_RULES, TARGET_RULES, first_stop
from adserver.decision.question import Question
from adserver.decision.snapshot import Snapshot
from adserver.domain.decisions import Fill, SlotRequest
from adserver.domain.ids import FlightId, SlotId, Topic
from adserver.domain.places import Place

OPEN_DAYS: Final = 28
"""How far a flight without an end is looked ahead."""
SAMPLES: Final = 4_000
HOURS_A_WEEK: Final = 168
_HOUR: Final = timedelta(hours=1)
_BOOTSTRAPS: Final = 400
_NINETY_PERCENT: Final = 1.645
"""Standard errors between the middle and either end of the range that holds nine of ten (normal distribution)."""

_Thing = TypeVar("_Thing")


@dataclass(frozen=True, slots=True)
class PastTraffic:
    """What pages asked on past days. Immutable."""

    places: Mapping[tuple[SlotId, Place | None], int]
    """Decisions by slot and place."""
    topics: Mapping[tuple[SlotId, Topic | None], int]
    """Decisions by slot and first topic."""
    hours: Mapping[datetime, int]
    """Decisions by the hour, aware UTC, in which they began; every hour of the days that are looked at."""
    seen: float
    """Impressions a fill, 0 to 1."""

    @property
    def decisions(self) -> int:
        """All decisions of those days."""
        return sum(self.hours.values())


@dataclass(frozen=True, slots=True)
class Outlook:
    """What one flight of a draft would get until it ends. Immutable."""

    flight: CompiledFlight
    starts: datetime
    """Aware UTC; now, where it may begin at once."""
    ends: datetime
    """Aware UTC; where it has no end, as far as was looked ahead."""
    matching: float
    """Decisions that it could be shown in, as far as slot, place, topic, hours and length go."""
    wins: float
    """Decisions that it would win, were its goal without a limit."""
    impressions: float
    """Net impressions that are likely, never more than the goal."""
    low: float
    """Nine of ten times it is between `low` and `high`."""
    high: float
    takes_from: Mapping[FlightId | None, float]
    """Impressions that others would have had, by flight; None: of slots that would have stayed empty."""


class Weighted(Generic[_Thing]):
    """Things drawn by their weights. Immutable."""

    def __init__(self, weights: Mapping[_Thing, float]) -> None:
        self._things = tuple(weights)
        self._bounds = tuple(accumulate(weights.values()))

    @property
    def total(self) -> float:
        """All weights together."""
        return self._bounds[-1] if self._bounds else 0

    def draw(self, rng: Random) -> _Thing:
        """Return one of the things; there must be one that weighs something."""
        return self._things[min(bisect_right(self._bounds, rng.random() * self.total), len(self._things) - 1)]


class _Pages:
    """Draws questions as pages asked them. Immutable."""

    def __init__(self, traffic: PastTraffic, slots: Sequence[SlotId]) -> None:
        by_slot: dict[SlotId, dict[Place | None, float]] = {}
        for (slot, place), count in traffic.places.items():
            if slot in slots and count > 0:
                by_slot.setdefault(slot, {})[place] = count
        topics: dict[SlotId, dict[Topic | None, float]] = {}
        for (slot, topic), count in traffic.topics.items():
            if count > 0:
                topics.setdefault(slot, {})[topic] = count
        self._places = {slot: Weighted(places) for slot, places in by_slot.items()}
        self._topics = {slot: Weighted(words) for slot, words in topics.items()}
        self._slots = Weighted({slot: places.total for slot, places in self._places.items()})
        every = sum(traffic.places.values())
        self.part = self._slots.total / every if every else 0.0
        """Of all decisions, those in slots that the catalog has."""

    def draw(self, rng: Random) -> SlotRequest:
        slot = self._slots.draw(rng)
        topic = self._topics[slot].draw(rng) if slot in self._topics else None
        return SlotRequest(slot, self._places[slot].draw(rng), () if topic is None else (topic,))


def forecast(
    flight: FlightId,
    drafted: Snapshot,
    live: Snapshot | None,
    traffic: PastTraffic,
    delivered: Mapping[FlightId, int],
    now: datetime,
    rng: Random,
    samples: int = SAMPLES,
) -> Outlook:
    """Return what a flight of a draft would get.

    Args:
        flight: one of `drafted`.
        drafted: what would be live with the draft.
        live: what is live without it; None: nothing.
        traffic: what pages asked lately.
        delivered: net impressions by flight, now.
        now: aware.
        rng: seeded, for the same answer again.
        samples: how many questions are asked anew.

    Raises:
        KeyError: the draft has no such flight.
    """
    found = drafted.flight(flight)
    if found is None:
        raise KeyError(flight)
    starts = max(now, found.starts)
    ends = found.ends if found.ends < NEVER else starts + timedelta(days=OPEN_DAYS)
    hours = Weighted(_hours_ahead(traffic.hours, starts, ends))
    pages = _Pages(traffic, [slot.id for slot in drafted.slots])
    whole = hours.total * pages.part
    if found.paused or not whole:
        return Outlook(found, starts, max(starts, ends), 0.0, 0.0, 0.0, 0.0, 0.0, {})
    matching = wins = 0
    losers: Counter[FlightId | None] = Counter()
    for _ in range(samples):
        request, moment, seed = pages.draw(rng), hours.draw(rng), rng.getrandbits(64)
        slot = drafted.slot(request.slot)
        if slot is None or first_stop(TARGET_RULES + FIT_RULES, found, Question(request, slot, moment, {})) is not None:
            continue
        matching += 1
        decision = decide(request, drafted, delivered, moment, Random(seed))  # noqa: S311 - draws a sponsor, no secret
        if isinstance(decision, Fill) and decision.flight.id == flight:
            wins += 1
            losers[_winner(request, live, delivered, moment, seed)] += 1
    share = wins / samples
    likely = whole * share * traffic.seen
    error = _NINETY_PERCENT * sqrt(share * (1 - share) / samples)
    fewer, more = _swings(traffic.hours, (ends - starts) / timedelta(days=1), rng)
    low = whole * max(0.0, share - error) * traffic.seen * fewer
    high = whole * min(1.0, share + error) * traffic.seen * more
    room = float("inf") if found.goal is None else max(0, found.goal - delivered.get(flight, 0))
    scale = min(likely, room) / wins if wins else 0.0
    return Outlook(
        found,
        starts,
        ends,
        whole * matching / samples,
        whole * share,
        min(likely, room),
        min(low, room),
        min(high, room),
        {loser: count * scale for loser, count in losers.items() if loser != flight},
    )


def _winner(
    request: SlotRequest, live: Snapshot | None, delivered: Mapping[FlightId, int], moment: datetime, seed: int
) -> FlightId | None:
    if live is None:
        return None
    decision = decide(request, live, delivered, moment, Random(seed))  # noqa: S311 - draws a sponsor, no secret
    return decision.flight.id if isinstance(decision, Fill) else None


def _hours_ahead(past: Mapping[datetime, int], starts: datetime, ends: datetime) -> dict[datetime, float]:
    """Return the decisions to be expected in each hour of a span: those of the same hour of past weeks, on average.

    The span's first and last hour count with the part of them that is in it.
    """
    sums, times = [0.0] * HOURS_A_WEEK, [0] * HOURS_A_WEEK
    for hour, count in past.items():
        sums[_hour_of_week(hour)] += count
        times[_hour_of_week(hour)] += 1
    mean = sum(sums) / max(1, sum(times))
    ahead = {}
    moment = starts
    while moment < ends:
        after = min(ends, moment.replace(minute=0, second=0, microsecond=0) + _HOUR)
        at = _hour_of_week(moment)
        ahead[moment] = (sums[at] / times[at] if times[at] else mean) * ((after - moment) / _HOUR)
        moment = after
    return ahead


def _hour_of_week(hour: datetime) -> int:
    return hour.weekday() * 24 + hour.hour


def _swings(past: Mapping[datetime, int], days: float, rng: Random) -> tuple[float, float]:
    """Return by what the traffic of so many days may fall short of the average, and surpass it, nine of ten times.

    Whole days are drawn from those of the past, again and again (a bootstrap).
    """
    by_day: Counter[datetime] = Counter()
    for hour, count in past.items():
        by_day[hour.replace(hour=0)] += count
    known = list(by_day.values())
    mean = sum(known) / len(known) if known else 0.0
    if not mean:
        return 1.0, 1.0
    drawn = max(1, min(round(days), 366))
    ratios = sorted(sum(rng.choices(known, k=drawn)) / (mean * drawn) for _ in range(_BOOTSTRAPS))
    return ratios[_BOOTSTRAPS // 20], ratios[-_BOOTSTRAPS // 20]
