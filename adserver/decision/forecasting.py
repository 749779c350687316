"""What a flight that is not live yet would get: past traffic asked again of the code that decides. Pure, seeded.

Others' goals, and its own, are served as their paces have it: see `replay`.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt
from operator import itemgetter
from random import Random
from typing import Final

from adserver.decision.coming_traffic import Pages, PastTraffic, Span, swings
from adserver.decision.compiled_flight import NEVER, CompiledFlight
from adserver.decision.eligibility import FIT_RULES, TARGET_RULES, first_stop
from adserver.decision.question import Question
from adserver.decision.replay import Replay
from adserver.decision.snapshot import Snapshot
from adserver.decision.traffic import HOUR_SECONDS, UNIFORM, WeekCurve
from adserver.domain.decisions import SlotRequest
from adserver.domain.ids import FlightId

OPEN_DAYS: Final = 28
"""How far a flight without an end is looked ahead."""
SAMPLES: Final = 4_000
_NINETY_PERCENT: Final = 1.645
"""Standard errors between the middle and either end of the range that holds nine of ten (normal distribution)."""

_PACED_WITHIN: Final = 0.01
"""How near to its goal, in parts of it, pacing brings a flight that can be served often enough."""


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
    pages = Pages(traffic, [slot.id for slot in drafted.slots])
    life = Span.of(starts, ends, traffic, pages, samples)
    if found.paused or not life.questions:
        return Outlook(found, starts, max(starts, ends), 0.0, 0.0, 0.0, 0.0, 0.0, {})
    course = _Course(found, drafted, live, traffic, delivered, now, rng)
    before = Span.of(now, starts, traffic, pages, samples)
    course.run(before.resized(min(samples, round(samples * before.decisions / life.decisions))), pages, rng)
    course.begin()
    course.run(life, pages, rng)
    return _outlook(course, life, starts, ends, traffic, delivered, rng)


class _Course:
    """The future with a draft, and beside it the same without. One forecast's."""

    def __init__(
        self,
        draft: CompiledFlight,
        drafted: Snapshot,
        live: Snapshot | None,
        traffic: PastTraffic,
        delivered: Mapping[FlightId, int],
        now: datetime,
        rng: Random,
    ) -> None:
        hours = {int(hour.timestamp() // HOUR_SECONDS): count for hour, count in traffic.hours.items()}
        curve = WeekCurve.of_past(hours, hours) or UNIFORM
        seen = traffic.seen or 1.0
        self.draft = draft
        self._drafted = drafted
        self.with_it = Replay(drafted, delivered, now, curve, seen, Random(rng.getrandbits(64)))  # noqa: S311 - no secret
        self.without = (
            Replay(live, delivered, now, curve, seen, Random(rng.getrandbits(64))) if live is not None else None  # noqa: S311
        )
        self.begin()

    def begin(self) -> None:
        """Count from now on."""
        self.matching = self.could_win = self.won = 0
        self.losers: Counter[FlightId | None] = Counter()
        """Who has, without it, what it wins."""
        self.others_with: Counter[FlightId | None] = Counter()
        self.others_without: Counter[FlightId | None] = Counter()

    def run(self, span: Span, pages: Pages, rng: Random) -> None:
        """Ask what is asked in a span, in the order of time."""
        portion = span.decisions / span.questions if span.questions else 0.0
        questions = [(span.moment(rng), pages.draw(rng), rng.getrandbits(64)) for _ in range(span.questions)]
        for moment, request, seed in sorted(questions, key=itemgetter(0)):
            id_ = self.draft.flight.id
            matches = self._matches(request, moment)
            self.matching += matches
            self.could_win += matches and self.with_it.would_win(id_, request, moment, seed, portion)
            winner = self.with_it.ask(request, moment, seed, portion)
            other = self.without.ask(request, moment, seed, portion) if self.without is not None else None
            self.others_with[winner] += 1
            self.others_without[other] += 1
            if winner == id_:
                self.won += 1
                self.losers[other] += 1

    def _matches(self, request: SlotRequest, moment: datetime) -> bool:
        slot = self._drafted.slot(request.slot)
        asked = None if slot is None else Question(request, slot, moment, {})
        return asked is not None and first_stop(TARGET_RULES + FIT_RULES, self.draft, asked) is None

    def taken(self) -> dict[FlightId | None, float]:
        """Return from whom it takes what it wins, in its decisions.

        A flight with a goal that loses some here is given others later: of it is taken only what it ends with less. The
        rest it takes on from those without a goal, who stand behind it.
        """
        if self.without is None:
            return dict(self.losers)
        taken: dict[FlightId | None, float] = {}
        passed_on = 0.0
        for flight, count in self.losers.items():
            is_sold = flight is not None and self.without.is_met(flight) is not None
            less = max(0, self.others_without[flight] - self.others_with[flight])
            taken[flight] = min(count, less) if is_sold else count
            passed_on += count - taken[flight]
        behind = {
            flight: count
            for flight, count in self.others_without.items()
            if flight != self.draft.flight.id and (flight is None or self.without.is_met(flight) is None)
        }
        whole = sum(behind.values())
        if not whole:
            behind, whole = {None: 1}, 1
        for flight, count in behind.items():
            if passed_on:
                taken[flight] = taken.get(flight, 0.0) + passed_on * count / whole
        return {flight: count for flight, count in taken.items() if count}


def _outlook(
    course: _Course,
    life: Span,
    starts: datetime,
    ends: datetime,
    traffic: PastTraffic,
    delivered: Mapping[FlightId, int],
    rng: Random,
) -> Outlook:
    found, samples, whole = course.draft, life.questions, life.decisions
    fewer, more = swings(traffic.hours, (ends - starts) / timedelta(days=1), rng)
    all_seen = whole * traffic.seen
    likely = all_seen * course.won / samples
    low, high = _between(all_seen, course.could_win, samples)
    low, high = low * fewer, high * more
    if found.goal is not None:
        room = max(0, found.goal - delivered.get(found.flight.id, 0))
        missed = max(0.0, room - likely - all_seen / samples)  # the last portion may be earned in part
        likely = room - missed
        low = min(low, room - min(room, max(1.0, _PACED_WITHIN * room)))
        if missed:
            low = min(low, _between(all_seen, course.won, samples)[0] * fewer)
        high = min(high, room)
    scale = likely / course.won if course.won else 0.0
    return Outlook(
        found,
        starts,
        ends,
        whole * course.matching / samples,
        whole * course.could_win / samples,
        likely,
        min(low, likely),
        max(high, likely),
        {flight: count * scale for flight, count in course.taken().items() if flight != found.flight.id},
    )


def _between(whole: float, found: int, samples: int) -> tuple[float, float]:
    """Return between what a part of the whole is nine of ten times, of which so many of the samples were found.

    Twice chance: whether the samples are like the traffic, and whether so many come of it as on average (Poisson).
    """
    share = found / samples
    error = _NINETY_PERCENT * sqrt(whole * whole * share * (1 - share) / samples + whole * share)
    return max(0.0, whole * share - error), min(whole, whole * share + error)
