"""What the kernel tells of this machine and its processes (Linux)."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")
_UTIME: Final = 11
"""Where user time stands after the command's name in /proc/<pid>/stat; system time is behind it."""
_PARENT: Final = 1


@dataclass(frozen=True, slots=True)
class Memory:
    """What a process holds, in MB. Immutable."""

    resident: float
    """RSS."""
    own: float
    """PSS: what it shares counts in part; the same as RSS where the kernel does not tell."""


def cpu_seconds(pid: int) -> float:
    """Return how much processor time a process has used, in steps of a clock tick (10 ms)."""
    fields = _stat(pid)
    return (int(fields[_UTIME]) + int(fields[_UTIME + 1])) / _TICKS_A_SECOND


def memory(pid: int) -> Memory:
    """Return what a process holds."""
    resident = _kilobytes(_PROC / str(pid) / "status", "VmRSS:") or 0.0
    own = _kilobytes(_PROC / str(pid) / "smaps_rollup", "Pss:") or resident
    return Memory(resident / 1000, own / 1000)


def descendants(pid: int) -> dict[int, str]:
    """Return all processes under one, with their command lines."""
    parents: dict[int, int] = {}
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            try:
                parents[int(folder.name)] = int(_stat(int(folder.name))[_PARENT])
            except OSError:  # it has ended meanwhile
                continue
    family = {pid}
    while grown := {child for child, parent in parents.items() if parent in family} - family:
        family |= grown
    return {child: _command(child) for child in sorted(family - {pid})}


def describe() -> str:
    """Return the processor, the number of cores, memory and kernel, in one line."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines(_PROC / "cpuinfo") if line.startswith("model name")),
        os.uname().machine,
    )
    gigabytes = (_kilobytes(_PROC / "meminfo", "MemTotal:") or 0.0) / 1e6
    return f"{model}, {os.cpu_count()} cores, {gigabytes:.0f} GB, {os.uname().sysname} {os.uname().release}"


def load() -> str:
    """Return the load of the last minute: more than the cores before a run, and its numbers tell of others too."""
    return f"{os.getloadavg()[0]:.1f}"


def _stat(pid: int) -> list[str]:
    return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def _command(pid: int) -> str:
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _kilobytes(path: Path, name: str) -> float | None:
    return next((float(line.split()[1]) for line in _lines(path) if line.startswith(name)), None)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
