"""The append-only file to which one worker writes; the keeper reads it with `adserver.keeping.tails`.

A spool is a numbered folder: `header` (mapped; locked by its worker for as long as that lives) and segments named by
the offset at which they start. Offsets are bytes since the spool was made; they only rise, across segments and workers.

    header     bytes 0..7 "ADSPOOL1"     8..15 the spool's id     16..23 events dropped     24 whether writes fail
               32..39 the run in which it was made (`adserver.counting.spool_run`)     4,096 bytes in all, rest zero
"""

import errno
import fcntl
import mmap
import os
import re
import secrets
import struct
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from adserver.counting.records import RECORD_BYTES
from adserver.counting.spool_run import NO_RUN, RUN_BYTES, stands_at
from adserver.domain.errors import AdserverError

SEGMENT_BYTES: Final = 64 * 1024 * 1024
SEGMENT_SECONDS: Final = 6 * 3600
"""A segment is closed at this age, so that what is replayed after a loss is never much older than is kept of it."""
SEGMENT_SUFFIX: Final = ".spool"
HEADER_NAME: Final = "header"

_HEADER_BYTES: Final = 4096
_HEADER: Final = struct.Struct(f">8s8sQ8x{RUN_BYTES}s")
_MAGIC: Final = b"ADSPOOL1"
_DROPPED: Final = struct.Struct(">Q")
_DROPPED_AT: Final = 16
_FAILING_AT: Final = 24
_RUN_AT: Final = 32
_MOST_SPOOLS: Final = 1024
_NO_ROOM: Final = os.strerror(errno.ENOSPC)
_ACCEPTED_AT: Final = slice(46, 50)
"""The second of acceptance within a record."""
_SEGMENT_NAME: Final = re.compile(r"([0-9]{20})\.spool")


class SpoolUnavailable(AdserverError):
    """No spool can be opened or made; the disk may be full or read-only. Events are dropped, and counted as dropped."""


class SpoolHeader:
    """A spool's id and what was dropped, in a mapped page that survives kill -9. One writer, any readers."""

    def __init__(self, descriptor: int, *, writable: bool) -> None:
        """Map an open header.

        Raises:
            SpoolUnavailable: the file is not a spool's header.
        """
        access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
        if os.fstat(descriptor).st_size != _HEADER_BYTES:
            raise SpoolUnavailable("a spool's header has a wrong size")
        self._map = mmap.mmap(descriptor, _HEADER_BYTES, access=access)
        magic, spool_id, _, self.run = _HEADER.unpack_from(self._map)
        if magic != _MAGIC:
            self._map.close()
            raise SpoolUnavailable("a spool's header begins with something else")
        self.spool_id: str = spool_id.hex()

    @property
    def dropped(self) -> int:
        """How many events were answered but could not be written, ever."""
        return int(_DROPPED.unpack_from(self._map, _DROPPED_AT)[0])

    def add_dropped(self, events: int) -> None:
        """Count events that could not be written."""
        _DROPPED.pack_into(self._map, _DROPPED_AT, self.dropped + events)

    @property
    def failing(self) -> bool:
        """Whether the last write failed: the disk is full, read-only or broken."""
        return self._map[_FAILING_AT] != 0

    def set_failing(self, *, failing: bool) -> None:
        """Tell the other processes of this host whether writes fail."""
        self._map[_FAILING_AT] = int(failing)

    def close(self) -> None:
        """Unmap it."""
        self._map.close()


