"""Whether a moment is within a flight's hours, and for how long that answer holds.

A window is what the clock on the wall of the zone shows. Where clocks are put forward, what is skipped of it does not
run; where they are put back, what the clock shows twice runs twice. The ends of a window stay on the same wall time all
year, whatever that is in UTC.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from adserver.domain.hours import MINUTES_A_DAY, WEEKDAYS, Hours

_MINUTE: Final = 60


class Spell(NamedTuple):
    """Seconds of Unix time, not all there are, through which a window is open, or through which it is shut."""

    is_open: bool
    seconds: range


def is_within(hours: Hours, local: datetime) -> bool:
    """Return whether a local time is within the hours."""
    day, minute = local.weekday(), local.hour * 60 + local.minute
    if hours.from_minute < hours.to_minute:
        return day in hours.days and hours.from_minute <= minute < hours.to_minute
    if minute >= hours.from_minute:
        return day in hours.days
    return minute < hours.to_minute and (day - 1) % len(WEEKDAYS) in hours.days


def spell_at(hours: Hours, zone: ZoneInfo, second: int) -> Spell:
    """Return whether the hours are open at a second of Unix time, and around it for how long at least.

    From the minute that it is in (zones differ by whole minutes), to the next end, beginning or midnight, or to the
    moment at which the clocks are changed, whichever comes first.
    """
    local = datetime.fromtimestamp(second, zone)
    now = local.hour * 60 + local.minute
    edges = (0, hours.from_minute, hours.to_minute % MINUTES_A_DAY)
    minutes = min((edge - now - 1) % MINUTES_A_DAY + 1 for edge in edges)
    first = second - second % _MINUTE
    last = first + minutes * _MINUTE
    return Spell(is_within(hours, local), range(first, _clocks_changed(zone, second, last) or last))


def _clocks_changed(zone: ZoneInfo, second: int, until: int) -> int | None:
    """Return the second after this one, up to `until`, from which on the zone's clocks are others, or None."""
    offset = _offset(zone, second)
    if _offset(zone, until) == offset:
        return None
    before, after = second, until
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(zone, middle) == offset:
            before = middle
        else:
            after = middle
    return after


def _offset(zone: ZoneInfo, second: int) -> timedelta | None:
    return datetime.fromtimestamp(second, zone).utcoffset()


class Window(NamedTuple):
    """Hours and the zone whose clock they are on: what flights share that are sold alike."""

    zone: str
    hours: Hours


class Windows:
    """The windows of a compiled catalog, by number from 1. Shared by all threads.

    Immutable, but for the spell that each was last found in, which one assignment replaces.
    """

    __slots__ = ("_last", "_windows")

    def __init__(self, windows: tuple[Window, ...]) -> None:
        self._windows = tuple((hours, ZoneInfo(zone)) for zone, hours in windows)
        self._last = [Spell(is_open=False, seconds=range(0)) for _ in windows]

    def spell(self, number: int, second: int) -> Spell:
        """Return whether a window is open at a second of Unix time, and for how long that holds at least."""
        spell = self._last[number - 1]
        if second not in spell.seconds:
            hours, zone = self._windows[number - 1]
            spell = self._last[number - 1] = spell_at(hours, zone, second)
        return spell
