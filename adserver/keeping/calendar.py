"""Which day it was at a slot's site."""

from datetime import UTC, date, datetime
from typing import Final

from adserver.catalog.names import Names
from adserver.counting.records import QUARTER_SECONDS
from adserver.domain.ids import IdHash

_EPOCH: Final = date(1970, 1, 1).toordinal()
_MOST_REMEMBERED: Final = 10_000


class SiteCalendar:
    """Days by slot and second, as the names tell the slot's zone. One thread."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._days: dict[tuple[IdHash, int], int] = {}

    def day(self, slot: IdHash, second: int) -> int:
        """Return the site's day at `second` (Unix time), in days since 1970; in UTC for an unknown slot."""
        quarter = second // QUARTER_SECONDS  # zones change their offset, and begin their days, at quarters
        key = (slot, quarter)
        day = self._days.get(key)
        if day is None:
            if len(self._days) >= _MOST_REMEMBERED:
                self._days.clear()
            local = datetime.fromtimestamp(quarter * QUARTER_SECONDS, UTC).astimezone(self._names.zone_at(slot, second))
            day = self._days[key] = local.date().toordinal() - _EPOCH
        return day
