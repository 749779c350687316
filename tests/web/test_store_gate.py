"""How many calls may be with the store at once, and that one that hangs is left alone for a while."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from catalog_bench import campaign, campaign_file, slots_file
from management_desk import ADMIN, desk

from adserver.domain.errors import InputRefused, StoreUnavailable
from adserver.processes import gunicorn_conf
from adserver.web.store_gate import CALLS_AT_ONCE, REST_SECONDS, SLOW_SECONDS, StoreBusy, StoreGate


class Clock:
    """Monotonic seconds, as the test sets them."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Stand:
    """A gate in which nobody waits, before a store whose every answer takes as long as the test says. One thread."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.gate = StoreGate(self.clock, patience_seconds=0.0)

    def answers(self, seconds: float = 0.0) -> None:
        with self.gate.entered():
            self.clock.now += seconds

    def fails(self, seconds: float) -> None:
        with pytest.raises(StoreUnavailable, match="hangs"):
            self._fail(seconds)

    def is_closed(self) -> bool:
        before = self.clock.now
        try:
            self.answers()
        except StoreUnavailable:
            assert self.clock.now == before
            return True
        return False

    def _fail(self, seconds: float) -> None:
        with self.gate.entered():
            self.clock.now += seconds
            raise StoreUnavailable("it hangs")


def test_half_of_a_workers_threads_are_never_with_the_store() -> None:
    assert gunicorn_conf.threads >= 2 * CALLS_AT_ONCE


def test_after_a_time_out_nobody_asks_for_a_second_and_then_one_does() -> None:
    stand = Stand()
    stand.fails(SLOW_SECONDS)
    assert stand.is_closed()
    stand.clock.now += REST_SECONDS - 0.01
    assert stand.is_closed()
    stand.clock.now += 0.01
    with stand.gate.entered():
        assert stand.is_closed()
    assert not stand.is_closed()


def test_a_try_that_times_out_leaves_the_store_alone_for_another_second() -> None:
    stand = Stand()
    stand.fails(2.0)
    stand.clock.now += REST_SECONDS
    stand.fails(2.0)
    assert stand.is_closed()
    stand.clock.now += REST_SECONDS
    assert not stand.is_closed()


def test_a_store_that_refuses_at_once_is_asked_every_time() -> None:
    stand = Stand()
    stand.fails(SLOW_SECONDS - 0.01)
    assert not stand.is_closed()


def test_a_try_that_is_refused_at_once_opens_for_all() -> None:
    stand = Stand()
    stand.fails(2.0)
    stand.clock.now += REST_SECONDS
    stand.fails(0.0)
    with stand.gate.entered():
        assert not stand.is_closed()


def test_a_try_that_ends_for_another_reason_proves_nothing_and_the_next_call_tries() -> None:
    stand = Stand()
    stand.fails(2.0)
    stand.clock.now += REST_SECONDS
    with pytest.raises(InputRefused), stand.gate.entered():
        raise InputRefused(())
    with stand.gate.entered():
        assert stand.is_closed()


def test_an_answer_that_takes_long_is_no_failure() -> None:
    stand = Stand()
    stand.answers(5.0)
    assert not stand.is_closed()


def test_who_finds_it_full_is_refused_until_somebody_comes_out() -> None:
    stand = Stand()
    with ExitStack() as others:
        for _ in range(CALLS_AT_ONCE - 1):
            others.enter_context(stand.gate.entered())
        with stand.gate.entered(), pytest.raises(StoreBusy):
            stand.answers()
        stand.answers()


@contextmanager
def one_inside(gate: StoreGate) -> Iterator[threading.Event]:
    """Have another thread inside, until the event that is given or the end."""
    inside, leave = threading.Event(), threading.Event()

    def stay() -> None:
        with gate.entered():
            inside.set()
            leave.wait(30)

    thread = threading.Thread(target=stay)
    thread.start()
    try:
        assert inside.wait(30)
        yield leave
    finally:
        leave.set()
        thread.join()


class Waits(threading.Condition):
    """A condition that remembers how each wait ended: True, where somebody told the news."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[bool] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.told.append(super().wait(timeout))
        return self.told[-1]


def test_who_waits_gets_in_when_somebody_comes_out() -> None:
    gate = StoreGate(lambda: 0.0, calls_at_once=1, patience_seconds=30.0)
    waits = gate._changed = Waits()
    with one_inside(gate) as leave:
        threading.Timer(0.02, leave.set).start()
        with gate.entered():
            assert leave.is_set()
    assert waits.told in ([True], [])  # empty: it was out before the other came to wait


def test_once_one_has_waited_in_vain_nobody_waits_until_somebody_comes_out() -> None:
    gate = StoreGate(lambda: 0.0, calls_at_once=1, patience_seconds=0.001)
    waits = gate._changed = Waits()

    def refused() -> int:
        """Return how many waits it took."""
        before = len(waits.told)
        with pytest.raises(StoreBusy), gate.entered():
            raise AssertionError
        return len(waits.told) - before

    with one_inside(gate):
        assert refused() >= 1
        assert [refused() for _ in range(3)] == [0, 0, 0]
    with one_inside(gate):
        assert refused() >= 1


def test_a_full_gate_refuses_every_call_to_the_store_with_a_time_to_come_back() -> None:
    here = desk()
    here.gate._patience_seconds = 0.0
    with ExitStack() as others:
        for _ in range(CALLS_AT_ONCE):
            others.enter_context(here.gate.entered())
        answers = [here.get(path) for path in ("/v1/campaigns", "/v1/campaigns/season", "/v1/slots", "/v1/revisions")]
        answers += [here.put_slots(slots_file()), here.post(campaign_file(campaign("autumn")))]
    assert [answer.status_code for answer in answers] == [503] * 6
    assert {answer.get_json()["type"] for answer in answers} == {"urn:problem-type:adserver:store-busy"}
    assert {answer.headers["Retry-After"] for answer in answers} == {"2"}
    assert here.client.get("/v1/campaigns", headers=ADMIN).status_code == 200
