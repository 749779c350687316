"""Disks that run full: a small one of its own where that may be mounted, else a bound on the size of files."""

import os
import resource
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

DISK: Final = "32m"


@contextmanager
def own_disk(folder: Path, size: str = DISK) -> Iterator[bool]:
    """Put a small disk of its own under a folder where that may be done; yields whether it is there."""
    folder.mkdir(parents=True, mode=0o700)
    mount = ("mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(folder))
    mounted = os.geteuid() == 0 and subprocess.run(mount, check=False, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(("umount", "--lazy", str(folder)), check=True)


def fill(disk: Path) -> Callable[[], None]:
    """Fill a disk to the last byte; the function returned frees it again."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (2**20, 2**12, 1):
            try:
                while True:
                    file.write(b"f" * size)
            except OSError:
                continue
    return filler.unlink


def bound_files(pids: Sequence[int], most_bytes: int) -> Callable[[], None]:
    """Let processes write no file beyond a size, as a quota or a full disk would; the function returned lifts it."""
    before = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY)) for pid in pids}

    def lift() -> None:
        for pid, limits in before.items():
            try:
                resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
            except ProcessLookupError:
                continue

    return lift
