"""Alerts of flights: each begins at its boundary, holds, and ends; to the impression, and to the second of its zone."""

from datetime import date, datetime, time, timedelta

import pytest
from alert_scenes import FIRST, FLIGHT, LAST, instant, make_flight, make_scene

from adserver.alerts.alert import AlertKind, Severity
from adserver.alerts.flight_alerts import find_flight_alerts
from adserver.alerts.marks import Mark
from adserver.alerts.scene import Scene
from adserver.domain.catalog import Pacing

MIDDLE = instant(date(2026, 10, 21))
"""The plan, of which 2 hours are spare, is half over a little before the middle of the flight's days."""
LATE = instant(LAST) + timedelta(hours=23)
"""The plan is over: all of the goal is due."""
BEHIND = frozenset({f"behind_plan:{FLIGHT}"})
AT_RISK = frozenset({f"goal_at_risk:{FLIGHT}"})


def kinds(scene: Scene) -> set[AlertKind]:
    return {alert.kind for alert in find_flight_alerts(scene)}


class TestBehindPlan:
    @pytest.mark.parametrize(("delivered", "is_behind"), [(901, False), (900, True), (0, True), (1000, False)])
    def test_it_begins_at_exactly_ten_percent(self, delivered: int, is_behind: bool) -> None:
        assert (AlertKind.BEHIND_PLAN in kinds(make_scene(LATE, delivered))) is is_behind

    @pytest.mark.parametrize(("delivered", "is_behind"), [(900, True), (950, True), (951, False), (1000, False)])
    def test_it_holds_until_less_than_five_percent_are_missing(self, delivered: int, is_behind: bool) -> None:
        assert (AlertKind.BEHIND_PLAN in kinds(make_scene(LATE, delivered, held=BEHIND))) is is_behind

    def test_what_is_due_follows_the_plan(self) -> None:
        [alert] = find_flight_alerts(make_scene(MIDDLE, 400))
        due = int(1000 * 50 / (100 + 1 / 24) / (1 - 2 / 24 / (100 + 1 / 24)))
        assert due == 500
        assert alert.title == "QWIKET fantasy season: flight minnesota is 20 % behind plan"
        assert alert.text == (
            "By now 500 of its 1,000 impressions are due; 400 are delivered, 100 too few. Its last day is 2026-12-09."
        )
        assert (alert.id, alert.severity, alert.advertisers) == ("behind_plan:minnesota", Severity.WARNING, ("qwiket",))
        assert (alert.campaign, alert.flight) == ("qwiket-season", "minnesota")
        assert "adserver explain" in alert.advice

    def test_a_frontloaded_flight_owes_more_by_then(self) -> None:
        flights = (make_flight(pacing=Pacing.FRONTLOADED),)
        assert kinds(make_scene(MIDDLE, 500, flights=flights)) == {AlertKind.BEHIND_PLAN}
        assert kinds(make_scene(MIDDLE, 600, flights=flights)) == set()

    def test_few_impressions_are_chance(self) -> None:
        small = (make_flight(goal=50),)
        assert kinds(make_scene(MIDDLE, 16, flights=small)) == set()
        assert kinds(make_scene(MIDDLE, 15, flights=small)) == {AlertKind.BEHIND_PLAN}

    def test_nothing_is_late_in_the_first_hour(self) -> None:
        begun, large = instant(FIRST), (make_flight(goal=10_000_000),)
        before, after = (begun + timedelta(hours=1, seconds=seconds) for seconds in (-1, 0))
        assert kinds(make_scene(before, 0, flights=large)) == set()
        assert kinds(make_scene(after, 0, flights=large)) == {AlertKind.BEHIND_PLAN}

    @pytest.mark.parametrize(
        "flight",
        [
            make_flight(pacing=Pacing.ASAP),
            make_flight(last=None),
            make_flight(goal=None),
            make_flight(first_day=date(2026, 10, 22)),
            make_flight(last_day=date(2026, 10, 20)),
        ],
        ids=["asap", "open", "no goal", "not begun", "over"],
    )
    def test_there_is_no_plan_to_be_behind(self, flight: object) -> None:
        assert kinds(make_scene(MIDDLE, 0, flights=(flight,))) == set()

    def test_a_count_that_is_not_known_is_not_taken_for_none(self) -> None:
        assert kinds(make_scene(MIDDLE, None)) == set()


