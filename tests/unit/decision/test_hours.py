"""Hours are what the clock on the wall says: over midnight, and on the days on which clocks are changed."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adserver.decision.hours import Window, Windows, is_within, spell_at
from adserver.domain.hours import Hours

CHICAGO = ZoneInfo("America/Chicago")
MON, FRI, SAT, SUN = 0, 4, 5, 6


def hours(first: str, last: str, *days: int) -> Hours:
    return Hours(frozenset(days or range(7)), minute(first), minute(last))


def minute(clock: str) -> int:
    hour, _, rest = clock.partition(":")
    return int(hour) * 60 + int(rest)


def is_open(of: Hours, instant: str, zone: ZoneInfo = CHICAGO) -> bool:
    """Ask both ways for an instant, given in UTC."""
    now = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    plain = is_within(of, now.astimezone(zone))
    assert Windows((Window(str(zone), of),)).spell(1, int(now.timestamp())).is_open == plain
    return plain


@pytest.mark.parametrize(
    ("of", "local", "expected"),
    [
        (hours("06:00", "22:00"), "2026-06-15T05:59", False),
        (hours("06:00", "22:00"), "2026-06-15T06:00", True),
        (hours("06:00", "22:00"), "2026-06-15T21:59", True),
        (hours("06:00", "22:00"), "2026-06-15T22:00", False),
        (hours("00:00", "24:00", MON), "2026-06-15T00:00", True),
        (hours("00:00", "24:00", MON), "2026-06-15T23:59", True),
        (hours("00:00", "24:00", MON), "2026-06-16T00:00", False),
        (hours("22:00", "02:00", FRI), "2026-06-19T22:00", True),
        (hours("22:00", "02:00", FRI), "2026-06-20T01:59", True),
        (hours("22:00", "02:00", FRI), "2026-06-20T02:00", False),
        (hours("22:00", "02:00", FRI), "2026-06-19T01:00", False),
        (hours("22:00", "02:00", FRI), "2026-06-20T22:30", False),
        (hours("22:00", "02:00", SUN), "2026-06-22T01:00", True),
        (hours("18:00", "00:00", SAT), "2026-06-20T23:59", True),
        (hours("18:00", "00:00", SAT), "2026-06-21T00:00", False),
    ],
)
def test_a_window_holds_its_beginning_and_not_its_end(of: Hours, local: str, expected: bool) -> None:
    now = datetime.fromisoformat(local).replace(tzinfo=CHICAGO)
    assert is_open(of, now.astimezone(UTC).replace(tzinfo=None).isoformat()) is expected


@pytest.mark.parametrize(
    ("of", "instants"),
    [
        # 8 March 2026: 01:59 CST is followed by 03:00 CDT, 08:00 UTC.
        pytest.param(hours("02:30", "03:30"), {"07:59": False, "08:00": True, "08:29": True, "08:30": False}, id="cut"),
        pytest.param(hours("02:00", "03:00"), {"07:59": False, "08:00": False}, id="skipped whole"),
        pytest.param(hours("06:00", "22:00"), {"10:59": False, "11:00": True}, id="an hour sooner than the day before"),
        pytest.param(hours("23:00", "02:30", SAT), {"05:00": True, "07:59": True, "08:00": False}, id="over midnight"),
    ],
)
def test_on_the_day_on_which_clocks_go_forward(of: Hours, instants: dict[str, bool]) -> None:
    assert {at: is_open(of, f"2026-03-08T{at}") for at in instants} == instants


@pytest.mark.parametrize(
    ("of", "instants"),
    [
        # 1 November 2026: 01:59 CDT is followed by 01:00 CST, 07:00 UTC.
        pytest.param(
            hours("01:00", "01:30"),
            {"06:00": True, "06:29": True, "06:30": False, "07:00": True, "07:29": True, "07:30": False},
            id="shown twice",
        ),
        pytest.param(
            hours("00:00", "02:00"), {"05:00": True, "06:59": True, "07:59": True, "08:00": False}, id="longer"
        ),
        pytest.param(hours("06:00", "22:00"), {"11:59": False, "12:00": True}, id="an hour later than the day before"),
        pytest.param(hours("22:00", "01:30", SAT), {"06:29": True, "06:45": False, "07:15": True}, id="over midnight"),
    ],
)
def test_on_the_day_on_which_clocks_go_back(of: Hours, instants: dict[str, bool]) -> None:
    assert {at: is_open(of, f"2026-11-01T{at}") for at in instants} == instants


CHANGES = (
    *(datetime(2026, 3, 8, 8, tzinfo=UTC), datetime(2026, 11, 1, 7, tzinfo=UTC)),  # Chicago
    *(datetime(2026, 4, 4, 15, tzinfo=UTC), datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),  # Lord Howe: half an hour
    *(datetime(2024, 2, 29, 12, tzinfo=UTC), datetime(2026, 12, 31, 23, tzinfo=UTC)),
)


@given(
    st.sampled_from(("America/Chicago", "Australia/Lord_Howe", "Asia/Kolkata", "America/St_Johns", "UTC")),
    st.frozensets(st.integers(0, 6), min_size=1),
    st.integers(0, 1439),
    st.integers(1, 1440),
    st.sampled_from(CHANGES),
    st.integers(-40 * 3600, 40 * 3600),
)
def test_what_is_remembered_holds_for_every_minute_of_its_time(
    name: str, days: frozenset[int], first: int, last: int, change: datetime, seconds: int
) -> None:
    of, zone = Hours(days, first, last if first != last else last % 1440 + 1), ZoneInfo(name)
    now = int(change.timestamp()) + seconds
    spell = spell_at(of, zone, now)
    assert now in spell.seconds
    assert spell.seconds.stop - spell.seconds.start <= 24 * 3600
    for second in {*spell.seconds[::60], spell.seconds[-1]}:
        assert is_within(of, datetime.fromtimestamp(second, zone)) is spell.is_open


def test_each_window_has_a_memory_of_its_own_and_takes_time_backwards() -> None:
    windows = Windows((Window("UTC", hours("06:00", "07:00")), Window("America/Chicago", hours("06:00", "07:00"))))
    noon = int(datetime(2026, 6, 15, 12, tzinfo=UTC).timestamp())
    for second, expected in (
        (noon - 6 * 3600, (True, False)),
        (noon - 3600, (False, True)),
        (noon - 6 * 3600, (True, False)),
    ):
        assert tuple(windows.spell(number, second).is_open for number in (1, 2)) == expected


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (hours("06:00", "22:30", MON, FRI), "mon fri, 06:00 to 22:30"),
        (Hours(), "every day, 00:00 to 24:00"),
    ],
)
def test_hours_are_told_as_they_are_written(of: Hours, words: str) -> None:
    assert str(of) == words


def test_what_is_remembered_ends_when_clocks_are_changed() -> None:
    before = int(datetime(2026, 3, 8, 7, 50, tzinfo=UTC).timestamp())
    spell = spell_at(hours("02:30", "03:30"), CHICAGO, before)
    assert not spell.is_open
    assert spell.seconds.stop == before + 600
