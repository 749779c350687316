"""Run a command that dies with the process that started it: `tether.py SIGNAL PARENT [--lock FILE] -- COMMAND…`.

A program of its own, run by path and on the standard library alone, because code between fork and exec
(`preexec_fn`) is not safe in a process with threads. It becomes the command (`exec`), so the pid stays.

On Linux the kernel sends SIGNAL to the command when the thread that started it ends (`PR_SET_PDEATHSIG`), kill -9
included; elsewhere the command is only started. With `--lock` the command starts once it holds an exclusive `flock` of
FILE, inherited by descriptor, so that the lock lasts exactly as long as the command and its own children do.
"""

import ctypes
import fcntl
import os
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_ORPHANED: Final = 75


def main(argv: list[str]) -> None:
    """Become the command."""
    split = argv.index("--")
    options, command = argv[:split], argv[split + 1 :]
    _die_with_parent(int(options[0]), int(options[1]))
    if options[2:3] == ["--lock"]:
        _hold(options[3])
    os.execv(command[0], command)  # noqa: S606 - the command comes from the supervisor's own specification


def _die_with_parent(signal_number: int, parent: int) -> None:
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:  # it died before the kernel was asked
        sys.exit(_ORPHANED)


def _hold(path: str) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    os.set_inheritable(descriptor, True)  # noqa: FBT003 - the standard library's signature


if __name__ == "__main__":
    main(sys.argv[1:])
