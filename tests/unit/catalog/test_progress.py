"""How far flights and campaigns are: what is due by now, and when that is behind."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from adserver.catalog.progress import Progress, Standing, campaign_progress, flight_progress
from adserver.domain.catalog import Campaign, Creative, CreativeWeight, Flight, Goal, Pacing
from adserver.domain.ids import AdvertiserId, CampaignId, CreativeId, FlightId
from adserver.domain.variants import Text, Variants

LINE = Creative(CreativeId("line"), "https://a.example/", Variants(Text("A line", 6, 6), None, None))
DAY_12 = datetime(2026, 6, 11, 5, tzinfo=UTC)
"""Midnight in Chicago after ten of twenty days."""


def flight(id_: str = "a", goal: Goal | None = None, **fields: object) -> Flight:
    plain = Flight(FlightId(id_), (CreativeWeight(CreativeId("line")),), goal=goal)
    return replace(plain, **fields)  # type: ignore[arg-type]  # of the field's type, or the test fails


def campaign(*flights: Flight, ends: date | None = date(2026, 6, 20)) -> Campaign:
    return Campaign(
        CampaignId("c"), AdvertiserId("a"), "C", "America/Chicago", date(2026, 6, 1), ends, (LINE,), flights
    )


def due(one: Flight, now: datetime = DAY_12, ends: date | None = date(2026, 6, 20)) -> int | None:
    return flight_progress(campaign(one, ends=ends), one, 0, now).expected


def test_half_of_the_time_makes_half_of_the_goal_due_and_a_little_more_for_the_spare_at_the_end() -> None:
    assert due(flight(goal=Goal(1000))) == 502  # two hours of twenty days are spare: 240 of 478 hours
    assert due(flight(goal=Goal(1000, Pacing.FRONTLOADED))) == 627


def test_before_its_first_day_nothing_is_due_and_after_its_last_all() -> None:
    one = flight(goal=Goal(1000), starts=date(2026, 6, 5), ends=date(2026, 6, 8))
    assert due(one, datetime(2026, 6, 5, 4, 59, tzinfo=UTC)) == 0
    assert due(one, datetime(2026, 6, 9, 5, tzinfo=UTC)) == 1000


@pytest.mark.parametrize(
    ("one", "ends"),
    [
        (flight(goal=Goal(1000, Pacing.ASAP)), date(2026, 6, 20)),
        (flight(goal=Goal(1000)), None),
        (flight(), date(2026, 6, 20)),
    ],
)
def test_without_a_goal_an_end_or_a_pace_nothing_is_due(one: Flight, ends: date | None) -> None:
    progress = flight_progress(campaign(one, ends=ends), one, 7, DAY_12)
    assert (progress.expected, progress.delivered, progress.standing) == (None, 7, Standing.OPEN)


def test_a_campaign_adds_up_its_flights_and_keeps_apart_what_has_no_goal() -> None:
    flights = (flight("a", Goal(1000)), flight("b", Goal(500)), flight("c"))
    delivered = {FlightId("a"): 400, FlightId("b"): 250, FlightId("c"): 90}
    progress = campaign_progress(campaign(*flights), delivered, DAY_12)
    assert progress == Progress(delivered=740, toward=650, goal=1500, expected=753)


def test_a_flight_that_nothing_is_due_of_leaves_open_what_is_of_the_campaign() -> None:
    flights = (flight("a", Goal(1000)), flight("b", Goal(500, Pacing.ASAP)))
    assert campaign_progress(campaign(*flights), {}, DAY_12).expected is None
    assert campaign_progress(campaign(flight("a")), {}, DAY_12).goal is None


@pytest.mark.parametrize(
    ("delivered", "standing"),
    [(450, Standing.ON_PLAN), (449, Standing.BEHIND), (1000, Standing.MET), (1200, Standing.MET)],
)
def test_ten_percent_less_than_is_due_is_not_behind_yet(delivered: int, standing: Standing) -> None:
    progress = Progress(delivered, delivered, 1000, 500)
    assert progress.standing is standing
    assert progress.percent == min(100.0, delivered / 10)
    assert progress.expected_percent == 50.0
