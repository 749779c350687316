"""From the times that cells are first kept by to the coarser ones that old cells are moved to; pure."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from adserver.counting.cells import Family, Rolled, parse_member
from adserver.domain.ids import IdHash

FIRST_DAY: Final = 18_262
"""2020-01-01, since 1970: nothing was counted before."""
HOUR_SECONDS: Final = 3600

_EPOCH: Final = date(1970, 1, 1)
_DAY_HOURS: Final = 24
_AHEAD_HOURS: Final = 14
"""Of the zone furthest ahead of UTC; none is as far behind."""
_MONTHS: Final = 12

SiteDay = Callable[[IdHash, int], int]
"""(slot, second of Unix time) -> the day of its site then, since 1970."""


def month_of(day: int) -> int:
    """Return the month of a day, both since 1970."""
    when = _EPOCH + timedelta(days=day)
    return (when.year - _EPOCH.year) * _MONTHS + when.month - 1


def first_day_of(month: int) -> int:
    """Return the first day of a month, both since 1970."""
    return (date(_EPOCH.year + month // _MONTHS, month % _MONTHS + 1, 1) - _EPOCH).days


def coarser_time(family: Family, member: str, time: int, site_day: SiteDay) -> int:
    """Return the day or month of the site, since 1970, that a cell of an hour or day since 1970 is moved to.

    An hour goes to the day in which it begins, as it is told in answers; that matters only in zones whose offset is no
    whole hour.
    """
    if family is Family.HOURS:
        return site_day(parse_member(member)[2], time * HOUR_SECONDS)
    return month_of(time)


def oldest_kept(family: Family, day: int) -> int:
    """Return the first day, since 1970, all of whose cells stay as they are when what is before `day` may be moved.

    Places are moved by whole months.
    """
    return day if family is Family.HOURS else first_day_of(month_of(day))


def blocks_before(family: Family, first: int, day: int) -> range:
    """Return the blocks all of whose cells are of days of the site from `first` on and before `day`, in any zone."""
    if family is Family.HOURS:
        return range(_block(family, first * _DAY_HOURS), _block(family, day * _DAY_HOURS - _AHEAD_HOURS))
    return range(_block(family, first), _block(family, day))


def rolled_blocks(family: Family, blocks: range) -> range:
    """Return the blocks to which cells of a family's `blocks` are moved, in any zone, and a few besides."""
    rolled = family.rolled
    if rolled is None or not blocks:
        return range(0)
    first, last = blocks.start * family.block_size, blocks.stop * family.block_size - 1
    if rolled is Rolled.DAYS:
        first, last = first // _DAY_HOURS - 1, last // _DAY_HOURS + 1
    else:
        first, last = month_of(first), month_of(last)
    return range(first // rolled.block_size, last // rolled.block_size + 1)


def _block(family: Family, time: int) -> int:
    return time // family.block_size
