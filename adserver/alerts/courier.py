"""Sends in a thread of its own, so that who hands over never waits for the other side."""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Final

from adserver.alerts.notice import Notice
from adserver.alerts.way import Delivery, Way

COURIER_FAULT: Final = "alerts.courier_fault"
"""Log event: sending failed in a way that nobody thought of; it is tried again."""

_LOG: Final = logging.getLogger(__name__)


class Courier:
    """One way out. `hand` and `take` by one thread, which never waits; a daemon thread of its own sends."""

    def __init__(self, way: Way, clock: Callable[[], float], on_done: Callable[[], None]) -> None:
        """Take the way, what tells Unix time, and what is called when something was sent or not."""
        self._way = way
        self._clock = clock
        self._on_done = on_done
        self._done: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    @property
    def name(self) -> str:
        """The way's."""
        return self._way.name

    @property
    def most(self) -> int:
        """How many notices it takes at once."""
        return self._way.most

    @property
    def is_idle(self) -> bool:
        """Whether it can be handed something; what became of the last was taken then."""
        return self._thread is None

    def hand(self, notices: Sequence[Notice]) -> None:
        """Have some sent; only while idle."""
        self._thread = threading.Thread(target=self._run, args=(tuple(notices),), name=self.name, daemon=True)
        self._thread.start()

    def take(self) -> Delivery | None:
        """Return what became of what was handed over; None: not known yet, or nothing was."""
        try:
            delivery = self._done.get_nowait()
        except queue.Empty:
            return None
        self._thread = None
        return delivery

    def _run(self, notices: tuple[Notice, ...]) -> None:
        try:
            delivery = self._way.send(notices, self._clock())
        except Exception as error:  # noqa: BLE001 - what was handed over must be handed back
            _LOG.exception(COURIER_FAULT)
            delivery = Delivery(dict.fromkeys((notice.id for notice in notices), False), type(error).__name__)
        self._done.put(delivery)
        self._on_done()
