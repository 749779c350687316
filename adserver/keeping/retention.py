"""What becomes of segments when all of them is counted: kept for a while, put into the archive, then removed.

Each step may be the last one before a crash, so their order matters:

1. A segment that is wholly applied in every shard stays for the retention past that: a store that falls back is
   replayed from it.
2. It is archived: written beside its place, synced, moved, the folder synced.
3. Only then it is unlinked, and its folder synced.
4. A spool whose worker has gone and of which nothing is left is moved out of the workers' way, emptied, synced; only
   then its offset is removed from each shard. The other way round, a folder that comes back (a crash, an older copy)
   would be counted again from its start.

The last segment of a spool tells where the spool goes on, so it is never removed without an empty one behind it.
"""

import fcntl
import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from adserver.counting.records import RECORD_BYTES
from adserver.counting.spool import HEADER_NAME, SEGMENT_SECONDS, segment_path
from adserver.domain.errors import StoreUnavailable
from adserver.domain.token import CLICK_LIFE_SECONDS
from adserver.keeping.archive import ARCHIVE_NAME, Archive, ArchiveDamaged, ArchiveWriter, archives_in
from adserver.keeping.counter import SpoolStanding
from adserver.keeping.disk import Disk
from adserver.keeping.segments import CountedSince, Segment, segments_of

RETENTION_NAME: Final = "retention.json"
ENDED_MARK: Final = ".ended-"
"""In the name of a folder that was a spool: `<number>.ended-<spool>-<end>`."""

CANNOT_ARCHIVE: Final = "archive.cannot_write"
"""Log event: segments stay where they are, for the disk does not take their archive. Said once."""
ARCHIVES_AGAIN: Final = "archive.writes_again"
"""Log event: segments are put away again."""

_CHUNK_BYTES: Final = 8192 * 64
"""Some 50 ms of work: what is new is counted in between."""
_LOOK_SECONDS: Final = 10.0
_EXPIRE_SECONDS: Final = 3600.0
_DAY_SECONDS: Final = 86_400
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RetentionRules:
    """How long what is kept. Immutable."""

    segment_seconds: int
    """How long a segment stays past the moment when all of it was counted."""
    archive_days: int
    """How long an archive stays past its last record; 0: for ever."""


def longest_retention_seconds(window_seconds: int) -> int:
    """Return how long segments may be kept: what is replayed must not be older than the tokens' bits.

    Args:
        window_seconds: how long a token's bits are kept (W).
    """
    return window_seconds - CLICK_LIFE_SECONDS - SEGMENT_SECONDS - 3600


class Spools(Protocol):
    """What is asked of the counter."""

    def standings(self) -> Iterable[SpoolStanding]:
        """Return how far each spool is counted."""

    def forget(self, folder: Path) -> None:
        """Let go of a spool that is about to be removed."""


class SpoolEnds(Protocol):
    """Tells the store that a spool is no more."""

    def end(self, spool_id: str, end: int) -> None:
        """Remove its offset from every shard; may be called again, and with less by an older copy of the spool.

        Raises:
            StoreUnavailable: a shard did not answer.
        """


@dataclass(slots=True)
class _Job:
    """A segment on its way into the archive."""

    due: Segment
    writer: ArchiveWriter
    lock: int | None
    """Descriptor of the spool's locked header where no worker may take it meanwhile."""
    at: int


