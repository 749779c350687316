"""A process's background work begins with its first request, and once."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from wsgiref.util import setup_testing_defaults

from adserver.web.beginning import BeginningWithRequests


def call(app: BeginningWithRequests) -> bytes:
    environ: dict[str, object] = {}
    setup_testing_defaults(environ)
    return b"".join(app(environ, lambda *_: lambda _: None))


def test_nothing_begins_before_the_first_request() -> None:
    begun: list[str] = []
    app = BeginningWithRequests(lambda *_: [str(len(begun)).encode()], lambda: begun.append("begun"))
    assert begun == []
    assert [call(app) for _ in range(3)] == [b"1", b"1", b"1"]


def test_requests_that_come_together_wait_until_all_has_begun_and_begin_it_once() -> None:
    begun: list[str] = []
    gate = threading.Barrier(8)

    def begin() -> None:
        threading.Event().wait(0.05)  # long enough for the others to overtake, if they could
        begun.append("begun")

    app = BeginningWithRequests(lambda *_: [str(len(begun)).encode()], begin)

    def ask(_: int) -> bytes:
        gate.wait()
        return call(app)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {b"1"}


def test_a_beginning_that_fails_is_tried_again_at_the_next_request() -> None:
    tries: list[int] = []

    def begin() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("no disk")

    app = BeginningWithRequests(lambda *_: [b"answer"], begin)
    try:
        call(app)
    except OSError:
        assert call(app) == b"answer"
    assert len(tries) == 2


def test_a_forked_child_begins_anew() -> None:
    begun: list[int] = []
    app = BeginningWithRequests(lambda *_: [b""], lambda: begun.append(os.getpid()))
    call(app)
    pid = os.fork()
    if pid == 0:
        call(app)
        os._exit(0 if begun[1:] == [os.getpid()] else 1)
    assert os.waitpid(pid, 0)[1] == 0
