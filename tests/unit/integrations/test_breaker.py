"""When a service that fails is left alone."""

from sponsor_slots.breaker import Breaker


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def failing(clock: Clock, times: int) -> Breaker:
    breaker = Breaker(clock, failures=3, rest_seconds=2.0)
    for _ in range(times):
        breaker.failed()
    return breaker


def test_a_service_that_fails_now_and_then_is_asked_each_time() -> None:
    breaker = failing(Clock(), 2)
    breaker.succeeded()
    breaker.failed()
    breaker.failed()
    assert breaker.lets_through()


def test_a_service_that_failed_three_times_in_a_row_rests() -> None:
    assert not failing(Clock(), 3).lets_through()


def test_one_caller_finds_out_after_the_rest() -> None:
    clock = Clock()
    breaker = failing(clock, 3)
    clock.now += 2.0
    assert [breaker.lets_through() for _ in range(3)] == [True, False, False]
    breaker.failed()
    clock.now += 1.9
    assert not breaker.lets_through()


def test_all_callers_go_on_once_it_answers() -> None:
    clock = Clock()
    breaker = failing(clock, 3)
    clock.now += 2.0
    assert breaker.lets_through()
    breaker.succeeded()
    assert [breaker.lets_through() for _ in range(3)] == [True, True, True]
