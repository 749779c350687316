"""What flights had hours ago: a mark each six hours, a day back, and none of a count that fell."""

from adserver.alerts.marks import Mark, Marks, note, speed_mark
from adserver.domain.ids import FlightId

HOUR = 3600.0
FLIGHT = FlightId("minnesota")


def noted(*counts: tuple[float, int]) -> tuple[Mark, ...]:
    """Return the marks after counts at hours."""
    marks: Marks = {}
    for hour, count in counts:
        marks = note(marks, {FLIGHT: count}, hour * HOUR)
    return marks[FLIGHT]


def test_a_mark_is_set_every_six_hours() -> None:
    assert noted((0, 1), (5.9, 2), (6, 3), (7, 4)) == (Mark(0.0, 1), Mark(6 * HOUR, 3))


def test_marks_older_than_a_day_are_let_go() -> None:
    assert noted(*((hour, hour) for hour in range(0, 31, 6)))[0] == Mark(6 * HOUR, 6)


def test_a_count_that_fell_and_a_clock_that_was_set_back_begin_anew() -> None:
    assert noted((0, 100), (6, 40)) == (Mark(6 * HOUR, 40),)
    assert noted((10, 100), (4, 100)) == (Mark(4 * HOUR, 100),)


def test_a_flight_that_is_gone_is_forgotten() -> None:
    assert note({FLIGHT: (Mark(0.0, 1),)}, {}, HOUR) == {}


def test_a_speed_looks_a_day_back_and_no_less_than_three_hours() -> None:
    marks = (Mark(0.0, 1), Mark(6 * HOUR, 2))
    assert speed_mark(marks, 2.9 * HOUR) is None
    assert speed_mark(marks, 3 * HOUR) == marks[0]
    assert speed_mark(marks, 24 * HOUR) == marks[0]
    assert speed_mark(marks, 24.1 * HOUR) == marks[1]
    assert speed_mark((), HOUR) is None
