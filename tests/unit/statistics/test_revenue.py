"""Revenue: prices a thousand, flat prices, and what cannot be added up."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from statistics_world import ORDERS, World, local

from adserver.counting.cells import IMPRESSIONS
from adserver.domain.catalog import Price
from adserver.statistics.errors import QueryRefused

CPM = Price("USD", cpm=Decimal("12.00"))
FLAT = Price("USD", flat=Decimal("500.00"))


def test_a_price_a_thousand_is_told_by_anything_impressions_are() -> None:
    world = World()
    world.price("minnesota", CPM)
    world.price("tools", Price("USD", cpm=Decimal("0.50")))
    world.count(IMPRESSIONS, 1_000, place="us-mn")
    world.count(IMPRESSIONS, 1, place="us-mn-remer")
    world.count(IMPRESSIONS, 2_000, flight="tools")
    world.count(IMPRESSIONS, 70, flight="iowa")
    assert world.rows("revenue", "impressions") == {(): (13.012, 3_071)}
    assert world.rows("revenue", by=("place",)) == {("us-mn",): (12.0,), ("us-mn-remer",): (1.012,)}
    assert world.rows("revenue", by=("flight",)) == {("minnesota",): (12.012,), ("tools",): (1.0,), ("iowa",): (0.0,)}
    assert world.total("revenue", filters=[["is", "advertiser", ["hardware"]]]) == 1.0
    assert world.ask("revenue").currency == "USD"


def test_a_flat_price_is_spread_evenly_over_the_flights_days_up_to_today() -> None:
    world = World()
    world.price("minnesota", FLAT)  # 30 days from the 1st; today is the 24th
    by_day = {key: revenue for key, (revenue,) in world.rows("revenue", by=("flight", "time:day")).items()}
    assert by_day == pytest.approx({("minnesota", f"2026-11-{day:02}"): 500 / 30 for day in range(1, 25)})
    assert world.total("revenue") == 400.0
    assert world.total("revenue", date_range=["2026-11-10", "2026-12-31"]) == 250.0
    assert world.total("revenue", date_range=["2026-10-01", "2026-10-31"]) == 0.0
    assert world.total("revenue", filters=[["is", "time:day", ["2026-11-03"]]]) == pytest.approx(500 / 30)
    weeks = world.rows("revenue", by=("time:week",), date_range=["2026-11-01", "2026-11-02"])
    assert {label: revenue for (label,), (revenue,) in weeks.items()} == pytest.approx(
        {"2026-10-26": 500 / 30, "2026-11-02": 500 / 30}
    )


def test_all_of_a_flat_price_is_earned_by_its_end() -> None:
    world = World()
    world.price("minnesota", FLAT)
    world.now += timedelta(days=60)
    assert world.total("revenue") == 500.0


@pytest.mark.parametrize("dimension", ["slot", "variant", "place", "topic", "time:hour", "site"])
def test_a_flat_price_is_not_told_finer_than_by_flight_and_day(dimension: str) -> None:
    world = World()
    world.price("minnesota", FLAT)
    with pytest.raises(QueryRefused, match=rf"dimensions\[0\]: flight minnesota .*flat price.*`{dimension}`"):
        world.ask("revenue", by=(dimension,))
    assert world.rows("revenue", by=(dimension,), filters=[["is", "flight", ["iowa"]]]) == {}
    assert world.rows("revenue", by=(dimension,), date_range=["2026-10-01", "2026-10-31"]) == {}


def test_a_flat_price_without_an_end_cannot_be_spread_and_is_named_beside_the_rest() -> None:
    world = World()
    world.price("minnesota", FLAT)
    world.price("tools", CPM)
    world.count(IMPRESSIONS, 2_000, flight="tools")
    world.ends = None
    result = world.ask("revenue")
    assert result.rows[0].metrics == (24.0,)
    assert result.without_price == ("minnesota",)


def test_two_currencies_are_not_added_up() -> None:
    world = World()
    world.price("minnesota", CPM)
    world.price("tools", Price("CAD", cpm=Decimal("1.00")))
    world.count(IMPRESSIONS, 10)
    assert world.ask("revenue").currency == "USD"
    world.count(IMPRESSIONS, 10, flight="tools")
    with pytest.raises(QueryRefused, match=r"metrics\[1\]: .*CAD \(flight tools\), USD \(flight minnesota\)"):
        world.ask("clicks", "revenue")
    assert world.ask("revenue", filters=[["is", "flight", ["tools"]]]).currency == "CAD"


def test_flights_that_left_the_catalog_are_named_for_their_price_is_lost() -> None:
    world = World()
    world.price("minnesota", CPM)
    del world.flights["tools"]
    world.count(IMPRESSIONS, 1_000)
    world.count(IMPRESSIONS, 1_000, flight="tools")
    world.count(IMPRESSIONS, 1_000, flight="iowa")
    result = world.ask("revenue")
    assert result.rows[0].metrics == (12.0,)
    assert result.without_price == ("tools",)


def test_a_flights_own_dates_are_its_days_and_begin_in_the_campaigns_zone() -> None:
    world = World()
    world.price("minnesota", FLAT)
    world.starts, world.ends = date(2026, 11, 24), date(2026, 11, 28)
    world.now = local(24, 0)
    assert ORDERS["minnesota"] == ("qwiket-season", "qwiket")
    assert world.total("revenue") == 100.0
    world.now -= timedelta(seconds=1)
    assert world.total("revenue") == 0.0
