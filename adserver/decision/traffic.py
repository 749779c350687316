"""The shape of a week's traffic: how much each hour has of it."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from math import floor
from typing import Final, Self

HOUR_SECONDS: Final = 3600
WEEK_HOURS: Final = 7 * 24
DAY_HOURS: Final = 24
_LEAST: Final = 0.02
"""No hour is taken for emptier than this part of the mean: a past without a reader says little about the next week."""


class WeekCurve:
    """How much traffic each hour of the week brings, in any unit. Immutable.

    Hours are counted in UTC from 1970, so that of the week is their remainder by 168; the first is a Thursday's.
    """

    __slots__ = ("_sums", "hours")

    def __init__(self, hours: Sequence[float]) -> None:
        """Take 168 numbers.

        Raises:
            ValueError: not so many, one below 0, or all 0.
        """
        if len(hours) != WEEK_HOURS or min(hours) < 0 or not any(hours):
            raise ValueError("a week has 168 hours, none with less than no traffic")
        self.hours = tuple(hours)
        self._sums = (0.0, *accumulate(hours))

    def between(self, first: float, last: float) -> float:
        """Return the traffic from one second of Unix time to another, in the unit of an hour."""
        return self._until(last) - self._until(first)

    def _until(self, second: float) -> float:
        hours = second / HOUR_SECONDS
        whole = floor(hours)
        weeks, hour = divmod(whole, WEEK_HOURS)
        return weeks * self._sums[-1] + self._sums[hour] + (hours - whole) * self.hours[hour]

    @classmethod
    def of_past(cls, counts: Mapping[int, int], hours: Iterable[int]) -> Self | None:
        """Return the shape of what was counted, or None where less than a day was watched, or nothing came.

        An hour of the week that was not watched has the mean of its hour of the day, or of all.

        Args:
            counts: by hour since 1970.
            hours: those that were watched, with traffic or without.
        """
        watched: dict[int, list[int]] = {}
        for hour in hours:
            watched.setdefault(hour % WEEK_HOURS, []).append(counts.get(hour, 0))
        seen = [count for of_hour in watched.values() for count in of_hour]
        if len(seen) < DAY_HOURS or not any(seen):
            return None
        mean = sum(seen) / len(seen)
        by_day: dict[int, list[int]] = {}
        for hour, of_hour in watched.items():
            by_day.setdefault(hour % DAY_HOURS, []).extend(of_hour)
        shape = (_mean(watched.get(hour) or by_day.get(hour % DAY_HOURS) or [mean]) for hour in range(WEEK_HOURS))
        return cls([max(_LEAST * mean, hour) for hour in shape])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


UNIFORM: Final = WeekCurve((1.0,) * WEEK_HOURS)
"""What is taken where nothing is known of the past."""
