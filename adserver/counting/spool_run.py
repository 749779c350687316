"""A run: as long as one process that writes or reads a host's spools lives, it goes on; the next one is another.

A worker goes on only in spools of its own run. For what a folder holds can have been exchanged for an older copy only
while nobody had it open, or under another inode: then the next to come is alone, and begins a run. So no byte is ever
written at an offset that Redis may have counted in another life of the folder.

    <spools>/run     8 bytes of name and version, 8 drawn at random; shared `flock` of all that take part in the run
"""

import errno
import fcntl
import os
import secrets
import threading
import time
from pathlib import Path
from typing import Final

from adserver.counting.forks import forget_after_fork

RUN_NAME: Final = "run"
RUN_BYTES: Final = 8
NO_RUN: Final = bytes(RUN_BYTES)
"""Of spools that were made before there were runs, and of tools that write alone."""

_MAGIC: Final = b"ADSPRUN1"
_PATIENCE_SECONDS: Final = 2.0
_PAUSE_SECONDS: Final = 0.002


class SpoolRun:
    """This process's part in the run of a folder of spools. Shared by all threads; begins anew in a forked child."""

    def __init__(self, spools: Path) -> None:
        """Take the folder of all spools; nothing is opened yet."""
        self._spools = spools
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        self._run = NO_RUN
        forget_after_fork(self._forget)

    def join(self) -> bytes:
        """Take part until `leave`, and return which run it is; begin one where nobody else takes part.

        Raises:
            OSError: the folder or its file cannot be written or read.
        """
        with self._lock:
            if self._descriptor is None:
                self._spools.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._descriptor, self._run = _join(self._spools / RUN_NAME)
            return self._run

    def leave(self) -> None:
        """Take part no longer."""
        with self._lock:
            descriptor, self._descriptor = self._descriptor, None
            if descriptor is not None:
                os.close(descriptor)

    def _forget(self) -> None:
        """Leave the parent's part to the parent; the descriptor stays open here, unused."""
        self._lock = threading.Lock()
        self._descriptor = None


def _join(path: Path) -> tuple[int, bytes]:
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            run = _take_part(descriptor) if stands_at(descriptor, path) else None
        except BaseException:
            os.close(descriptor)
            raise
        if run is not None and stands_at(descriptor, path):
            return descriptor, run
        os.close(descriptor)
        time.sleep(_PAUSE_SECONDS)  # somebody is beginning a run; that takes him two calls of the system
    raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def _take_part(descriptor: int) -> bytes | None:
    """Return the run once it cannot change any more, for the shared lock is held; None: try again."""
    if _locks(descriptor, fcntl.LOCK_EX):  # nobody takes part
        os.pwrite(descriptor, _MAGIC + secrets.token_bytes(RUN_BYTES), 0)
    if not _locks(descriptor, fcntl.LOCK_SH):
        return None
    found = os.pread(descriptor, len(_MAGIC) + RUN_BYTES, 0)
    if len(found) != len(_MAGIC) + RUN_BYTES or not found.startswith(_MAGIC):
        return None  # whoever began it was killed at it
    return found[len(_MAGIC) :]


def _locks(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def stands_at(descriptor: int, path: Path) -> bool:
    """Tell whether an open file is the one at a path."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
