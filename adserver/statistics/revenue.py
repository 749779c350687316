"""What the counted impressions are worth at the present prices; pure.

A price per thousand: cpm x impressions / 1000, by whatever the impressions are grouped by. A flat price: in equal parts
over the flight's days up to today, by flight and day or coarser. Sums are exact fractions until they are shown.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

from adserver.catalog.names import Names
from adserver.domain.catalog import Campaign, Catalog, Flight, Price
from adserver.domain.errors import Fault
from adserver.domain.ids import FlightId
from adserver.statistics.aggregate import Key, Table
from adserver.statistics.calendar import time_labels
from adserver.statistics.dimensions import DAY_DIMENSIONS, ORDER_DIMENSIONS, UNKNOWN_LABEL, Dimension
from adserver.statistics.errors import QueryRefused
from adserver.statistics.filters import holds
from adserver.statistics.metrics import MetricName
from adserver.statistics.query import Days, Query, days_of


@dataclass(frozen=True, slots=True)
class Bill:
    """The metric `revenue` of every row. Immutable."""

    amounts: Mapping[Key, Fraction]
    currency: str | None
    """None: nothing that was counted has a price."""
    without_price: tuple[str, ...]
    """Flights whose part is missing: they have left the catalog, or have a flat price and no end to spread it to."""


class _Charge(NamedTuple):
    flight: FlightId
    currency: str
    key: Key
    amount: Fraction


def bill(query: Query, table: Table, catalog: Catalog, names: Names, now: datetime) -> Bill:
    """Return what each row's impressions, and the days of flat prices, are worth.

    Raises:
        QueryRefused: two currencies; or a flat price that is not told as finely as the query groups or filters.
    """
    prices = {flight.id: flight.price for campaign in catalog.campaigns for flight in campaign.flights}
    charges = [*_by_impressions(table, prices, names), *_by_days(query, catalog, now)]
    amounts: dict[Key, Fraction] = defaultdict(Fraction)
    for charge in charges:
        amounts[charge.key] += charge.amount
    missing = _gone(table, prices, names) | _endless(query, catalog)
    return Bill(amounts, _currency(query, charges), tuple(sorted(missing)))


def _by_impressions(table: Table, prices: Mapping[FlightId, Price | None], names: Names) -> Iterator[_Charge]:
    for key, tally in table.items():
        for hash_, impressions in tally.impressions.items():
            name = names.flight(hash_)
            price = prices.get(FlightId(name.id)) if name else None
            if name and price and price.cpm is not None and impressions:
                yield _Charge(FlightId(name.id), price.currency, key, Fraction(price.cpm) * impressions / 1000)


def _gone(table: Table, prices: Mapping[FlightId, Price | None], names: Names) -> set[str]:
    hashes = {hash_ for tally in table.values() for hash_, impressions in tally.impressions.items() if impressions}
    found = (names.flight(hash_) for hash_ in hashes)
    ids = {name.id if name else UNKNOWN_LABEL for name in found}
    return {id_ for id_ in ids if FlightId(id_) not in prices}


def _endless(query: Query, catalog: Catalog) -> set[str]:
    return {
        flight.id
        for campaign in catalog.campaigns
        for flight in campaign.flights
        if flight.price is not None
        and flight.price.flat is not None
        and (flight.ends or campaign.ends) is None
        and holds(query.filter, _order_of(campaign, flight)) is not False
    }


def _by_days(query: Query, catalog: Catalog, now: datetime) -> Iterator[_Charge]:
    for campaign in catalog.campaigns:
        for flight in campaign.flights:
            if flight.price is not None and flight.price.flat is not None:
                yield from _charges_of(query, campaign, flight, flight.price.flat, flight.price.currency, now)


def _charges_of(
    query: Query, campaign: Campaign, flight: Flight, flat: Decimal, currency: str, now: datetime
) -> Iterator[_Charge]:
    order = _order_of(campaign, flight)
    first, last = flight.starts or campaign.starts, flight.ends or campaign.ends
    if last is None:
        return
    today = now.astimezone(query.timezone or ZoneInfo(campaign.timezone)).date()
    asked = days_of(query.date_range, today)
    earned = Days(max(asked.first, first), min(asked.last, last, today))
    if earned.first > earned.last or holds(query.filter, order) is False:
        return
    _refuse_finer(query, flight)
    a_day = Fraction(flat) / ((last - first).days + 1)
    for day in _each_day(earned):
        labels = order | time_labels(day)
        if holds(query.filter, labels):
            yield _Charge(flight.id, currency, tuple(labels[dimension] for dimension in query.dimensions), a_day)


def _order_of(campaign: Campaign, flight: Flight) -> dict[Dimension, str]:
    return {
        Dimension.ADVERTISER: str(campaign.advertiser),
        Dimension.CAMPAIGN: str(campaign.id),
        Dimension.FLIGHT: str(flight.id),
    }


def _refuse_finer(query: Query, flight: Flight) -> None:
    finer = [name for name in Dimension if name in query.used - ORDER_DIMENSIONS - DAY_DIMENSIONS]
    if finer:
        message = f"flight {flight.id} has a flat price, which is told by flight and day or coarser, not by"
        raise QueryRefused(tuple(Fault(query.path_of(name), f"{message} `{name}`") for name in finer))


def _currency(query: Query, charges: list[_Charge]) -> str | None:
    examples = {charge.currency: charge.flight for charge in charges}
    if len(examples) > 1:
        named = ", ".join(f"{currency} (flight {flight})" for currency, flight in sorted(examples.items()))
        message = f"currencies cannot be added up: {named}; filter by flight, campaign or advertiser"
        raise QueryRefused((_fault(query, message),))
    return next(iter(examples), None)


def _fault(query: Query, message: str) -> Fault:
    return Fault(f"metrics[{query.metrics.index(MetricName.REVENUE)}]", message)


def _each_day(days: Days) -> Iterator[date]:
    for number in range((days.last - days.first).days + 1):
        yield days.first + timedelta(days=number)
