"""Locks of the kernel (`flock`) on files of the data folder, seen by those who do not hold them."""

import fcntl
import os
from pathlib import Path


def is_held(lock: Path) -> bool:
    """Tell whether a living process holds a lock alone; a file that is not there, or cannot be opened, nobody holds.

    The look itself is a shared lock for an instant: who takes the lock in that instant without waiting is refused.
    """
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
