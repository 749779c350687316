"""The reading end of a spool: what its worker wrote and the disk has."""

import os
from collections.abc import Callable
from pathlib import Path

from adserver.counting.records import RECORD_BYTES
from adserver.counting.spool import HEADER_NAME, SpoolHeader, SpoolUnavailable, segment_path, segment_starts


class SpoolTail:
    """Reads one spool, never past what is synced to disk. For the keeper's one thread.

    A byte that only the page cache holds is not given out: after a power loss the file would be shorter than the
    offset that Redis has, and new events would be skipped.
    """

    def __init__(self, folder: Path) -> None:
        """Open a spool's folder.

        Raises:
            SpoolUnavailable: it holds no header of a spool.
        """
        self._folder = folder
        try:
            descriptor = os.open(folder / HEADER_NAME, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise SpoolUnavailable(f"no header in {folder}: {error.strerror}") from error
        try:
            self._header = SpoolHeader(descriptor, writable=False)
        finally:
            os.close(descriptor)
        self._starts: list[int] = []
        self.synced = 0
        """Bytes since the spool was made that are on disk, in whole records."""

    @property
    def spool_id(self) -> str:
        """16 hex digits."""
        return self._header.spool_id

    @property
    def dropped(self) -> int:
        """Events its worker answered but could not write, ever."""
        return self._header.dropped

    def sync(self) -> int:
        """Bring all that is written to the disk and return how far that is.

        Raises:
            OSError: the disk refuses; nothing more is given out.
        """
        starts = segment_starts(self._folder)
        if not starts:
            return self.synced
        for start in starts:
            end = start + self._size(start)
            if end > self.synced:
                self._sync_file(segment_path(self._folder, start), os.fdatasync)
        if starts != self._starts:
            self._sync_file(self._folder, os.fsync)
            self._starts = starts
        self.synced = max(self.synced, end)
        return self.synced

    def read(self, start: int, most_bytes: int) -> bytes:
        """Return up to `most_bytes` synced bytes from offset `start`, in whole records; empty where there are none."""
        segment = max((first for first in self._starts if first <= start), default=None)
        if segment is None or start >= self.synced:
            return b""
        end = min(start + most_bytes, self.synced, self.following(start))
        with segment_path(self._folder, segment).open("rb") as file:
            file.seek(start - segment)
            data = file.read(end - start)
        return data[: len(data) - len(data) % RECORD_BYTES]

    def following(self, offset: int) -> int:
        """Return where the next segment after an offset starts; the synced end where there is none.

        Where nothing can be read at an offset, this is where bytes are there again: a segment was removed, or lost its
        end in a power loss, or half a record stands at its end.
        """
        return min((start for start in self._starts if start > offset), default=self.synced)

    def segments(self) -> list[tuple[int, int]]:
        """Return the start and size of each segment there is, in bytes of whole records, lowest first."""
        return [(start, self._size(start)) for start in segment_starts(self._folder)]

    def close(self) -> None:
        """Unmap the header."""
        self._header.close()

    def _size(self, start: int) -> int:
        size = segment_path(self._folder, start).stat().st_size
        return size - size % RECORD_BYTES

    @staticmethod
    def _sync_file(path: Path, sync: Callable[[int], None]) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            sync(descriptor)
        finally:
            os.close(descriptor)


def open_tails(spools: Path, known: dict[Path, SpoolTail]) -> None:
    """Add to `known` the spools that have appeared since the last look."""
    if not spools.is_dir():
        return
    for folder in sorted(spools.iterdir()):
        if folder in known or not folder.name.isdigit() or not (folder / HEADER_NAME).exists():
            continue
        try:
            known[folder] = SpoolTail(folder)
        except SpoolUnavailable:
            continue