class SpoolWriter:
    """The writing end of a spool. Shared by all threads of one process, under its own lock; opened after fork."""

    def __init__(self, folder: Path, header_descriptor: int, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Take a folder whose header is locked; use `open_in`."""
        self._folder = folder
        self._header_descriptor = header_descriptor
        self._header = SpoolHeader(header_descriptor, writable=True)
        self._segment_bytes = segment_bytes
        self.fault: str | None = None
        """Why the last write failed, in the operating system's words; None: it did not."""
        self._lock = threading.Lock()
        self._closed = False
        if self._header.failing:  # of the process before this one
            self._header.set_failing(failing=False)
        self._torn = False
        """Whether half a record stands at the segment's end, and could not be cut back."""
        starts = segment_starts(folder)
        self._start = starts[-1] if starts else 0
        self._descriptor = self._open_segment(self._start)
        size = os.fstat(self._descriptor).st_size
        self._size = size - size % RECORD_BYTES
        if size != self._size:  # a record torn by kill -9 or a full disk; it was never answered
            os.ftruncate(self._descriptor, self._size)
        self._begun_second = _first_second(segment_path(folder, self._start)) if self._size else 0

    @classmethod
    def open_in(cls, spools: Path, segment_bytes: int = SEGMENT_BYTES, run: bytes = NO_RUN) -> Self:
        """Take the first spool of a run under `spools` that no living process holds, or make one.

        One of another run is left as it is: its folder may be an older copy, of which more is counted than it holds.
        Only where there is no number left, such a one is gone on with after all.

        Raises:
            SpoolUnavailable: none can be had; the operating system's reason is in the message.
        """
        try:
            spools.mkdir(parents=True, exist_ok=True, mode=0o700)
            for of_any_run in (False, True):
                for number in range(_MOST_SPOOLS):
                    folder = spools / str(number)
                    descriptor = _lock_header(folder, run, of_any_run=of_any_run)
                    if descriptor is None:
                        continue
                    try:
                        return cls(folder, descriptor, segment_bytes)
                    except SpoolUnavailable:  # not a spool's header; leave it for someone to look at
                        os.close(descriptor)
                    except BaseException:
                        os.close(descriptor)
                        raise
        except OSError as error:
            raise SpoolUnavailable(f"cannot open a spool in {spools}: {error.strerror}") from error
        raise SpoolUnavailable(f"all {_MOST_SPOOLS} spools in {spools} are taken")

    @property
    def spool_id(self) -> str:
        """16 hex digits, drawn when the spool was made."""
        return self._header.spool_id

    @property
    def offset(self) -> int:
        """Bytes written since the spool was made."""
        return self._start + self._size

    @property
    def dropped(self) -> int:
        """Events answered but not written, ever."""
        return self._header.dropped

    def append(self, records: bytes) -> int:
        """Write whole records with one `write()`; return how many of them stand in the file.

        What a full or broken disk leaves half-written is cut back at once. The rest is the caller's: events are
        declared by `declare_dropped`, sums of decisions are kept and written again. Never raises.
        """
        with self._lock:
            if self._closed:
                return 0
            try:
                if self._torn or self._size >= self._segment_bytes:
                    self._rotate()
                written = os.write(self._descriptor, records)
            except OSError as error:
                self._note(error.strerror or str(error))
                return 0
            whole = written - written % RECORD_BYTES
            if not self._size:
                self._begun_second = int.from_bytes(records[_ACCEPTED_AT], "big")
            self._size += whole
            if whole != written:
                self._cut()
            self._note(None if whole == len(records) else _NO_ROOM)
            return whole // RECORD_BYTES

    def close_aged_segment(self, second: int) -> None:
        """Begin a new segment where the present one's first record is `SEGMENT_SECONDS` old at `second` (Unix time)."""
        with self._lock:
            if self._closed or not self._size or second - self._begun_second < SEGMENT_SECONDS:
                return
            with suppress(OSError):  # on a full disk the present one goes on
                self._rotate()

    def declare_dropped(self, events: int) -> None:
        """Count events that were answered but are not in the file."""
        with self._lock:
            if not self._closed:
                self._header.add_dropped(events)

    def close(self) -> None:
        """Let go of the spool; another process may take it."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            os.close(self._descriptor)
            self._header.close()
            os.close(self._header_descriptor)

    def _cut(self) -> None:
        try:
            os.ftruncate(self._descriptor, self._size)
        except OSError:
            self._torn = True  # whatever follows here would stand out of step: the next record begins a segment

    def _note(self, fault: str | None) -> None:
        if (fault is None) != (self.fault is None):
            self._header.set_failing(failing=fault is not None)
        self.fault = fault

    def _rotate(self) -> None:
        """Begin a segment; behind half a record, one record further, so that offsets never fall back."""
        start = self._start + self._size + (RECORD_BYTES if self._torn else 0)
        descriptor = self._open_segment(start)
        os.close(self._descriptor)
        self._descriptor, self._start, self._size, self._torn = descriptor, start, 0, False

    def _open_segment(self, start: int) -> int:
        path = segment_path(self._folder, start)
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)


def segment_path(folder: Path, start: int) -> Path:
    """Return the path of the segment that starts at an offset."""
    return folder / f"{start:020d}{SEGMENT_SUFFIX}"


def segment_starts(folder: Path) -> list[int]:
    """Return the offsets at which the segments of a spool start, lowest first."""
    names = (_SEGMENT_NAME.fullmatch(path.name) for path in folder.iterdir())
    return sorted(int(name[1]) for name in names if name)


def _lock_header(folder: Path, run: bytes, *, of_any_run: bool) -> int | None:
    """Return a locked descriptor of the folder's header, made if need be.

    None where another process holds it, or it is of another run and that matters.
    """
    if not folder.exists():
        folder.mkdir(exist_ok=True, mode=0o700)
        _sync_folder(folder.parent)
    path = folder / HEADER_NAME
    if not path.exists():
        _make_header(folder, path, run)
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    # Where it was removed between the two, its place is free the next time.
    if stands_at(descriptor, path):
        if of_any_run or os.pread(descriptor, RUN_BYTES, _RUN_AT) == run:
            return descriptor
        if os.pread(descriptor, len(_MAGIC), 0) == _MAGIC:
            os.pwrite(descriptor, b"\0", _FAILING_AT)  # nobody writes there any more, so nobody fails to
    os.close(descriptor)
    return None


def _first_second(segment: Path) -> int:
    """Return when the first record of a segment was accepted, Unix time."""
    with segment.open("rb") as file:
        return int.from_bytes(file.read(RECORD_BYTES)[_ACCEPTED_AT], "big")


def _make_header(folder: Path, path: Path, run: bytes) -> None:
    """Make a header whole or not at all; of several that try at once, one's stands.

    The draft's name is drawn, never a pid: where pids come again after a kill, a draft left linked to the header would
    be cut to nothing, and the header with it.
    """
    draft = folder / f"{HEADER_NAME}.{secrets.token_hex(8)}"
    page = _HEADER.pack(_MAGIC, secrets.token_bytes(8), 0, run).ljust(_HEADER_BYTES, b"\0")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        if os.write(descriptor, page) != len(page):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(descriptor)
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        os.close(descriptor)
        draft.unlink(missing_ok=True)
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
