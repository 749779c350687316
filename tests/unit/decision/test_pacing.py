"""The controller of paces: what it grants, to whom, and what it keeps back."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adserver.decision.grants import Want, split
from adserver.decision.paces import ODDS_WHOLE
from adserver.decision.pacing import PERIOD_SECONDS, Controller, Counted, PaceTable, ProcessUse
from adserver.decision.plan import PacedFlight
from adserver.domain.catalog import Pacing
from adserver.domain.ids import FlightId

F = FlightId("flight")
START = 1_780_000_000.0 - 1_780_000_000.0 % PERIOD_SECONDS
NUMBER = int(START // PERIOD_SECONDS)
DAY = 86_400.0


def asap(goal: int | None = 1000) -> PacedFlight:
    return PacedFlight(F, START - DAY, START + 30 * DAY, goal, Pacing.ASAP)


def counted(
    delivered: int = 0,
    *,
    seen: dict[int, int] | None = None,
    cap_left: int | None = None,
    late: int = 0,
    is_fresh: bool = True,
) -> Counted:
    by_period = {number: {F: views} for number, views in (seen or {}).items()}
    return Counted({F: delivered}, by_period, {} if cap_left is None else {F: cap_left}, {F: late}, is_fresh)


def use(
    process: str = "a", used: dict[int, int] | None = None, asked: int = 10**6, *, is_alive: bool = True
) -> ProcessUse:
    return ProcessUse(process, is_alive, {number: {F: fills} for number, fills in (used or {}).items()}, {F: asked})


def granted(table: PaceTable, *processes: str) -> int:
    return sum(table.granted[process].get(F, 0) for process in processes or table.granted)


class Host:
    """A controller that is stepped each quarter of a second, and one process that asks without end."""

    def __init__(self, flight: PacedFlight) -> None:
        self.flight = flight
        self.controller = Controller()
        self.now = START
        self.asked = 0

    def step(self, counts: Counted, *uses: ProcessUse, seconds: float = 0.25) -> PaceTable:
        self.asked += 100
        table = self.controller.step(self.now, [self.flight], counts, uses or (use(asked=self.asked),))
        self.now += seconds
        return table

    def fill_up(self, counts: Counted, used: dict[int, int]) -> PaceTable:
        """Step until nothing more is granted."""
        table = self.step(counts, use(used=used, asked=self.asked))
        for _ in range(40):
            table = self.step(counts, use(used=used, asked=self.asked))
        return table


def test_no_more_is_granted_than_what_is_left_of_the_goal() -> None:
    host = Host(asap(1000))
    used: dict[int, int] = {NUMBER: 0}
    for _ in range(40):
        table = host.step(counted(990), use(used=used, asked=host.asked))
        used[NUMBER] = granted(table)
    assert granted(table) == 10


def test_what_was_used_and_not_seen_is_pending_for_two_periods_more() -> None:
    host = Host(asap(1000))
    host.fill_up(counted(990), {NUMBER: 10})
    for later, left in ((1, 0), (2, 0), (3, 10)):
        host.now = START + later * PERIOD_SECONDS + 2
        table = host.step(counted(990), use(used={NUMBER: 10, NUMBER + later: 0}, asked=host.asked))
        assert (table.number, granted(table)) == (NUMBER + later, left)


def test_what_was_seen_is_pending_no_more() -> None:
    host = Host(asap(1000))
    host.fill_up(counted(990), {NUMBER: 10})
    host.now = START + PERIOD_SECONDS + 2
    table = host.step(counted(996, seen={NUMBER: 6}), use(used={NUMBER: 10, NUMBER + 1: 0}, asked=host.asked))
    assert granted(table) == 0  # 4 are left, and 4 are pending
    table = host.step(counted(996, seen={NUMBER: 9}), use(used={NUMBER: 10, NUMBER + 1: 0}, asked=host.asked))
    assert granted(table) == 3


def test_what_a_process_took_with_it_is_taken_for_used() -> None:
    host = Host(asap(1000))
    table = host.fill_up(counted(990), {NUMBER: 0})
    had = granted(table)
    assert 0 < had <= 10
    table = host.step(counted(990), use(used={NUMBER: 0}, is_alive=False), use("b", {NUMBER: 0}))
    assert set(table.granted) == {"b"}
    assert granted(table, "b") <= 10 - had
    host.now = START + PERIOD_SECONDS + 2  # what it was granted last is pending still
    table = host.step(counted(990), use(used={NUMBER: 0}, is_alive=False), use("b", {NUMBER: 0, NUMBER + 1: 0}))
    assert granted(table, "b") <= 10 - had


def test_a_period_is_learned_from_once_however_often_it_is_told_of() -> None:
    host = Host(asap(1000))
    told = {NUMBER + at: 10 for at in range(4)}
    host.step(counted())
    for _ in range(20):
        host.now = START + 4 * PERIOD_SECONDS + 2
        host.step(counted(seen=dict.fromkeys(told, 5)), use(used=told))
    meter = host.controller._meters[F]
    assert (meter.fills, meter.views) == (20 + 2 * 10, 14 + 2 * 5)


def test_while_the_store_is_away_nothing_pending_is_given_up_and_all_ends_with_what_was_left() -> None:
    host = Host(asap(1000))
    used = {NUMBER: 0}
    host.step(counted(900), use(used=used))
    total = 0
    for _ in range(4 * 60 * 20):  # twenty minutes
        table = host.step(counted(900, is_fresh=False), use(used=used, asked=host.asked))
        used[table.number] = granted(table)
        total = sum(used.values())
    assert total == 100


def test_without_a_count_nothing_is_granted() -> None:
    table = Controller().step(START, [asap()], Counted({}, {}, {}, {}, is_fresh=False), [use()])
    assert table == PaceTable(NUMBER, {}, {"a": {}})


def test_an_even_plan_earns_its_fills_with_time_and_its_odds_spread_them() -> None:
    host = Host(PacedFlight(F, START, START + 10 * DAY, 86_400))
    used: dict[int, int] = {}
    for _ in range(4 * 600):
        seen = {number: fills * 7 // 10 for number, fills in used.items()}
        table = host.step(counted(sum(seen.values()), seen=seen), use(used=used, asked=host.asked))
        used[table.number] = granted(table)
    total, seconds = sum(used.values()), 600
    assert total == pytest.approx(86_400 * seconds / (10 * DAY) / 0.7, rel=0.15)  # 0.7: supposed to be seen
    assert 0 < table.rows[F].odds < ODDS_WHOLE / 100


def test_where_nobody_asks_the_odds_are_whole_and_what_was_not_used_is_not_lost() -> None:
    host = Host(PacedFlight(F, START, START + 10 * DAY, 8_640))
    table = host.step(counted(), use(asked=0, used={NUMBER: 0}))
    for period in range(20):
        host.now = START + period * PERIOD_SECONDS + 2
        table = host.step(counted(), use(asked=0, used={NUMBER + period: 0}))
    assert table.rows[F].odds == ODDS_WHOLE
    assert granted(table) >= 1


def test_a_cap_bounds_a_flight_and_is_named() -> None:
    host = Host(asap(None))
    used = {NUMBER: 0}
    for _ in range(40):
        table = host.step(counted(500, cap_left=7), use(used=used, asked=host.asked))
        used[NUMBER] = granted(table)
    assert granted(table) == 7
    assert table.rows[F].is_capped
    assert not Host(asap()).step(counted(cap_left=7), use()).rows[F].is_capped


def test_views_that_are_known_to_come_late_are_kept_room_for() -> None:
    host = Host(asap(100_000))
    late = delivered = 0
    for period in range(30):
        host.now = START + period * PERIOD_SECONDS + 2
        late, delivered = late + 5, delivered + 55
        seen = {NUMBER + at: 50 for at in range(max(0, period - 4), period)}
        used = {NUMBER + at: 100 for at in range(max(0, period - 4), period)}
        host.step(counted(delivered, seen=seen, late=late), use(used={**used, NUMBER + period: 0}))
    meter = host.controller._meters[F]
    assert meter.seen_part == pytest.approx(0.5, abs=0.05)
    assert 30 <= meter.expected_late <= 120


def test_a_clock_that_is_set_back_begins_anew() -> None:
    host = Host(asap())
    host.step(counted())
    host.now = START - DAY
    assert granted(host.step(counted())) > 0


def test_a_few_are_split_by_who_asks_and_nobody_is_always_last() -> None:
    assert split(100, [Want("a", 0, 30), Want("b", 0, 10)], 0) == {"a": 30, "b": 10}
    assert split(100, [Want("a", 16, 30), Want("b", 5, 10)], 0) == {"b": 5}  # over half is left of a's
    assert split(20, [Want("a", 0, 30), Want("b", 0, 10)], 0) == {"a": 15, "b": 5}
    assert split(0, [Want("a", 0, 30)], 3) == {}
    assert split(5, [], 3) == {}
    turns = Counter(process for turn in range(30) for process in split(1, [Want(n, 0, 5) for n in "abc"], turn))
    assert turns == {"a": 10, "b": 10, "c": 10}


@given(
    st.integers(0, 200),
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 100)), max_size=6),
    st.integers(0, 10**6),
)
def test_a_split_gives_what_there_is_and_no_more_than_is_wanted(
    available: int, wants: list[tuple[int, int]], turn: int
) -> None:
    named = [Want(str(number), left, target) for number, (left, target) in enumerate(wants)]
    given_out = split(available, named, turn)
    missing = {want.process: max(0, want.target - want.left) for want in named if 2 * want.left <= want.target}
    assert all(0 < fills <= missing[process] for process, fills in given_out.items() if missing[process])
    assert sum(given_out.values()) <= min(available, sum(missing.values()))
    if available >= len(missing):
        assert sum(given_out.values()) >= min(available, sum(missing.values())) - len(missing)
