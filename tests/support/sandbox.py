"""Run a command as the unit in `deploy/` has the kernel hold it: sandbox.py COMMAND…

What systemd forbids by its filter is refused here too, with the same error, and so is memory to write and to run.
"""

import ctypes
import os
import platform
import struct
import sys
from typing import Final

_CALLS: Final = {
    # ioprio_set, mbind, migrate_pages, move_pages, sched_setaffinity, sched_setattr, sched_setparam,
    # sched_setscheduler, set_mempolicy, setpriority, setrlimit: @resources; the unit lets three of them through
    "x86_64": (251, 237, 256, 279, 203, 314, 142, 144, 238, 141, 160),
    "aarch64": (30, 235, 238, 239, 122, 274, 118, 119, 237, 140, 164),
}
_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_SET_SECCOMP: Final = 22
_PR_SET_MDWE: Final = 65
_REFUSE_EXEC_GAIN: Final = 1
_SECCOMP_MODE_FILTER: Final = 2
_LOAD_NUMBER: Final = (0x20, 0, 0, 0)
"""BPF: load the word at 0, the call's number."""
_ALLOW: Final = (0x06, 0, 0, 0x7FFF0000)
_REFUSE: Final = (0x06, 0, 0, 0x00050001)
"""BPF: return EPERM."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def hold() -> None:
    """Have the kernel refuse the calls to this process and all that it starts.

    Raises:
        OSError: the kernel does not.
    """
    calls = _CALLS[platform.machine()]
    jumps = [(0x15, len(calls) - number, 0, call) for number, call in enumerate(calls)]  # equal: on to the refusal
    lines = [_LOAD_NUMBER, *jumps, _ALLOW, _REFUSE]
    program = _Program(len(lines), b"".join(struct.pack("HBBI", *line) for line in lines))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_MDWE, _REFUSE_EXEC_GAIN, 0, 0, 0)  # kernels before 6.3 know nothing of it
    for arguments in (
        (_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0),
    ):
        if libc.prctl(*arguments):
            raise OSError(ctypes.get_errno(), "the kernel takes no filter of system calls")


if __name__ == "__main__":
    hold()
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - its whole purpose
