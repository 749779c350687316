"""A way out for notices: what each has in common."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from adserver.alerts.notice import Notice


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a try to send. Immutable."""

    outcomes: Mapping[str, bool | None]
    """By the notice's id: True: sent; False: it failed; None: it was not tried, as the way is down."""
    fault: str = ""
    """Why something failed, without secrets; empty: nothing did."""


class Way(Protocol):
    """Sends notices one way. One thread at a time."""

    @property
    def name(self) -> str:
        """What it is called in the book and in `/metrics`."""
        ...

    @property
    def most(self) -> int:
        """How many notices are sent in one try."""
        ...

    def send(self, notices: Sequence[Notice], now: float) -> Delivery:
        """Send them; `now` is Unix time. Never raises, and comes back in time, whatever the other side does."""
        ...


@contextmanager
def cut_off_after(seconds: float, connection: Callable[[], socket.socket | None]) -> Iterator[None]:
    """Shut the connection down after so many seconds: time-outs of sockets bound each answer, not the sum of them."""

    def cut() -> None:
        if (found := connection()) is not None:
            with contextlib.suppress(OSError):
                found.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
