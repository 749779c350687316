"""End what an earlier service, killed before it could clean up, has left running. Linux looks; elsewhere one waits."""

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Final

from adserver.counting.locks import is_held
from adserver.domain.errors import AdserverError

_POLL_SECONDS: Final = 0.02


class LockStuck(AdserverError):
    """A process of an earlier service keeps running, and could not be ended."""

    def __init__(self, path: Path, pids: frozenset[int]) -> None:
        who = ", ".join(str(pid) for pid in sorted(pids)) or "unknown"
        super().__init__(
            f"{path} is held by a process of an earlier service (pid {who}) that does not end; end it by hand"
        )
        self.pids = pids


def free_lock(path: Path, *, grace_seconds: float, kill_seconds: float = 5.0) -> None:
    """Return once nobody holds the `flock` of `path`.

    A holder is found by its open descriptor of that very file, so no stranger is ever signalled, whatever became of a
    pid. It is asked to end (SIGTERM), and after `grace_seconds` killed.

    Raises:
        LockStuck: it is still held `kill_seconds` after that.
    """
    for signal_number, seconds in ((signal.SIGTERM, grace_seconds), (signal.SIGKILL, kill_seconds)):
        if not is_held(path):
            return
        for pid in holders(path):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal_number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not is_held(path):
                return
            time.sleep(_POLL_SECONDS)  # the kernel tells nobody when a lock is let go of; to wait in it has no end
    if is_held(path):
        raise LockStuck(path, holders(path))


def holders(path: Path) -> frozenset[int]:
    """Return the other processes of this user that have `path` open; empty where the system does not tell."""
    try:
        wanted = path.stat()
        processes = [entry for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    except OSError:
        return frozenset()
    identity = (wanted.st_dev, wanted.st_ino)
    return frozenset(
        int(process.name) for process in processes if int(process.name) != os.getpid() and _has_open(process, identity)
    )


def _has_open(process: Path, identity: tuple[int, int]) -> bool:
    try:
        for descriptor in (process / "fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                status = descriptor.stat()
                if (status.st_dev, status.st_ino) == identity:
                    return True
    except OSError:  # gone meanwhile, or another user's
        return False
    return False
