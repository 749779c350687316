"""From a flight's readers of a day to the rows of a query; pure.

Nobody knows who came on two days, or saw two flights: the salt that readers are told apart by is another each day. So
rows add up days, and flights where a query doesn't tell them apart, and the answer says so.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Final

from adserver.catalog.names import Names
from adserver.domain.ids import IdHash
from adserver.statistics.aggregate import Key
from adserver.statistics.calendar import time_labels
from adserver.statistics.dimensions import UNKNOWN_LABEL, Dimension
from adserver.statistics.filters import holds
from adserver.statistics.query import Days, Query
from adserver.statistics.reach_store import StoredReach

REACH_NOTE: Final = (
    "`reach` adds up each flight's readers of each day: who came on two days, or saw two flights, is in it twice. "
    "Readers who ask not to be followed (Sec-GPC) are not in it."
)

_EPOCH: Final = date(1970, 1, 1)


def days_since_1970(days: Days) -> range:
    """Return the numbers of calendar days."""
    return range((days.first - _EPOCH).days, (days.last - _EPOCH).days + 1)


def may_pass(query: Query, names: Names, flight: IdHash) -> bool:
    """Tell whether a query's filters may let a flight through, whatever the day."""
    return holds(query.filter, {Dimension.FLIGHT: _label(names, flight)}) is not False


def reach_by_row(query: Query, names: Names, stored: Iterable[StoredReach]) -> Mapping[Key, int]:
    """Return the sum of readers by row; `query` uses no dimension but flight and day."""
    rows: dict[Key, int] = defaultdict(int)
    for each in stored:
        day = _EPOCH + timedelta(days=each.day)
        labels = {**time_labels(day), Dimension.FLIGHT: _label(names, each.flight)}
        if holds(query.filter, labels):
            rows[tuple(labels[dimension] for dimension in query.dimensions)] += each.readers
    return rows


def _label(names: Names, flight: IdHash) -> str:
    name = names.flight(flight)
    return name.id if name else UNKNOWN_LABEL
