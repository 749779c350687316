"""What is said of a query that asks for finer times than old cells have; pure."""

from datetime import date, timedelta
from typing import Final

from adserver.counting.cells import Family
from adserver.domain.errors import Fault
from adserver.statistics.dimensions import Dimension
from adserver.statistics.query import Query

_EPOCH: Final = date(1970, 1, 1)


def finer_than_kept(query: Query, family: Family, oldest: int | None) -> Fault:
    """Return what is wrong with a query, and from which day on it can be asked.

    `oldest` is the first day of the site, since 1970, of which nothing was moved.
    """
    # Days of another zone lie beside the site's.
    number = (oldest or 0) + (query.timezone is not None)
    since = (_EPOCH + timedelta(days=number)).isoformat()
    if family is Family.HOURS:
        if Dimension.HOUR in query.used:
            message = f"hours are kept from {since} on, and what is older by the site's day: ask from that day on"
            return Fault(query.path_of(Dimension.HOUR), f"{message}, or leave `{Dimension.HOUR}` out")
        message = f"hours of another zone are kept from {since} on, and what is older by the site's own day"
        return Fault("timezone", f"{message}: leave `timezone` out, or ask from that day on")
    message = f"places are kept by the day from {since} on, and what is older by the month: ask from that day on"
    finer = [dimension for dimension in (Dimension.DAY, Dimension.WEEK) if dimension in query.used]
    path = query.path_of(finer[0]) if finer else "date_range"
    return Fault(path, f"{message}, or for whole months by `{Dimension.MONTH}` or none")
