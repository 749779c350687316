"""What caps of a flight leave of a day or an hour, by the clock of its campaign."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from adserver.domain.catalog import Cap, CapPeriod, CapScope
from adserver.domain.ids import FlightId, Kind, id_hash
from adserver.keeping.caps import CappedFlight, CapWatch, window_of

F = FlightId("flight")
CHICAGO = ZoneInfo("America/Chicago")


class Remembered:
    """A `CapStore` in memory."""

    def __init__(self) -> None:
        self.bases: dict[tuple[FlightId, int], int] = {}

    def base(self, flight: CappedFlight, window: int, delivered: int) -> int:
        return self.bases.setdefault((flight.id, window), delivered)


def capped(*caps: tuple[int, CapPeriod]) -> dict[FlightId, CappedFlight]:
    made = tuple(Cap(count, per, CapScope.FLIGHT) for count, per in caps)
    return {F: CappedFlight(F, id_hash(Kind.FLIGHT, F), 0, CHICAGO, made)}


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=CHICAGO).timestamp()


def test_a_day_begins_at_midnight_of_the_campaign_and_leaves_what_is_not_delivered_in_it() -> None:
    watch, flights = CapWatch(Remembered()), capped((100, CapPeriod.DAY))
    assert watch.left(flights, {F: 1000}, at("2026-06-01T00:00:01")) == {F: 100}
    assert watch.left(flights, {F: 1070}, at("2026-06-01T23:59:59")) == {F: 30}
    assert watch.left(flights, {F: 1170}, at("2026-06-01T23:59:59")) == {F: 0}
    assert watch.left(flights, {F: 1170}, at("2026-06-02T00:00:00")) == {F: 100}


def test_the_narrower_of_two_caps_holds() -> None:
    watch, flights = CapWatch(Remembered()), capped((100, CapPeriod.DAY), (10, CapPeriod.HOUR))
    assert watch.left(flights, {F: 0}, at("2026-06-01T10:00:00")) == {F: 10}
    assert watch.left(flights, {F: 8}, at("2026-06-01T10:59:59")) == {F: 2}
    assert watch.left(flights, {F: 8}, at("2026-06-01T11:00:00")) == {F: 10}
    assert watch.left(flights, {F: 95}, at("2026-06-01T12:00:00")) == {F: 5}


def test_another_keeper_goes_on_from_what_the_store_remembers() -> None:
    store, flights = Remembered(), capped((100, CapPeriod.DAY))
    CapWatch(store).left(flights, {F: 1000}, at("2026-06-01T08:00:00"))
    assert CapWatch(store).left(flights, {F: 1060}, at("2026-06-01T09:00:00")) == {F: 40}


def test_a_flight_of_which_nothing_is_known_is_left_out() -> None:
    assert CapWatch(Remembered()).left(capped((1, CapPeriod.DAY)), {}, at("2026-06-01T08:00:00")) == {}


@pytest.mark.parametrize(
    ("zone", "now", "day", "hour"),
    [
        ("America/Chicago", "2026-03-08T12:30:00", "2026-03-08T00:00:00", "2026-03-08T12:00:00"),  # a day of 23 hours
        ("Asia/Kathmandu", "2026-06-01T10:20:00", "2026-06-01T00:00:00", "2026-06-01T10:00:00"),  # UTC and 5:45
    ],
)
def test_windows_begin_where_the_zones_clock_says(zone: str, now: str, day: str, hour: str) -> None:
    def second(text: str) -> float:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()

    assert window_of(CapPeriod.DAY, ZoneInfo(zone), second(now)) == second(day)
    assert window_of(CapPeriod.HOUR, ZoneInfo(zone), second(now) + 0.5) == second(hour)


def test_an_hour_that_the_clock_shows_twice_is_two_hours() -> None:
    first = datetime(2026, 11, 1, 1, 30, tzinfo=CHICAGO).timestamp()
    assert window_of(CapPeriod.HOUR, CHICAGO, first + 3600) - window_of(CapPeriod.HOUR, CHICAGO, first) == 3600


def test_a_visit_is_no_time_of_a_zone() -> None:
    with pytest.raises(ValueError, match="visit"):
        window_of(CapPeriod.VISIT, CHICAGO, 0)
