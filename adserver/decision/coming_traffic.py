"""What is to be expected of pages: the traffic of past weeks, as questions to draw and hours to come. Pure, seeded."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Final, Generic, TypeVar

from adserver.domain.decisions import SlotRequest
from adserver.domain.ids import SlotId, Topic
from adserver.domain.places import Place

HOURS_A_WEEK: Final = 168
_HOUR: Final = timedelta(hours=1)
_BOOTSTRAPS: Final = 400

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


class Pages:
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
        """Return a question."""
        slot = self._slots.draw(rng)
        topic = self._topics[slot].draw(rng) if slot in self._topics else None
        return SlotRequest(slot, self._places[slot].draw(rng), () if topic is None else (topic,))


@dataclass(frozen=True, slots=True)
class Span:
    """A time, and the questions that are asked of it. Immutable."""

    hours: Weighted[tuple[datetime, datetime]]
    decisions: float
    """To be expected."""
    questions: int

    @classmethod
    def of(cls, starts: datetime, ends: datetime, traffic: PastTraffic, pages: Pages, questions: int) -> "Span":
        """Return a span of which so many questions are asked; none where no traffic is to be expected."""
        hours = Weighted(_hours_ahead(traffic.hours, starts, ends))
        decisions = hours.total * pages.part
        return cls(hours, decisions, questions if decisions else 0)

    def resized(self, questions: int) -> "Span":
        """Return it with another number of questions."""
        return Span(self.hours, self.decisions, questions if self.decisions else 0)

    def moment(self, rng: Random) -> datetime:
        """Return a moment in it, as likely as readers are to come then."""
        first, last = self.hours.draw(rng)
        return first + (last - first) * rng.random()


def _hours_ahead(
    past: Mapping[datetime, int], starts: datetime, ends: datetime
) -> dict[tuple[datetime, datetime], float]:
    """Return the decisions to be expected in each hour of a span: those of the same hour of past weeks, on average.

    The span's first and last hour are cut, and count with the part of them that is in it.
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
        ahead[moment, after] = (sums[at] / times[at] if times[at] else mean) * ((after - moment) / _HOUR)
        moment = after
    return ahead


def _hour_of_week(hour: datetime) -> int:
    return hour.weekday() * 24 + hour.hour


def swings(past: Mapping[datetime, int], days: float, rng: Random) -> tuple[float, float]:
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