class TestGoalAtRisk:
    """Half of the time is left, 500 are delivered, and a day ago it had `500 - speed`."""

    @pytest.mark.parametrize(("speed", "at_risk"), [(9, True), (10, False), (0, True)])
    def test_it_begins_where_five_percent_will_be_missing(self, speed: int, at_risk: bool) -> None:
        assert kinds(watched(speed)) == ({AlertKind.GOAL_AT_RISK} if at_risk else set())

    @pytest.mark.parametrize(("delivered", "at_risk"), [(940, True), (950, True), (951, False)])
    def test_at_exactly_five_percent_it_begins(self, delivered: int, at_risk: bool) -> None:
        mark = Mark(MIDDLE.timestamp() - 86_400, delivered)
        scene = make_scene(MIDDLE, delivered, marks={FLIGHT: mark})
        assert (AlertKind.GOAL_AT_RISK in kinds(scene)) is at_risk

    @pytest.mark.parametrize(("delivered", "at_risk"), [(951, True), (980, True), (981, False)])
    def test_it_holds_until_less_than_two_percent_will(self, delivered: int, at_risk: bool) -> None:
        mark = Mark(MIDDLE.timestamp() - 86_400, delivered)
        scene = make_scene(MIDDLE, delivered, marks={FLIGHT: mark}, held=AT_RISK)
        assert (AlertKind.GOAL_AT_RISK in kinds(scene)) is at_risk

    def test_it_says_with_how_many_it_will_end(self) -> None:
        [alert] = find_flight_alerts(watched(8))
        assert alert.title.endswith("flight minnesota will miss its goal by 10 %")
        assert "the last 24 hours (8 impressions) it ends on 2026-12-09 with about 900 of 1,000" in alert.text
        assert alert.severity is Severity.CRITICAL

    def test_a_flight_without_a_plan_has_a_goal_to_miss_too(self) -> None:
        assert kinds(watched(0, pacing=Pacing.ASAP)) == {AlertKind.GOAL_AT_RISK}
        assert kinds(watched(0, last=None)) == set()

    def test_a_flight_that_was_not_watched_has_no_speed(self) -> None:
        assert kinds(make_scene(MIDDLE, 500)) == set()

    def test_a_goal_that_is_met_is_at_no_risk(self) -> None:
        assert kinds(make_scene(MIDDLE, 1000, marks={FLIGHT: Mark(MIDDLE.timestamp() - 86_400, 1000)})) == set()


def watched(speed: int, **changes: object) -> Scene:
    """Return the flight in its middle, with a speed by the day."""
    mark = Mark(MIDDLE.timestamp() - 86_400, 500 - speed)
    flights = (make_flight(**changes),)  # type: ignore[arg-type]  # of the parameter's type, or the test fails
    return make_scene(MIDDLE, 500, flights=flights, marks={FLIGHT: mark})


class TestEndingSoon:
    @pytest.mark.parametrize(
        ("moment", "words"),
        [
            (instant(date(2026, 12, 6)) - timedelta(seconds=1), None),
            (instant(date(2026, 12, 6)), "ends in 3 days"),
            (instant(date(2026, 12, 8), time(12)), "ends tomorrow"),
            (instant(date(2026, 12, 10)) - timedelta(seconds=1), "ends today"),
            (instant(date(2026, 12, 10)), None),
        ],
    )
    def test_it_begins_three_days_before_the_last_in_the_campaigns_zone(
        self, moment: datetime, words: str | None
    ) -> None:
        found = [alert.title for alert in find_flight_alerts(make_scene(moment, 1000))]
        assert found == ([f"QWIKET fantasy season: flight minnesota {words}"] if words else [])

    def test_midnight_is_that_of_the_campaign(self) -> None:
        moment = instant(date(2026, 12, 6), zone="Asia/Tokyo")
        assert kinds(make_scene(moment, 1000)) == set()
        assert kinds(make_scene(moment, 1000, flights=(make_flight(timezone="Asia/Tokyo"),))) == {AlertKind.ENDING_SOON}

    def test_a_flight_without_goal_ends_too_and_an_open_one_never(self) -> None:
        moment = instant(LAST)
        [alert] = find_flight_alerts(make_scene(moment, flights=(make_flight(goal=None),)))
        assert alert.text == "Its last day is 2026-12-09 (America/Chicago)."
        assert alert.severity is Severity.INFO
        assert kinds(make_scene(moment, flights=(make_flight(goal=None, last=None),))) == set()

    @pytest.mark.parametrize(("first", "is_told"), [(date(2026, 12, 6), False), (date(2026, 12, 5), True)])
    def test_a_flight_of_so_few_days_is_no_news(self, first: date, is_told: bool) -> None:
        flight = make_flight(goal=None, first_day=first)
        assert (kinds(make_scene(instant(LAST), flights=(flight,))) != set()) is is_told

    def test_it_says_how_much_is_delivered(self) -> None:
        alerts = {alert.kind: alert for alert in find_flight_alerts(make_scene(instant(LAST), 960))}
        assert "960 of 1,000 impressions are delivered" in alerts[AlertKind.ENDING_SOON].text


def test_a_flight_that_is_no_longer_there_has_no_alerts() -> None:
    assert kinds(make_scene(LATE, 0, flights=(), held=BEHIND | AT_RISK)) == set()
