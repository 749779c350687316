"""The readers of a simulation: made along a day's curve, or as the last four weeks had them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import exp, pi, sin
from random import Random
from typing import Final, TypeVar

from adserver.decision.snapshot import Snapshot
from adserver.decision.traffic import DAY_HOURS, WEEK_HOURS, WeekCurve
from adserver.domain.decisions import SlotRequest
from adserver.domain.errors import Fault, InputRefused
from adserver.domain.ids import PlaceId, SlotId, Topic
from adserver.domain.places import Place
from adserver.places.gazetteer import Gazetteer
from adserver.runtime.pacing import Past

_MANY: Final = 200.0
"""From so many on, how many come is drawn from the normal distribution, which is then as good and much quicker."""

BY_DAY: Final = WeekCurve([1 + 0.9 * sin((hour - 9) / DAY_HOURS * 2 * pi) for hour in range(WEEK_HOURS)])
"""Nineteen times as many readers at three in the afternoon as at three at night."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Who comes, and what they ask. Immutable."""

    a_day: float
    """Decisions of all slots, in the mean."""
    curve: WeekCurve
    slots: Mapping[SlotId, float]
    """How much of them each slot has."""
    places: Sequence[tuple[Place | None, float]]
    topics: Sequence[tuple[Topic | None, float]]
    """What pages name, and how often."""

    def asker(self) -> Callable[[Random], SlotRequest]:
        """Return what makes a reader's question; slot, place and topic are drawn each for itself."""
        slot, place, topic = _drawing(tuple(self.slots.items())), _drawing(self.places), _drawing(self.topics)

        def ask(rng: Random) -> SlotRequest:
            named = topic(rng)
            return SlotRequest(slot(rng), place(rng), () if named is None else (named,))

        return ask

    def readers(self, seed: int, change: float, middle: float) -> Callable[[float, float], int]:
        """Return who comes between two seconds, by chance; from the middle on `change` times as many."""
        rng = Random(seed)  # noqa: S311 - nothing secret is drawn
        a_week = self.curve.between(0, WEEK_HOURS * 3600)

        def come(first: float, last: float) -> int:
            mean = self.curve.between(first, last) / a_week * 7 * self.a_day * (change if first >= middle else 1)
            return _poisson(mean, rng)

        return come


def made_traffic(snapshot: Snapshot, a_day: float, places: Sequence[Place | None]) -> Traffic:
    """Return made traffic: each slot has as much, and pages name what flights are sold for, or nothing."""
    topics: list[tuple[Topic | None, float]] = [(None, 1.0), *((topic, 1.0) for topic in sorted(snapshot.topics))]
    named = [(place, 1.0) for place in places]
    return Traffic(a_day, BY_DAY, {slot.id: 1.0 for slot in snapshot.slots}, named, topics)


def recorded_traffic(snapshot: Snapshot, past: Past, gazetteer: Gazetteer) -> Traffic:
    """Return traffic as the last four weeks had it, for the slots that there are.

    Raises:
        InputRefused: less than a day of it was counted.
    """
    slots = {slot.id: float(sum(past.slots.get(slot.id, {}).values())) for slot in snapshot.slots}
    by_hour: Counter[int] = Counter()
    for slot in slots:
        by_hour.update(past.slots.get(slot, {}))
    watched = range(min(by_hour, default=past.hours.stop), past.hours.stop)
    curve = WeekCurve.of_past(by_hour, watched)
    if curve is None:
        raise InputRefused((Fault("", "less than a day of traffic was counted; leave --recorded out to make some"),))
    places = [(gazetteer.get(PlaceId(place)), float(count)) for place, count in past.places.items()]
    known: list[tuple[Topic | None, float]] = [
        (Topic(topic) if topic in snapshot.topics else None, float(count)) for topic, count in past.topics.items()
    ]
    return Traffic(curve.between(0, WEEK_HOURS * 3600) / 7, curve, slots, places, known)


_T = TypeVar("_T")


def _drawing(weighted: Sequence[tuple[_T, float]]) -> Callable[[Random], _T]:
    values, sums = [value for value, _ in weighted], list(accumulate(weight for _, weight in weighted))
    return lambda rng: rng.choices(values, cum_weights=sums)[0]


def _poisson(mean: float, rng: Random) -> int:
    """Return how many come where so many do in the mean, each by himself."""
    if mean > _MANY:
        return max(0, round(rng.gauss(mean, mean**0.5)))
    least, product, count = exp(-mean), rng.random(), 0
    while product > least:
        product *= rng.random()
        count += 1
    return count
