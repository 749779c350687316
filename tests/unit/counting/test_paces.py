"""What workers are told of goals and caps, and what they say of it."""

from dataclasses import replace
from pathlib import Path

from adserver.counting.paces import AWAITED_SECONDS, LAPSE_SECONDS, PACE_NAME, WorkerPaces, read_uses, write_pace
from adserver.decision.paces import Pace
from adserver.decision.pacing import KNOWN_PERIODS, PaceRow, PaceTable
from adserver.domain.catalog import Cap, CapPeriod, CapScope, CreativeWeight, Flight, Goal
from adserver.domain.ids import CreativeId, FlightId

F = FlightId("flight")
FLIGHT = Flight(F, (CreativeWeight(CreativeId("c")),), goal=Goal(100))


class Worker(WorkerPaces):
    """A worker's view, its clock and its issuer set by hand."""

    def __init__(self, folder: Path, process: str = "a") -> None:
        self.now = 1000.0
        self.name = process
        super().__init__(folder, lambda: self.name, lambda: self.now)


def table(fills: int = 2, number: int = 7, process: str = "a", *, is_capped: bool = False) -> PaceTable:
    return PaceTable(number, {F: PaceRow(400_000, is_capped)}, {process: {F: fills}})


def test_a_flight_is_served_while_less_is_used_than_was_granted(tmp_path: Path) -> None:
    write_pace(tmp_path, table(2))
    worker = Worker(tmp_path)
    assert (worker.of(F), worker.is_known) == (None, False)
    assert worker.poll()
    assert worker.is_known
    assert worker.of(F) == Pace(400_000, 2)
    assert [worker.take(FLIGHT) for _ in range(3)] == [True, True, False]
    assert worker.of(F) == Pace(400_000, 0)
    write_pace(tmp_path, table(3))  # a total for the period: one more, not three
    worker.poll()
    assert [worker.take(FLIGHT) for _ in range(2)] == [True, False]


def test_what_was_not_used_is_void_with_the_next_period(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    write_pace(tmp_path, table(5))
    worker.poll()
    worker.take(FLIGHT)
    write_pace(tmp_path, table(1, number=8, is_capped=True))
    worker.poll()
    assert worker.of(F) == Pace(400_000, 1, is_capped=True)


def test_a_minute_after_it_was_first_read_a_grant_lapses(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    write_pace(tmp_path, table(5))
    worker.poll()
    worker.now += LAPSE_SECONDS - 1
    write_pace(tmp_path, table(6))  # the same period, topped up: its minute runs on
    worker.poll()
    assert worker.of(F) == Pace(400_000, 6)
    worker.now += 2
    assert worker.of(F) is None
    assert not worker.take(FLIGHT)


def test_a_process_that_the_keeper_does_not_know_serves_none(tmp_path: Path) -> None:
    worker = Worker(tmp_path, "b")
    write_pace(tmp_path, table(5))
    worker.poll()
    assert (worker.is_known, worker.of(F), worker.take(FLIGHT)) == (False, None, False)


def test_a_first_grant_is_awaited_for_seconds(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    worker.now += AWAITED_SECONDS - 1
    awaited = [worker.is_awaited]
    worker.now += 1
    awaited.append(worker.is_awaited)
    assert awaited == [True, False]
    told = Worker(tmp_path)
    write_pace(tmp_path, table(1))
    told.poll()
    assert not told.is_awaited


def test_what_needs_no_pace_is_never_held_back(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    free = replace(FLIGHT, goal=None)
    assert worker.take(free)
    assert worker.take(replace(free, caps=(Cap(1, CapPeriod.VISIT, CapScope.READER),)))
    assert not worker.take(replace(free, caps=(Cap(1, CapPeriod.DAY, CapScope.FLIGHT),)))


def test_what_is_used_and_asked_reaches_the_keeper_and_outlives_its_worker(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    worker.poll()
    write_pace(tmp_path, table(5))
    worker.poll()
    worker.take(FLIGHT)
    worker.note([F, F, F])
    worker.poll()
    (use,) = read_uses(tmp_path)
    assert (use.process, use.is_alive, dict(use.used), use.asked) == ("a", True, {7: {F: 1}}, {F: 3})
    worker.close()
    assert [use.is_alive for use in read_uses(tmp_path)] == [False]
    other = Worker(tmp_path, "b")
    other.poll()
    assert [(use.process, use.is_alive) for use in read_uses(tmp_path)] == [("b", True)]
    other.close()


def test_periods_that_are_long_over_are_not_said_any_more(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    for number in range(7, 7 + KNOWN_PERIODS + 3):
        write_pace(tmp_path, table(5, number))
        worker.poll()
    worker.poll()
    (use,) = read_uses(tmp_path)
    assert min(use.used) == 7 + 2
    worker.close()


def test_a_file_that_cannot_be_read_leaves_what_was_told(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    write_pace(tmp_path, table(5))
    worker.poll()
    for broken in (b"", b"{", b'{"version": 2, "number": 9, "flights": [], "odds": [], "capped": [], "granted": {}}'):
        (tmp_path / PACE_NAME).write_bytes(broken)
        assert not worker.poll()
        assert worker.of(F) == Pace(400_000, 5)
    worker.close()


def test_is_written_as_it_always_was_in_this_version(tmp_path: Path) -> None:
    write_pace(tmp_path, table(5))
    assert (tmp_path / PACE_NAME).read_text() == (
        '{"version":1,"number":7,"flights":["flight"],"odds":[400000],"capped":[false],"granted":{"a":[5]}}'
    )
