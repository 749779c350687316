"""Answers queries: the one way from a question to its rows, for the API, the console and the command line."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from adserver.catalog.names import Names
from adserver.counting.cells import Family
from adserver.domain.catalog import Catalog
from adserver.domain.errors import Fault, StoreUnavailable
from adserver.statistics.aggregate import Key, Table, Tally, aggregate
from adserver.statistics.calendar import Calendar
from adserver.statistics.cell_store import CellsMoved, CellStore, Member
from adserver.statistics.dimensions import PLACE_DIMENSIONS, Dimension
from adserver.statistics.errors import GrainGone, QueryRefused
from adserver.statistics.filters import holds
from adserver.statistics.grain import finer_than_kept
from adserver.statistics.labels import Labels, PlaceBook
from adserver.statistics.metrics import Counter, MetricName
from adserver.statistics.plan import Plan, make_plan
from adserver.statistics.query import Direction, Order, Query
from adserver.statistics.reach import days_since_1970, may_pass, reach_by_row
from adserver.statistics.reach_store import ReachStore
from adserver.statistics.revenue import Bill, bill
from adserver.statistics.standing import ALL_IS_WELL, CountStanding, StandingSource
from adserver.statistics.strangers import find_strangers

Number = int | float

_UTC: Final = ZoneInfo("UTC")
_ATTEMPTS: Final = 8
"""How often cells are read that are moved meanwhile."""
_NO_BILL: Final = Bill({}, None, ())


@dataclass(frozen=True, slots=True)
class Row:
    """One line of an answer. Immutable."""

    dimensions: tuple[str, ...]
    metrics: tuple[Number, ...]
    """Counts are whole; fractions lie between 0 and 1, 0 where there is nothing to divide by."""


@dataclass(frozen=True, slots=True)
class Result:
    """A page of rows, and what is to be said of the whole. Immutable."""

    query: Query
    rows: tuple[Row, ...]
    total_rows: int
    zone: ZoneInfo | None
    """The zone of its days; None where each site has its own."""
    at: datetime
    """When it was asked."""
    currency: str | None = None
    """Of `revenue`."""
    without_price: tuple[str, ...] = ()
    """Flights that are not in `revenue`: they have left the catalog, or have a flat price and no end."""
    standing: CountStanding = ALL_IS_WELL
    """What the numbers lack."""


class StatisticsService:
    """Answers queries. Immutable, shared by all threads, as are its ports."""

    def __init__(
        self,
        cells: CellStore,
        names: Callable[[], Names],
        catalog: Callable[[], Catalog],
        places: PlaceBook,
        clock: Callable[[], datetime],
        reach: ReachStore,
        standing: StandingSource,
    ) -> None:
        """Take its ports: names and the live catalog are asked for at each query; the clock tells aware time."""
        self._cells = cells
        self._names = names
        self._catalog = catalog
        self._places = places
        self._clock = clock
        self._reach = reach
        self._standing = standing

    def run(self, query: Query) -> Result:
        """Return the page of rows that a query asks for.

        Raises:
            QueryRefused: it asks for what is not kept together, or so finely, with every fault and its path.
            StoreUnavailable: the cells cannot be read now.
        """
        plan = make_plan(query)
        now, names, catalog = self._clock(), self._names(), self._catalog()
        zones = _site_zones(query, catalog)
        _refuse_foreign_zone(query, plan, zones)
        table = self._table(query, plan, names, now)
        billed = bill(query, table, catalog, names, now) if MetricName.REVENUE in query.metrics else _NO_BILL
        reach = self._readers(query, names, zones, now) if MetricName.REACH in query.metrics else {}
        rows = _ordered(_rows(query, table, billed.amounts, reach), query)
        page = query.pagination
        return Result(
            query=query,
            rows=tuple(rows[page.offset : page.offset + page.limit]),
            total_rows=len(rows),
            zone=query.timezone or _only(zones),
            at=now,
            currency=billed.currency,
            without_price=billed.without_price,
            standing=self._standing.read(),
        )

    def strangers(self, query: Query) -> tuple[str, ...]:
        """Return a sentence for each value of the filters that is, and ever was, the id of nothing.

        Raises:
            StoreUnavailable: the names cannot be read now.
        """
        return tuple(find_strangers(query, self._names(), self._catalog(), self._places))

    def _readers(self, query: Query, names: Names, zones: frozenset[str], now: datetime) -> Mapping[Key, int]:
        """Return the readers by row, of the days that the query means where its site is; in UTC where sites differ."""
        days = Calendar(query, now, names.zone_at).days(query.timezone or _only(zones) or _UTC)
        stored = self._reach.read(days_since_1970(days), lambda flight: may_pass(query, names, flight))
        return reach_by_row(query, names, stored)

    def _table(self, query: Query, plan: Plan, names: Names, now: datetime) -> Table:
        if not plan.counters:
            return {}
        labels = Labels(names, self._places)
        calendar = Calendar(query, now, names.zone_at)

        def wanted(member: Member) -> bool:
            return holds(query.filter, labels.lasting(member)) is not False

        for _ in range(_ATTEMPTS):
            cells = self._cells.read(plan.family, calendar.blocks(plan.family), wanted)
            try:
                return aggregate(query, plan, cells, labels, calendar)
            except CellsMoved:
                continue
            except GrainGone:
                raise QueryRefused((finer_than_kept(query, plan.family, self._cells.oldest(plan.family)),)) from None
        raise StoreUnavailable("old counts are being moved; ask again in a minute")


def _site_zones(query: Query, catalog: Catalog) -> frozenset[str]:
    """Return the zones of the live sites that a query's filters let through."""
    zones = {site.id: site.timezone for site in catalog.sites}
    return frozenset(
        zones[slot.site]
        for slot in catalog.slots
        if holds(query.filter, {Dimension.SLOT: slot.id, Dimension.SITE: slot.site}) is not False
    )


