"""Numbers, days and targeting as the console writes them."""

from datetime import date
from decimal import Decimal

import pytest

from adserver.domain.catalog import (
    Campaign,
    Cap,
    CapPeriod,
    CapScope,
    CreativeWeight,
    Flight,
    Goal,
    Pacing,
    Price,
    Targeting,
    Tier,
)
from adserver.domain.hours import Hours
from adserver.domain.ids import AdvertiserId, CampaignId, CreativeId, FlightId, PlaceId, SlotId, Topic
from adserver.domain.places import Circle
from adserver.web.console.charts import make_chart
from adserver.web.console.words import counted, day, days_left, grouped, hours_words, percent, terms_of

CREATIVES = (CreativeWeight(CreativeId("line")),)
CAMPAIGN = Campaign(CampaignId("c"), AdvertiserId("a"), "C", "America/Chicago", date(2026, 6, 1), None, (), ())


def terms(flight: Flight) -> dict[str, str]:
    return {term.title: term.text for term in terms_of(flight, CAMPAIGN, lambda id_: f"<{id_}>")}


@pytest.mark.parametrize(
    ("fraction", "words"), [(0.0, "0 %"), (0.0025, "0.25 %"), (0.1234, "12.3 %"), (0.9999, "100.0 %"), (1.0, "100 %")]
)
def test_fractions_are_percent(fraction: float, words: str) -> None:
    assert percent(fraction) == words


def test_numbers_and_days() -> None:
    assert (grouped(1234567), counted(1, "flight"), counted(1200, "flight")) == (
        "1,234,567",
        "1 flight",
        "1,200 flights",
    )
    assert (day(date(2026, 11, 4)), day(None)) == ("4 Nov 2026", "open")
    assert [days_left(number) for number in (None, -1, 0, 1, 5)] == [
        "no end",
        "over",
        "ends today",
        "ends tomorrow",
        "ends in 5 days",
    ]


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (Hours(), "every day, all day"),
        (Hours(frozenset(range(5)), 360, 1320), "Mon to Fri, 06:00 to 22:00"),
        (Hours(frozenset({5, 6})), "Sat, Sun, all day"),
        (Hours(frozenset({0, 2, 4}), 1320, 120), "Mon, Wed, Fri, 22:00 to 02:00"),
    ],
)
def test_hours(hours: Hours, words: str) -> None:
    assert hours_words(hours) == words


def test_a_plain_flight_runs_everywhere() -> None:
    assert terms(Flight(FlightId("a"), CREATIVES)) == {
        "Part": "Standard, weight 1",
        "Slots": "every slot",
        "Places": "everywhere",
        "Topics": "any",
    }


def test_a_flight_with_all_it_can_have() -> None:
    circle = Circle(PlaceId("us-nd-fargo"), 0.0, 0.0, 96.56064)
    target = Targeting(
        places=frozenset({PlaceId("us-mn")}),
        exclude_places=frozenset({PlaceId("us-mn-cook-county")}),
        topics=frozenset({Topic("sports")}),
        exclude_topics=frozenset({Topic("obituaries")}),
        near=(circle,),
    )
    flight = Flight(
        FlightId("a"),
        CREATIVES,
        slots=frozenset({SlotId("b"), SlotId("a")}),
        tier=Tier.SPONSORSHIP,
        share=60,
        goal=Goal(50000, Pacing.FRONTLOADED),
        price=Price("USD", flat=Decimal("500.00")),
        repeat=True,
        takeover=True,
        targeting=target,
        caps=(Cap(3, CapPeriod.VISIT, CapScope.READER), Cap(900, CapPeriod.DAY, CapScope.FLIGHT)),
    )
    assert terms(flight) == {
        "Part": "Sponsorship, 60 % of its pages",
        "Slots": "a; b",
        "Places": "<us-mn>; 60 miles (96.6 km) around <us-nd-fargo>, but not in <us-mn-cook-county>",
        "Topics": "sports, but not obituaries",
        "Goal": "50,000 impressions, frontloaded",
        "Price": "500.00 USD flat",
        "Caps": "3 a visit for each reader; 900 a day in all",
        "Page": "takes all of its slots or none, may repeat",
    }


def test_more_places_than_anybody_reads_are_counted() -> None:
    target = Targeting(places=frozenset(PlaceId(f"us-{number:02}") for number in range(30)))
    assert terms(Flight(FlightId("a"), CREATIVES, targeting=target))["Places"].endswith("<us-11> and 18 more")


def test_the_highest_column_fills_the_box_and_none_of_nothing_does() -> None:
    chart = make_chart([("Mon", 5.0, "5"), ("Tue", 10.0, "10"), ("Wed", 0.0, "0")])
    assert [(column.y, column.height) for column in chart.columns] == [(50.0, 50.0), (0.0, 100.0), (100.0, 0.0)]
    assert (chart.top, chart.is_empty) == ("10", False)
    assert make_chart([("Mon", 0.0, "0")]).is_empty
    assert make_chart([]).is_empty
