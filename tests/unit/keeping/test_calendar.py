from datetime import UTC, date, datetime

import pytest

from adserver.catalog.names import Names, SlotName, Whereabouts
from adserver.domain.ids import Kind, id_hash
from adserver.keeping.calendar import SiteCalendar

SLOT = id_hash(Kind.SLOT, "masthead")


def calendar(*zones: tuple[int, str]) -> SiteCalendar:
    spans = tuple(Whereabouts(since, "america-one", zone) for since, zone in zones)
    return SiteCalendar(Names(slots={SLOT: SlotName("masthead", spans)}))


def second(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def day(text: str) -> int:
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


@pytest.mark.parametrize(
    ("zone", "when", "expected"),
    [
        ("America/Chicago", "2026-11-24T05:59:59+00:00", "2026-11-23"),
        ("America/Chicago", "2026-11-24T06:00:00+00:00", "2026-11-24"),
        ("America/Chicago", "2026-07-01T04:59:59+00:00", "2026-06-30"),
        ("America/Chicago", "2026-07-01T05:00:00+00:00", "2026-07-01"),
        ("America/Chicago", "2026-03-08T07:59:59+00:00", "2026-03-08"),  # clocks go forward that day
        ("America/Chicago", "2026-11-01T06:30:00+00:00", "2026-11-01"),  # and back
        ("Asia/Kathmandu", "2026-11-24T18:14:59+00:00", "2026-11-24"),  # UTC+5:45
        ("Asia/Kathmandu", "2026-11-24T18:15:00+00:00", "2026-11-25"),
        ("UTC", "2028-02-29T23:59:59+00:00", "2028-02-29"),
    ],
)
def test_a_day_is_the_sites(zone: str, when: str, expected: str) -> None:
    assert calendar((0, zone)).day(SLOT, second(when)) == day(expected)


def test_the_past_stays_in_the_zone_that_the_site_had_then() -> None:
    moved = second("2026-11-20T00:00:00+00:00")
    days = calendar((0, "America/Chicago"), (moved, "UTC"))

    assert days.day(SLOT, second("2026-11-10T03:00:00+00:00")) == day("2026-11-09")
    assert days.day(SLOT, second("2026-11-24T03:00:00+00:00")) == day("2026-11-24")


def test_an_unknown_slot_has_utc_days() -> None:
    now = datetime(2026, 11, 24, 23, 59, tzinfo=UTC)

    assert calendar((0, "America/Chicago")).day(Kind.SLOT.unknown, int(now.timestamp())) == day("2026-11-24")
