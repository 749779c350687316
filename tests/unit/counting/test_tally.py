import os
import threading

from adserver.counting.tally import DECISION_SECONDS_BOUNDS, Tally
from adserver.domain.ids import Kind, id_hash
from adserver.domain.reasons import EventKind, InvalidReason, NoFillReason

MASTHEAD = id_hash(Kind.SLOT, "masthead")


def test_what_is_taken_is_what_came_since_the_last_time() -> None:
    tally = Tally()
    tally.decisions(MASTHEAD, None, 3)
    tally.decisions(MASTHEAD, None, 2)
    tally.decisions(MASTHEAD, NoFillReason.PLACE, 1)
    tally.event(EventKind.SEEN, None)
    tally.event(EventKind.SEEN, InvalidReason.BOT)
    tally.log_line("warning")
    tally.untrusted_proxy()

    taken = tally.take()

    assert taken.decisions == {(MASTHEAD, None): 5, (MASTHEAD, NoFillReason.PLACE): 1}
    assert taken.events == {(EventKind.SEEN, None): 1, (EventKind.SEEN, InvalidReason.BOT): 1}
    assert (taken.log_lines, taken.untrusted_proxies) == ({"warning": 1}, 1)
    after = tally.take()
    assert (after.decisions, after.events, after.log_lines, after.untrusted_proxies) == ({}, {}, {}, 0)


def test_a_time_falls_into_the_first_bucket_whose_bound_it_does_not_pass() -> None:
    tally = Tally()
    for seconds in (0.0, DECISION_SECONDS_BOUNDS[0], DECISION_SECONDS_BOUNDS[0] * 1.01, 1.0, 1.1):
        tally.decision_took(seconds)

    taken = tally.take()

    assert (taken.second_buckets[0], taken.second_buckets[1]) == (2, 1)
    assert taken.second_buckets[-2:] == (1, 1)
    assert sum(taken.second_buckets) == 5
    assert 2.1 < taken.seconds < 2.2


def test_no_addition_is_lost_between_threads() -> None:
    tally = Tally()
    taken: list[int] = []

    def add() -> None:
        for _ in range(2_000):
            tally.event(EventKind.CLICK, None)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        taken.append(sum(tally.take().events.values()))
    for thread in threads:
        thread.join()

    assert sum(taken) + sum(tally.take().events.values()) == 8_000


def test_a_forked_child_begins_at_nothing() -> None:
    tally = Tally()
    tally.event(EventKind.SEEN, None)
    pid = os.fork()
    if pid == 0:
        os._exit(len(tally.take().events))

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert len(tally.take().events) == 1
