"""The plan of a goal: which part is to be delivered by when."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adserver.decision.plan import PacedFlight
from adserver.decision.traffic import UNIFORM, WEEK_HOURS, WeekCurve
from adserver.domain.catalog import Pacing
from adserver.domain.ids import FlightId

START = datetime(2026, 6, 1, tzinfo=UTC).timestamp()
HOUR, DAY = 3600.0, 86_400.0
BY_DAY = WeekCurve([0.0 if hour % 24 < 12 else 1.0 for hour in range(WEEK_HOURS)])
st_curves = st.lists(st.floats(0.01, 100), min_size=WEEK_HOURS, max_size=WEEK_HOURS).map(WeekCurve)


def flight(days: float, pacing: Pacing = Pacing.EVEN, curve: WeekCurve = UNIFORM) -> PacedFlight:
    return PacedFlight(FlightId("flight"), START, START + days * DAY, 1000, pacing, curve)


def test_an_even_plan_is_in_proportion_to_the_traffic_so_far() -> None:
    plan = flight(30)
    spare = 2 / (30 * 24)
    assert plan.planned(START + 10 * DAY) == pytest.approx(10 / 30 / (1 - spare))
    assert flight(30, curve=BY_DAY).planned(START + 12 * HOUR) == 0
    assert flight(1, curve=BY_DAY).planned(START + 18 * HOUR) == pytest.approx(0.5 / 0.95)


def test_a_frontloaded_plan_is_ahead_in_the_middle_and_there_at_the_end() -> None:
    even, front = flight(10), flight(10, Pacing.FRONTLOADED)
    assert front.planned(START + DAY) == pytest.approx(1.5 * even.planned(START + DAY), rel=0.05)
    assert front.planned(START + 5 * DAY) > even.planned(START + 5 * DAY) + 0.1
    assert front.planned(START + 10 * DAY) == 1


@pytest.mark.parametrize("days", [2 / 24, 1, 30])
def test_a_plan_is_over_a_little_before_its_flight(days: float) -> None:
    plan = flight(days)
    spare = min(0.05 * days * DAY, 2 * HOUR)
    assert plan.planned(START + days * DAY - spare) == pytest.approx(1)
    assert plan.planned(START + days * DAY - 2 * spare) < 1


@given(st.floats(0.05, 40), st.sampled_from(list(Pacing)), st_curves, st.lists(st.floats(-1, 45), min_size=2))
def test_a_plan_never_falls_and_runs_from_nothing_to_all(
    days: float, pacing: Pacing, curve: WeekCurve, moments: list[float]
) -> None:
    plan = flight(days, pacing, curve)
    parts = [plan.planned(START + moment * DAY) for moment in sorted(moments)]
    assert parts == sorted(parts)
    assert all(0 <= part <= 1 for part in parts)
    assert plan.planned(START + days * DAY) == 1
    assert plan.due(START, START + days * DAY) == 1


def test_asap_and_without_an_end_all_is_due_at_once() -> None:
    assert flight(30, Pacing.ASAP).planned(START) == 1
    assert PacedFlight(FlightId("open"), START, None, 1000).planned(START) == 1


def test_a_curve_knows_the_hours_it_saw_and_guesses_the_others_from_the_same_hour_of_other_days() -> None:
    monday = 4 * 24  # hour 0 is Thursday's first
    counts = {monday + hour: 10 * hour for hour in range(24)}
    curve = WeekCurve.of_past(counts, range(monday, monday + 24))
    assert curve is not None
    assert curve.hours[monday % WEEK_HOURS + 5] == 50
    assert curve.hours[(monday + 3 * 24 + 5) % WEEK_HOURS] == 50
    assert curve.hours[monday % WEEK_HOURS] == pytest.approx(0.02 * 115)  # nobody came: still not taken for never
    assert curve.between(monday * HOUR, (monday + 24) * HOUR) == pytest.approx(sum(range(0, 240, 10)) + 0.02 * 115)


def test_two_weeks_are_averaged_and_too_little_is_no_past() -> None:
    counts = {5: 10, 5 + WEEK_HOURS: 30}
    curve = WeekCurve.of_past(counts, range(2 * WEEK_HOURS))
    assert curve is not None
    assert curve.hours[5] == 20
    assert WeekCurve.of_past(counts, range(23)) is None
    assert WeekCurve.of_past({}, range(WEEK_HOURS)) is None
    with pytest.raises(ValueError, match="168"):
        WeekCurve([1.0])
