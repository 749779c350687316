"""How what works behind the pages steps back for who answers them, where they share processors."""

import ctypes
import os
import platform
import sys
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Final

NICENESS: Final = 5
"""Where processors are short, what works behind the pages gets a quarter of one, rather than as much as who answers.
With less, a machine that is busy with other things would hardly work off a backlog."""
SLICE_SECONDS: Final = 0.1
"""How long it may go on before others have their turn, if nobody else asks sooner; the longest that the kernel takes.
Who asks for less at a time, as everybody else does, runs as soon as it wakes up (Linux 6.12 and later; before it, this
changes nothing)."""

_SCHED_SETATTR: Final[Mapping[str, int]] = {"x86_64": 314, "aarch64": 274, "riscv64": 274}
"""The number of the system call, which C libraries before glibc 2.41 do not know; by the kind of processor."""
_SCHED_OTHER: Final = 0


class _SchedAttr(ctypes.Structure):
    """What `sched_setattr(2)` takes, in its first version."""

    _fields_: ClassVar = [
        ("size", ctypes.c_uint32),
        ("policy", ctypes.c_uint32),
        ("flags", ctypes.c_uint64),
        ("nice", ctypes.c_int32),
        ("priority", ctypes.c_uint32),
        ("runtime", ctypes.c_uint64),
        ("deadline", ctypes.c_uint64),
        ("period", ctypes.c_uint64),
    ]


def step_back(pid: int, data_dir: Path) -> None:
    """Have a process that has just been started leave processors to those that answer pages.

    It keeps to one processor, the same for all that work behind one data folder: they mostly wait for each other, so
    they lose nothing by it, and pages have the others for themselves. What the system does not know or refuses is left
    as it is.

    Args:
        pid: of a process with one thread still; what it starts later does as it does.
        data_dir: what it works for.
    """
    with suppress(ProcessLookupError):  # it has ended
        niceness = max(NICENESS, os.getpriority(os.PRIO_PROCESS, pid))
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, pid, niceness)
        if sys.platform == "linux":
            _lower_session(pid, niceness)
            _lengthen_slices(pid, niceness)
            with suppress(OSError):
                os.sched_setaffinity(pid, {processor_of(data_dir, sorted(os.sched_getaffinity(pid)))})


def processor_of(data_dir: Path, processors: Sequence[int]) -> int:
    """Return which of the processors is for what works behind a data folder; several services take several."""
    return processors[zlib.crc32(os.fsencode(data_dir.absolute())) % len(processors)]


def _lower_session(pid: int, niceness: int) -> None:
    """Lower the session that a process leads: without control groups the kernel shares out by session, then by process.

    So a nice process in a session of its own takes as much as any other session, see "autogroup" in `sched(7)`.
    """
    if os.getsid(pid) == pid:
        with suppress(OSError):  # a kernel without it, or it was just set
            Path(f"/proc/{pid}/autogroup").write_text(str(niceness))


def _lengthen_slices(pid: int, niceness: int) -> None:
    number = _SCHED_SETATTR.get(platform.machine())
    if number is not None:
        attributes = _SchedAttr(
            size=ctypes.sizeof(_SchedAttr), policy=_SCHED_OTHER, nice=niceness, runtime=int(SLICE_SECONDS * 1e9)
        )
        ctypes.CDLL(None).syscall(number, pid, ctypes.byref(attributes), 0)
