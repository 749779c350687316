"""When a cell was: from hours and days since 1970 to the days of a zone, and their labels."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from adserver.counting.cells import Family, Kept, Rolled
from adserver.counting.coarser import first_day_of
from adserver.domain.ids import IdHash
from adserver.statistics.dimensions import Dimension
from adserver.statistics.query import FIRST_DAY, Days, Query, days_of

_EPOCH: Final = date(1970, 1, 1)
_HOUR_SECONDS: Final = 3600
_DAY_SECONDS: Final = 86_400
_AHEAD: Final = timedelta(hours=14)
"""The zone furthest ahead of UTC; none is as far behind."""

ZoneAt = Callable[[IdHash, int], ZoneInfo]
"""(slot, second of Unix time) -> the zone of its site then."""


class Moment(NamedTuple):
    """When a cell was. Immutable."""

    second: int
    """Unix time within it."""
    day: date
    """In the zone that the query is answered in."""
    labels: Mapping[Dimension, str]
    """Those that hold for all of it."""
    whole: bool = True
    """Whether all of it is asked for."""


def time_labels(day: date, time: str | None = None) -> dict[Dimension, str]:
    """Return the labels of a day and, where an hour is meant, of its time such as `08:00:00`."""
    labels = {
        Dimension.DAY: day.isoformat(),
        Dimension.WEEK: (day - timedelta(days=day.weekday())).isoformat(),
        Dimension.MONTH: day.replace(day=1).isoformat(),
    }
    if time is not None:
        labels[Dimension.HOUR] = f"{day.isoformat()} {time}"
    return labels


class Calendar:
    """Tells when cells were, for one query at one moment. One thread, one query.

    Hours are kept in UTC and told in the query's zone, else in the slot's site's own. An hour belongs to the day in
    which it begins; that matters only in zones whose offset is no whole hour. Days are kept as the site's own. What was
    moved to a coarser time has the labels, and lies within the days asked for, as far as that holds for all of it.
    """

    def __init__(self, query: Query, now: datetime, zone_at: ZoneAt) -> None:
        self._query = query
        self._now = now
        self._zone_at = zone_at
        self._hours: dict[tuple[str, int], Moment] = {}
        self._days: dict[int, Moment] = {}
        self._ranges: dict[str, Days] = {}

    def days(self, zone: ZoneInfo) -> Days:
        """Return the days asked for, as they are in a zone now."""
        days = self._ranges.get(zone.key)
        if days is None:
            days = self._ranges[zone.key] = days_of(self._query.date_range, self._now.astimezone(zone).date())
        return days

    def blocks(self, family: Family) -> range:
        """Return the blocks that hold every cell asked for, whatever its zone, and a few besides."""
        earliest = days_of(self._query.date_range, (self._now - _AHEAD).date()).first
        latest = days_of(self._query.date_range, (self._now + _AHEAD).date()).last
        first = (max(earliest, FIRST_DAY) - _EPOCH).days - 1
        last = (min(latest, (self._now + _AHEAD).date()) - _EPOCH).days + 1
        units = 24 if family is Family.HOURS else 1
        return range(first * units // family.block_size, ((last + 1) * units - 1) // family.block_size + 1)

    def moment(self, kept: Kept, time: int, slot: IdHash) -> Moment | None:
        """Return when a cell was, `time` hours, days or months since 1970 at a slot; None: that is not asked for."""
        match kept:
            case Rolled.DAYS:
                return self._rolled_day(time, slot)
            case Rolled.MONTHS:
                return self._rolled_month(time, slot)
            case _:
                return self._exact(kept, time, slot)

    def _exact(self, family: Family, time: int, slot: IdHash) -> Moment | None:
        second = time * _HOUR_SECONDS if family is Family.HOURS else time * _DAY_SECONDS + _DAY_SECONDS // 2
        zone = self._query.timezone or self._zone_at(slot, second)
        moment = self._hour(time, zone) if family is Family.HOURS else self._day(time)
        return moment if moment.day in self.days(zone) else None

    def _hour(self, hour: int, zone: ZoneInfo) -> Moment:
        moment = self._hours.get((zone.key, hour))
        if moment is None:
            second = hour * _HOUR_SECONDS
            local = datetime.fromtimestamp(second, UTC).astimezone(zone)
            labels = time_labels(local.date(), f"{local:%H:%M:%S}")
            moment = self._hours[zone.key, hour] = Moment(second, local.date(), labels)
        return moment

    def _day(self, number: int) -> Moment:
        moment = self._days.get(number)
        if moment is None:
            day = _EPOCH + timedelta(days=number)
            second = number * _DAY_SECONDS + _DAY_SECONDS // 2
            moment = self._days[number] = Moment(second, day, time_labels(day))
        return moment

    def _rolled_day(self, number: int, slot: IdHash) -> Moment | None:
        """Return when a day of a site was; in another zone it lies somewhere in the days around it."""
        second = number * _DAY_SECONDS + _DAY_SECONDS // 2
        own = self._zone_at(slot, second)
        zone = self._query.timezone or own
        around = 0 if zone.key == own.key else 1
        return self._span(number - around, number + around, second, zone)

    def _rolled_month(self, number: int, slot: IdHash) -> Moment | None:
        first, last = first_day_of(number), first_day_of(number + 1) - 1
        second = (first + last) // 2 * _DAY_SECONDS + _DAY_SECONDS // 2
        return self._span(first, last, second, self._query.timezone or self._zone_at(slot, second))

    def _span(self, first: int, last: int, second: int, zone: ZoneInfo) -> Moment | None:
        """Return what holds for all days from `first` to `last`; None where none of them is asked for."""
        one, other = _EPOCH + timedelta(days=first), _EPOCH + timedelta(days=last)
        asked = self.days(zone)
        if other < asked.first or one > asked.last:
            return None
        labels = dict(time_labels(one).items() & time_labels(other).items())
        return Moment(second, one, labels, whole=one in asked and other in asked)