class Retention:
    """Puts counted segments away, a little at a step. For the keeper's one thread."""

    def __init__(
        self, data_dir: Path, spools_dir: Path, spools: Spools, ends: SpoolEnds, rules: RetentionRules, disk: Disk
    ) -> None:
        """Take the data folder, that of the spools, and what it asks and tells."""
        self._spools_dir = spools_dir
        self._archive = data_dir / ARCHIVE_NAME
        self._spools = spools
        self._ends = ends
        self._rules = rules
        self._disk = disk
        self._since = CountedSince(data_dir / RETENTION_NAME, disk)
        self._job: _Job | None = None
        self._look_at = self._expire_at = float("-inf")
        self.fault: str | None = None
        """Why nothing can be put away, in the operating system's words; None: it can."""

    def upkeep(self, now: float) -> str:
        """Do a step; return why nothing can be put away, or nothing."""
        self.step(now)
        return self.fault or ""

    def step(self, now: float) -> None:
        """Do a little of what is due; `now` is Unix time. The disk or the store being away is not raised."""
        try:
            if self._job is not None:
                self._go_on(self._job)
            elif not self._look_at <= now < self._look_at + _LOOK_SECONDS:
                self._look_at = now
                self._look(now)
            self._expire(now)
        except OSError as error:
            self._drop_job()
            self._note(error.strerror or str(error))
            self._look_at = now
        except StoreUnavailable:  # the counter says it
            self._look_at = now

    def close(self) -> None:
        """Leave what is half done; it is begun anew."""
        self._drop_job()

    def _look(self, now: float) -> None:
        self._finish_ends()
        segments = self._all()
        self._since.note(segments, now)
        for due in segments:
            counted_at = self._since[due]
            if counted_at is not None and counted_at + self._rules.segment_seconds <= now and self._begin(due):
                return

    def _all(self) -> list[Segment]:
        return [due for standing in self._spools.standings() for due in segments_of(standing)]

    def _begin(self, due: Segment) -> bool:
        """Begin to put a segment away; return False where there is nothing to do about it now."""
        lock = None
        if due.last:
            lock = _take(due.standing.folder)
            if lock is None:  # its worker lives, and goes on in it
                return False
            if (
                due.path.stat().st_size // RECORD_BYTES * RECORD_BYTES != due.end - due.start
            ):  # it has come and gone since
                os.close(lock)
                return False
        if due.last and due.start == due.end:
            return self._end_spool(due, lock)
        try:
            self._job = _Job(due, ArchiveWriter(self._archive, due.standing.spool_id, due.start, self._disk), lock, 0)
        except OSError:
            if lock is not None:
                os.close(lock)
            raise
        return True

    def _go_on(self, job: _Job) -> None:
        size = job.due.end - job.due.start
        if job.at < size:
            with job.due.path.open("rb") as file:
                file.seek(job.at)
                data = file.read(min(_CHUNK_BYTES, size - job.at))
            if not data:
                raise OSError(0, "a segment became shorter while it was archived")
            job.writer.add(data)
            job.at += len(data)
            return
        if not any(one.key == job.due.key and one.is_counted for one in self._all()):
            self._drop_job()  # the store fell back meanwhile, and is replayed from here
            return
        if _holds_more(job.writer.path, job.due.end):  # this one is of an older copy of the data folder
            job.writer.give_up()
        else:
            job.writer.finish(job.due.end)
        if job.due.last:
            self._disk.make_empty(segment_path(job.due.standing.folder, job.due.end))
            self._disk.sync_folder(job.due.standing.folder)
        self._disk.unlink(job.due.path)
        self._disk.sync_folder(job.due.standing.folder)
        self._job = None
        if job.lock is not None:
            os.close(job.lock)
        self._note(None)
        self._look_at = float("-inf")

    def _drop_job(self) -> None:
        job, self._job = self._job, None
        if job is not None:
            job.writer.give_up()
            if job.lock is not None:
                os.close(job.lock)

    def _end_spool(self, due: Segment, lock: int | None) -> bool:
        """Move an empty spool out of the workers' way; one that dropped events stays, for it keeps their number."""
        try:
            if due.standing.dropped or due.standing.segments > 1:
                return False
            self._spools.forget(due.standing.folder)
            folder = due.standing.folder
            self._disk.rename(folder, folder.with_name(f"{folder.name}{ENDED_MARK}{due.standing.spool_id}-{due.end}"))
            self._disk.sync_folder(self._spools_dir)
        finally:
            if lock is not None:
                os.close(lock)
        self._finish_ends()
        return True

    def _finish_ends(self) -> None:
        """Empty what was moved away; once that is on the disk, let the shards forget it, then remove the folder."""
        if not self._spools_dir.is_dir():
            return
        for folder in sorted(self._spools_dir.glob(f"*{ENDED_MARK}*")):
            spool_id, _, end = folder.name.partition(ENDED_MARK)[2].partition("-")
            for path in sorted(folder.iterdir()):
                self._disk.unlink(path)
            self._disk.sync_folder(folder)
            self._ends.end(spool_id, int(end))
            self._disk.remove_folder(folder)
            self._disk.sync_folder(self._spools_dir)

    def _expire(self, now: float) -> None:
        if not self._rules.archive_days or self._expire_at <= now < self._expire_at + _EXPIRE_SECONDS:
            return
        self._expire_at = now
        oldest = now - self._rules.archive_days * _DAY_SECONDS
        expired = [path for path in archives_in(self._archive) if _last_accepted(path, now) < oldest]
        for path in expired:
            self._disk.unlink(path)
        if expired:
            self._disk.sync_folder(self._archive)

    def _note(self, fault: str | None) -> None:
        if fault is not None and self.fault is None:
            _LOG.error(CANNOT_ARCHIVE, extra={"fault": fault})
        elif fault is None and self.fault is not None:
            _LOG.warning(ARCHIVES_AGAIN)
        self.fault = fault


def _take(folder: Path) -> int | None:
    """Return a descriptor that holds a spool, or None where its worker does."""
    descriptor = os.open(folder / HEADER_NAME, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _holds_more(path: Path, end: int) -> bool:
    """Tell whether a whole file of the archive goes further than an offset."""
    try:
        return Archive.open(path).footer.end > end
    except (ArchiveDamaged, FileNotFoundError):
        return False


def _last_accepted(path: Path, now: float) -> float:
    """Return when the last record of an archive was accepted; one that cannot be read, or has none, stays."""
    try:
        return Archive.open(path).footer.last_accepted or now
    except (ArchiveDamaged, OSError):
        return now