def _refuse_foreign_zone(query: Query, plan: Plan, zones: frozenset[str]) -> None:
    by_hour = plan.family is Family.HOURS and MetricName.REACH not in query.metrics
    if query.timezone is None or by_hour or zones <= {query.timezone.key}:
        return
    named = "`reach`" if MetricName.REACH in query.metrics else "`topic`"
    named = "`place`" if query.used & PLACE_DIMENSIONS else named
    message = f"{named} is kept by the site's own day: leave `timezone` out, or give {' or '.join(sorted(zones))}"
    if len(zones) > 1:
        message = (
            f"{named} is kept by each site's own day: leave `timezone` out, or filter by one site and give its own"
        )
    raise QueryRefused((Fault("timezone", message),))


def _only(zones: frozenset[str]) -> ZoneInfo | None:
    if not zones:
        return _UTC
    return ZoneInfo(next(iter(zones))) if len(zones) == 1 else None


def _rows(query: Query, table: Table, amounts: Mapping[Key, Fraction], reach: Mapping[Key, int]) -> list[Row]:
    keys = {key for key, tally in table.items() if any(tally.counts.values())} | amounts.keys() | reach.keys()
    if not query.dimensions:
        keys = {()}
    empty = Tally()
    return [
        Row(key, _values(query, table.get(key, empty), amounts.get(key, Fraction()), reach.get(key, 0))) for key in keys
    ]


def _values(query: Query, tally: Tally, amount: Fraction, readers: int) -> tuple[Number, ...]:
    return tuple(_value(metric, tally.counts, amount, readers) for metric in query.metrics)


def _value(metric: MetricName, counts: Mapping[Counter, int], amount: Fraction, readers: int) -> Number:
    if metric is MetricName.REVENUE:
        return float(amount)
    if metric is MetricName.REACH:
        return readers
    if metric.ratio is None:
        return counts.get(Counter(metric.value), 0)
    part, whole = (counts.get(counter, 0) for counter in metric.ratio)
    return part / whole if whole else 0.0


def _ordered(rows: Iterable[Row], query: Query) -> list[Row]:
    """Return the rows by the query's keys, ties by their labels."""
    ordered = sorted(rows, key=lambda row: row.dimensions)
    for order in reversed(query.order):
        ordered.sort(key=_sort_key(order, query), reverse=order.direction is Direction.DESCENDING)
    return ordered


def _sort_key(order: Order, query: Query) -> "Callable[[Row], tuple[Number, str]]":
    if isinstance(order.by, MetricName):
        metric = query.metrics.index(order.by)
        return lambda row: (row.metrics[metric], "")
    dimension = query.dimensions.index(order.by)
    return lambda row: (0, row.dimensions[dimension])
