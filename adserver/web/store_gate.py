"""A bound on the calls that wait for the store in one worker, so that one that hangs never takes the threads of pages.

A store that hangs is not one that is away: each call to it holds a thread until its time-out. So only some may be
inside at once, those behind them wait a moment, and nobody waits once it shows that nothing moves. After a time-out,
all are refused at once for a second; then one call tries, and what becomes of it decides for the others.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from adserver.domain.errors import StoreUnavailable

CALLS_AT_ONCE: Final = 2
"""Half of a worker's threads."""
PATIENCE_SECONDS: Final = 0.2
"""How long a call waits for one inside to come out, when the first of them finds them all there."""
SLOW_SECONDS: Final = 0.5
"""A failure that took so long was one of a store that hangs; one that refuses at once holds nobody up."""
REST_SECONDS: Final = 1.0
"""How long a store that hangs is left alone."""


class StoreBusy(StoreUnavailable):
    """As many calls as this worker makes at once wait for the store; answered with 503."""


class StoreGate:
    """Lets some calls in at a time, and none while the store hangs. Shared by all threads, under its own lock."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        calls_at_once: int = CALLS_AT_ONCE,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """Take a monotonic clock, in seconds, and what is let in."""
        self._clock = clock
        self._calls_at_once = calls_at_once
        self._patience_seconds = patience_seconds
        self._changed = threading.Condition()
        self._inside = 0
        self._stuck = False
        """Whether somebody has waited in vain, and nobody has come out since."""
        self._closed_until: float | None = None
        """When a store that hung is next tried; None: it answers."""
        self._tried = False
        """Whether a call is inside that tries."""

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Be inside, for one piece of work with the store.

        Raises:
            StoreBusy: there are too many.
            StoreUnavailable: the store did not answer in time a moment ago.
        """
        tries = self._enter()
        began = self._clock()
        failed: bool | None = None
        try:
            yield
            failed = False
        except StoreUnavailable:
            failed = True
            raise
        finally:
            self._leave(self._clock() - began, tries=tries, failed=failed)

    def _enter(self) -> bool:
        """Let the present thread in; return whether it is the one that tries a store that hung."""
        with self._changed:
            self._refuse_if_closed()
            if not self._has_room() and (self._stuck or not self._comes_free()):
                self._stuck = True
                raise StoreBusy("as many calls as are made at once wait for the store")
            self._refuse_if_closed()  # who came out may have been told by a time-out
            tries = self._closed_until is not None
            self._tried = self._tried or tries
            self._inside += 1
            return tries

    def _refuse_if_closed(self) -> None:
        if self._closed_until is not None and (self._tried or self._clock() < self._closed_until):
            raise StoreUnavailable("the store did not answer in time a moment ago")

    def _has_room(self) -> bool:
        return self._inside < self._calls_at_once

    def _comes_free(self) -> bool:
        """Wait for room; where another has waited for it in vain meanwhile, no longer."""
        self._changed.wait_for(lambda: self._has_room() or self._stuck, self._patience_seconds)
        return self._has_room()

    def _leave(self, seconds: float, *, tries: bool, failed: bool | None) -> None:
        """Take note of how a call ended; `failed` None: of something else than the store."""
        with self._changed:
            self._inside -= 1
            self._stuck = False
            if tries:
                self._tried = False
            if failed and seconds >= SLOW_SECONDS:
                self._closed_until = self._clock() + REST_SECONDS
            elif failed is False or (failed and tries):
                self._closed_until = None
            self._changed.notify_all()
