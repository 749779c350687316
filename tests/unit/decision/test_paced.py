"""A flight of the catalog as its pace sees it: what was sold, when, and in which hours of the week."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from reason_scenes import FLIGHT, flight

from adserver.decision.compiled_flight import CompiledFlight
from adserver.decision.paced import is_paced, paced_flight, within_hours
from adserver.decision.traffic import HOUR_SECONDS, UNIFORM, WEEK_HOURS, WeekCurve
from adserver.domain.catalog import Cap, CapPeriod, CapScope, Goal, Pacing, Status, Targeting
from adserver.domain.hours import Hours

CHICAGO = ZoneInfo("America/Chicago")
SUMMER, WINTER = datetime(2026, 6, 17, tzinfo=UTC), datetime(2026, 1, 14, tzinfo=UTC)
MONDAYS, ALL_DAYS = frozenset({0}), frozenset(range(7))
RISING = WeekCurve([float(hour + 1) for hour in range(WEEK_HOURS)])


def compiled(**changes: object) -> CompiledFlight:
    (found,) = flight(**changes).snapshot.flights
    return found


def in_hours(days: frozenset[int], first: str, last: str) -> CompiledFlight:
    minutes = (int(text[:2]) * 60 + int(text[3:]) for text in (first, last))
    return compiled(targeting=Targeting(hours=Hours(days, *minutes)))


def open_hours(each: CompiledFlight, now: datetime, curve: WeekCurve = UNIFORM) -> dict[str, float]:
    """Return the hours of the zone's week that are not empty, as `Mon 08`, with what they have."""
    shape = within_hours(curve, each, now)
    week = int(now.timestamp() // HOUR_SECONDS // WEEK_HOURS) * WEEK_HOURS
    return {
        f"{datetime.fromtimestamp((week + hour) * HOUR_SECONDS, CHICAGO):%a %H}": part / 4
        for hour, part in enumerate(shape.hours)
        if part
    }


@pytest.mark.parametrize("now", [SUMMER, WINTER])
def test_hours_of_the_campaigns_zone_are_left_summer_and_winter(now: datetime) -> None:
    assert open_hours(in_hours(MONDAYS, "08:00", "11:00"), now) == {"Mon 08": 1, "Mon 09": 1, "Mon 10": 1}


def test_an_hour_that_is_open_in_part_has_that_part_by_quarters() -> None:
    assert open_hours(in_hours(MONDAYS, "08:15", "09:30"), SUMMER) == {"Mon 08": 0.75, "Mon 09": 0.5}


def test_a_window_over_midnight_belongs_to_the_day_it_began_on() -> None:
    assert open_hours(in_hours(MONDAYS, "23:00", "01:00"), SUMMER) == {"Mon 23": 1, "Tue 00": 1}


def test_what_is_left_keeps_the_shape_of_the_traffic() -> None:
    found = within_hours(RISING, in_hours(ALL_DAYS, "08:00", "10:00"), SUMMER)
    assert {part / RISING.hours[hour] for hour, part in enumerate(found.hours) if part} == {4}
    assert sum(part > 0 for part in found.hours) == 14


def test_without_hours_or_with_hours_in_which_nobody_ever_came_the_traffic_stays_as_it_is() -> None:
    assert within_hours(RISING, compiled(), SUMMER) is RISING
    noon = int(datetime(2026, 6, 15, 17, tzinfo=UTC).timestamp() // HOUR_SECONDS) % WEEK_HOURS  # Monday, in Chicago
    never_then = WeekCurve([float(hour != noon) for hour in range(WEEK_HOURS)])
    assert within_hours(never_then, in_hours(MONDAYS, "12:00", "13:00"), SUMMER) is never_then


def test_a_flight_is_paced_for_its_goal_and_from_its_first_second_to_its_last() -> None:
    found = paced_flight(compiled(goal=Goal(50, Pacing.FRONTLOADED)), UNIFORM, SUMMER)
    assert (found.id, found.goal, found.pacing) == (FLIGHT.id, 50, Pacing.FRONTLOADED)
    assert datetime.fromtimestamp(found.starts, CHICAGO) == datetime(2026, 6, 1, tzinfo=CHICAGO)
    assert found.ends is not None
    assert datetime.fromtimestamp(found.ends, CHICAGO) == datetime(2026, 6, 30, tzinfo=CHICAGO) + timedelta(days=1)


def test_a_cap_alone_is_served_as_soon_as_can_be() -> None:
    capped = compiled(goal=None, caps=(Cap(5, CapPeriod.DAY, CapScope.FLIGHT),))
    found = paced_flight(capped, UNIFORM, SUMMER)
    assert (found.goal, found.pacing) == (None, Pacing.ASAP)
    assert is_paced(capped)


def test_who_has_neither_goal_nor_cap_or_is_paused_is_not_paced() -> None:
    assert is_paced(compiled())
    assert not is_paced(compiled(goal=None))
    assert not is_paced(compiled(status=Status.PAUSED))
    assert not is_paced(compiled(goal=None, caps=(Cap(5, CapPeriod.VISIT, CapScope.READER),)))
