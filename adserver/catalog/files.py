"""Files of the data folder that are replaced whole: a reader sees the old one or the new one, never a part."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, Generic, TypeVar

_T = TypeVar("_T")

DRAFT_SUFFIX: Final = ".draft"


class Remembered(Generic[_T]):
    """What was made of a file, until the file is replaced. Shared by all threads: one assignment swaps it."""

    def __init__(self, path: Path, make: Callable[[], _T]) -> None:
        """Take the file, and what makes of it that which is remembered."""
        self._path = path
        self._make = make
        self._kept: tuple[tuple[int, int, int], _T] | None = None

    def get(self) -> _T:
        """Return what is made of the file as it is.

        Raises:
            OSError: there is no such file, or it cannot be read.
            Exception: what making it raises; that is not remembered.
        """
        stat = os.stat(self._path)  # noqa: PTH116 - some ten times a second, without a Path's allocations
        seen, kept = (stat.st_ino, stat.st_mtime_ns, stat.st_size), self._kept
        if kept is None or kept[0] != seen:
            kept = self._kept = (seen, self._make())
        return kept[1]


def replace_file(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """Write a file beside `path`, sync it, and rename it over `path`; one writer at a time, by agreement.

    Args:
        path: the file.
        data: all of it.
        mode: who may read it, before the process's mask.

    Raises:
        OSError: the folder is full or read-only; `path` is as it was.
    """
    draft = path.with_name(path.name + DRAFT_SUFFIX)
    draft.unlink(missing_ok=True)  # a draft that was left over keeps the mode that it was made with
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # else a power loss may undo the rename, not the data
    finally:
        os.close(folder)
