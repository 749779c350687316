"""A question about the counts, read and checked. Values only, all immutable; `parsing` makes them."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

from adserver.statistics.dimensions import TIME_DIMENSIONS, Dimension
from adserver.statistics.filters import And, Filter, Match, Operator, matches_of
from adserver.statistics.metrics import MetricName

MAX_ROWS: Final = 10_000
"""The largest page of rows, and the default."""
FIRST_DAY: Final = date(2020, 1, 1)
"""Where `all` begins: nothing was counted before there was anything to count with."""


@dataclass(frozen=True, slots=True)
class Days:
    """Calendar days, both ends within. Immutable."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


class Period(StrEnum):
    """A date range that moves with the present day."""

    DAY = "day"
    WEEK = "7d"
    THIRTY_DAYS = "30d"
    MONTH = "month"
    ALL = "all"

    def ending(self, today: date) -> Days:
        """Return its days, `today` the last of them."""
        match self:
            case Period.DAY:
                return Days(today, today)
            case Period.WEEK:
                return Days(today - timedelta(days=6), today)
            case Period.THIRTY_DAYS:
                return Days(today - timedelta(days=29), today)
            case Period.MONTH:
                return Days(today.replace(day=1), today)
            case Period.ALL:
                return Days(FIRST_DAY, today)


DateRange = Period | Days


def days_of(date_range: DateRange, today: date) -> Days:
    """Return the days that a range means on a day."""
    return date_range if isinstance(date_range, Days) else date_range.ending(today)


class Direction(StrEnum):
    """Which end comes first."""

    ASCENDING = "asc"
    DESCENDING = "desc"


@dataclass(frozen=True, slots=True)
class Order:
    """One key of the order of rows. Immutable."""

    by: MetricName | Dimension
    """One that the query asks for."""
    direction: Direction


@dataclass(frozen=True, slots=True)
class Pagination:
    """Which rows of the whole are given. Immutable."""

    limit: int = MAX_ROWS
    offset: int = 0


@dataclass(frozen=True)
class Query:
    """A whole question. Immutable (but for memoised properties), shared by all threads."""

    metrics: tuple[MetricName, ...]
    """At least one, each once."""
    date_range: DateRange
    dimensions: tuple[Dimension, ...] = ()
    """Each once; none: one row of totals."""
    filters: tuple[Filter, ...] = ()
    """All must hold."""
    order_by: tuple[Order, ...] = ()
    """Empty: see `order`."""
    pagination: Pagination = Pagination()
    timezone: ZoneInfo | None = None
    """None: each slot's site's own."""

    @cached_property
    def filter(self) -> Filter:
        """All filters as one."""
        return And(self.filters)

    @cached_property
    def used(self) -> frozenset[Dimension]:
        """The dimensions that rows are grouped or filtered by."""
        return frozenset(self.dimensions) | {match.dimension for match in matches_of(self.filter)}

    @property
    def order(self) -> tuple[Order, ...]:
        """The order asked for; else times ascending, then the first metric descending."""
        if self.order_by:
            return self.order_by
        times = tuple(Order(name, Direction.ASCENDING) for name in self.dimensions if name in TIME_DIMENSIONS)
        return (*times, Order(self.metrics[0], Direction.DESCENDING))

    def within(self, advertisers: AbstractSet[str]) -> "Query":
        """Return the same question about some advertisers' things only; nothing else can be told from its answer."""
        theirs = Match(Operator.IS, Dimension.ADVERTISER, tuple(sorted(advertisers)))
        return replace(self, filters=(*self.filters, theirs))

    def path_of(self, dimension: Dimension) -> str:
        """Return where the query names a dimension it uses, for an error: `dimensions[1]`, `filters[0]`."""
        if dimension in self.dimensions:
            return f"dimensions[{self.dimensions.index(dimension)}]"
        for place, filter_ in enumerate(self.filters):
            if any(match.dimension is dimension for match in matches_of(filter_)):
                return f"filters[{place}]"
        return "filters"
