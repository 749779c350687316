"""When of the week a flight runs, by the clock on the wall of its campaign's zone. Values only, immutable."""

from dataclasses import dataclass
from typing import Final

MINUTES_A_DAY: Final = 24 * 60
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""As campaign files write them; a day's number is its place here, from 0, as in `date.weekday()`."""


@dataclass(frozen=True, slots=True)
class Hours:
    """A window of the day, on some days of the week."""

    days: frozenset[int] = frozenset(range(7))
    """Numbers of weekdays. One that runs over midnight belongs to the day on which it begins."""
    from_minute: int = 0
    """Of the day, 0 to 1439, inclusive."""
    to_minute: int = MINUTES_A_DAY
    """Of the day, 0 to 1440, exclusive; below `from_minute`: of the next day. Never equal to it."""

    def __str__(self) -> str:
        """Return the window as people write it: `mon tue, 22:00 to 02:00`."""
        days = "every day" if len(self.days) == len(WEEKDAYS) else " ".join(WEEKDAYS[day] for day in sorted(self.days))
        return f"{days}, {_clock(self.from_minute)} to {_clock(self.to_minute)}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
