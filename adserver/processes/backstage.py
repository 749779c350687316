"""Workers without a supervisor: `gunicorn wsgi:app`. They start what counts behind them, and it ends after them.

The backstage of a host is a process in a session of its own, with the keeper and the embedded Redis as its children. It
takes the data folder's lock itself, so there is one however many workers start it.
"""

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Protocol

from adserver.processes.data_dir import DataDir

LINGER_SECONDS: Final = 5.0
"""How long the backstage outlives the last worker: the next ones may come at once."""
FLUSH_SECONDS: Final = 60.0
"""How long it waits for a store that does not take the last events; they stay on the disk for the next start."""

_PRESENCE_FILE: Final = "workers.lock"
_LOOK_SECONDS: Final = 1.0
_MAX_DELAY_SECONDS: Final = 30.0


def show_presence(data_dir: Path) -> None:
    """Show that a worker lives, for as long as this process and those forked from it do.

    The lock is the kernel's (`flock`, shared), so a kill leaves nothing behind. It is another than the spool's, which a
    worker takes at its first event, or never where the disk is full.
    """
    fcntl.flock(_open(data_dir), fcntl.LOCK_SH)


def has_workers(data_dir: Path) -> bool:
    """Tell whether a worker shows its presence."""
    descriptor = _open(data_dir)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def start_backstage(env: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    """Start a backstage in a session of its own; it outlives the process that started it."""
    command = (sys.executable, "-m", "adserver.cli.main", "backstage")
    return subprocess.Popen(command, env=dict(env), stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 - ours


class Started(Protocol):
    """A process that was started."""

    def poll(self) -> int | None:
        """Return its status once it has ended."""


class BackstageWatch:
    """Starts the backstage wherever nobody has the data folder's lock. `poll` by one thread.

    `adserver serve` has the lock as well, and does all that the backstage would. One that keeps ending is started again
    at most half a minute apart.
    """

    def __init__(
        self, data_dir: DataDir, start: Callable[[], Started], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take the folder, what starts a backstage of it, and a monotonic clock."""
        self._data_dir = data_dir
        self._start = start
        self._clock = clock
        self._started: Started | None = None
        self._delay = _LOOK_SECONDS
        self._look_at = 0.0

    def poll(self) -> bool:
        """Look, once a second, and start it where it is missing; return whether it was."""
        if self._started is not None and self._started.poll() is not None:
            self._started = None
        now = self._clock()
        if now < self._look_at:
            return False
        self._look_at = now + _LOOK_SECONDS
        if self._data_dir.is_locked():
            self._delay = _LOOK_SECONDS
            return False
        if self._started is not None:
            return False
        self._look_at = now + self._delay
        self._delay = min(self._delay * 2, _MAX_DELAY_SECONDS)
        self._started = self._start()
        return True


class Linger:
    """Tells when the backstage has outlived its workers. Used by one thread; times are of the monotonic clock."""

    def __init__(
        self, has_workers: Callable[[], bool], is_flushed: Callable[[], bool], clock: Callable[[], float]
    ) -> None:
        """Take what looks for workers, and whether all their events are counted."""
        self._has_workers = has_workers
        self._is_flushed = is_flushed
        self._clock = clock
        self._alone_since: float | None = None

    def is_over(self) -> bool:
        """Tell whether there has been no worker for a while, and all is counted or will not be for now."""
        now = self._clock()
        if self._has_workers():
            self._alone_since = None
            return False
        if self._alone_since is None:
            self._alone_since = now
        alone = now - self._alone_since
        return alone >= LINGER_SECONDS and (self._is_flushed() or alone >= FLUSH_SECONDS)


def _open(data_dir: Path) -> int:
    return os.open(data_dir / _PRESENCE_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
