"""Where audited cells stand once they were moved to coarser times; pure."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from adserver.counting.cells import Family, Kept, Rolled
from adserver.counting.coarser import FIRST_DAY, SiteDay, coarser_time, first_day_of, month_of
from adserver.keeping.recount import Fields, Spot

_UNROLLED: Final = {family.rolled: family for family in Family if family.rolled is not None}
_WEEK: Final = 7
_DAY_HOURS: Final = 24


class Moved:
    """Knows what may have been moved in a store. Immutable."""

    def __init__(self, marks: Mapping[int, Mapping[str, int]], site_day: SiteDay) -> None:
        """Take, by shard and family, the first day of which nothing was moved, and the days of sites."""
        self._marks = marks
        self._site_day = site_day

    def may_hold(self, spot: Spot) -> bool:
        """Tell whether cells of a hash may have been moved, or stand beside some that were."""
        mark = self._marks[spot.shard].get(spot.family.value, 0)
        return isinstance(spot.family, Family) and first_day(spot.family, spot.block, 0) - 1 < mark

    def place_of(self, spot: Spot, offset: int) -> tuple[Spot, int]:
        """Return where a cell is moved to; where it stands if it never is."""
        family = spot.family
        if not isinstance(family, Family) or family.rolled is None:
            return spot, offset
        rolled = family.rolled
        time = coarser_time(family, spot.member, spot.block * family.block_size + offset, self._site_day)
        block, at = divmod(time, rolled.block_size)
        return replace(spot, family=rolled, block=block), at

    def carried(self, spot: Spot, fields: Fields) -> Iterator[tuple[Spot, int, int]]:
        """Yield the counts of a hash as they would be moved: where to, the number of the field there, the count."""
        for number, count in fields.items():
            to, offset = self.place_of(spot, number >> 10)
            yield to, offset << 10 | number & 0x3FF, count


def counted_as(kept: Kept) -> Family:
    """Return the family whose cells these are."""
    return kept if isinstance(kept, Family) else _UNROLLED[kept]


def blocks_until(kept: Kept, today: int) -> range:
    """Return every block that can have cells."""
    last = today + 3
    match kept:
        case Family.HOURS:
            return range(FIRST_DAY * _DAY_HOURS // kept.block_size, last * _DAY_HOURS // kept.block_size + 1)
        case Rolled.MONTHS:
            return range(month_of(FIRST_DAY) // kept.block_size, month_of(last) // kept.block_size + 1)
        case _:
            return range(FIRST_DAY // kept.block_size, last // kept.block_size + 1)


def first_day(kept: Kept, block: int, offset: int) -> int:
    """Return the day since 1970 that a cell is of, or begins with."""
    time = block * kept.block_size + offset
    match kept:
        case Family.HOURS:
            return time // _DAY_HOURS
        case Rolled.MONTHS:
            return first_day_of(time)
        case _:
            return time


def is_over(kept: Kept, block: int, day: int) -> bool:
    """Tell whether no decision after a day (UTC) counts in a block: sites are at most a day ahead or behind.

    What was moved is over a week later: then so is every hash that it may come from.
    """
    end = first_day(kept, block + 1, 0)
    match kept:
        case Family.HOURS:
            return (block + 1) * kept.block_size <= (day + 1) * _DAY_HOURS
        case Rolled.DAYS | Rolled.MONTHS:
            return end + _WEEK < day
        case _:
            return end < day
