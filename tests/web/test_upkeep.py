import threading

import pytest

from adserver.web.upkeep import Upkeep


class Counted:
    """Both a watched file and what is flushed; counts the calls, and can fail."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.fails = False
        self.flushed = threading.Event()

    def poll(self) -> bool:
        self.calls.append("poll")
        if self.fails and threading.current_thread().name == "upkeep":
            self.fails = False
            raise OSError("a disk that fails once")
        return False

    def flush(self) -> None:
        self.calls.append("flush")
        self.flushed.set()

    def close(self) -> None:
        self.calls.append("close")


@pytest.fixture
def counted() -> Counted:
    return Counted()


def test_files_are_looked_at_before_the_first_request(counted: Counted) -> None:
    upkeep = Upkeep([counted], counted)
    upkeep.start()
    assert counted.calls[0] == "poll"
    upkeep.stop()


def test_sums_are_flushed_in_the_background_even_after_a_round_that_failed(counted: Counted) -> None:
    counted.fails = True
    upkeep = Upkeep([counted], counted)
    upkeep.start()

    assert counted.flushed.wait(10)
    upkeep.stop()
    assert counted.fails is False


def test_the_end_writes_what_has_gathered_and_leaves_no_thread(counted: Counted) -> None:
    upkeep = Upkeep([counted], counted)
    upkeep.start()
    upkeep.stop()

    assert counted.calls[-1] == "close"
    assert "upkeep" not in {thread.name for thread in threading.enumerate()}
