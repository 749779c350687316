"""A numbered file of a folder that one living process writes, and the next goes on from.

<folder>/<n>.lock     its `flock` is held by the process that writes
<folder>/<n>.json     what it writes, replaced by rename
"""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple, Self

from adserver.counting.locks import is_held

_MOST_FILES: Final = 1024


class FoundFile(NamedTuple):
    """A file as a reader finds it. Immutable."""

    data: bytes
    is_held: bool
    """Whether a living process writes it."""


class HeldFile:
    """A file of the folder whose lock this process holds. One thread."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    @classmethod
    def take(cls, folder: Path) -> Self:
        """Take the first file that no living process holds.

        Raises:
            OSError: none can be had.
        """
        folder.mkdir(mode=0o700, exist_ok=True)
        for number in range(_MOST_FILES):
            descriptor = os.open(folder / f"{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:  # held, or about to be looked at by a reader: the next will do
                os.close(descriptor)
                continue
            return cls(folder / f"{number}.json", descriptor)
        raise BlockingIOError(f"all {_MOST_FILES} files of {folder} are taken")

    def read(self) -> bytes | None:
        """Return what stands in it, or None."""
        try:
            return self._path.read_bytes()
        except OSError:
            return None

    def write(self, data: bytes) -> None:
        """Replace it by rename.

        Raises:
            OSError: the disk refuses.
        """
        draft = self._path.with_suffix(".draft")
        draft.write_bytes(data)
        draft.replace(self._path)

    def release(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)


def find_files(folder: Path) -> Iterator[FoundFile]:
    """Yield the files of a folder, those of processes that are gone included; what cannot be read is left out."""
    for path in sorted(folder.glob("*.json")):
        try:
            data = path.read_bytes()
        except OSError:
            continue
        yield FoundFile(data, is_held(path.with_suffix(".lock")))
