"""What a worker does beside answering: look at the two files it decides by, and write the sums of its decisions."""

import atexit
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from adserver.counting.forks import forget_after_fork

UPKEEP_FAULT: Final = "upkeep.fault"
"""Log event: a round of the background thread failed; the next goes on."""

_LOG: Final = logging.getLogger(__name__)
_POLL_SECONDS: Final = 0.1
_POLLS_A_FLUSH: Final = 5


class Watched(Protocol):
    """A file of the data folder that the keeper replaces."""

    def poll(self) -> bool:
        """Look whether it was replaced."""
        ...


class Flushed(Protocol):
    """What gathers in memory and must reach the disk."""

    def flush(self) -> None:
        """Write it."""
        ...

    def close(self) -> None:
        """Write it, for the last time."""
        ...


class Upkeep:
    """One background thread of a worker process, started again in a forked child. Shared by none but its maker."""

    def __init__(self, watched: Sequence[Watched], *flushed: Flushed) -> None:
        """Take the files to look at, and what is to be written, in its order."""
        self._watched = watched
        self._flushed = flushed
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Look once at all files, so that the first request finds them, and go on in the background."""
        self.look()
        self._run_in_background()
        forget_after_fork(self._run_in_background)
        atexit.register(self.stop)

    def watch(self, watched: Watched) -> None:
        """Look at one thing more; for the time before `start`."""
        self._watched = (*self._watched, watched)

    def flush(self) -> None:
        """Write what has gathered."""
        for flushed in self._flushed:
            _do(flushed.flush)

    def stop(self) -> None:
        """End the thread and write what has gathered."""
        atexit.unregister(self.stop)
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        for flushed in self._flushed:
            _do(flushed.close)

    def _run_in_background(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(self._stop,), name="upkeep", daemon=True)
        self._thread.start()

    def _run(self, stop: threading.Event) -> None:
        polls = 0
        while not stop.wait(_POLL_SECONDS):
            polls += 1
            self.look()
            if polls % _POLLS_A_FLUSH == 0:
                self.flush()

    def look(self) -> None:
        """Take up what the keeper has replaced."""
        for watched in self._watched:
            _do(watched.poll)


def _do(part: Callable[[], object]) -> None:
    """Do one part of a round; its fault is logged and stops no other part, nor the next round."""
    try:
        part()
    except Exception as fault:  # noqa: BLE001 - the thread must outlive a fault; decisions go on meanwhile
        _LOG.error(UPKEEP_FAULT, exc_info=fault)
