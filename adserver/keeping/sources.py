"""What was recorded, wherever it stands: in the archive, or in segments of spools that are still kept."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Protocol

from adserver.counting.records import RECORD_BYTES, Record, decode
from adserver.counting.spool import SpoolUnavailable, segment_path
from adserver.keeping.archive import ARCHIVE_NAME, Archive, archive_path, archives_in
from adserver.keeping.tails import SpoolTail

SPOOLS_NAME: Final = "spools"
"""The folder in the data folder."""

_CHUNK_BYTES: Final = 1 << 20
_DAY_SECONDS: Final = 86_400
_LOOKS: Final = 5


class Source(Protocol):
    """A run of records of one spool."""

    @property
    def spool_id(self) -> str:
        """16 hex digits."""

    @property
    def start(self) -> int:
        """Offset in bytes at which it starts in its spool."""

    @property
    def end(self) -> int:
        """Offset behind its last byte."""

    @property
    def days(self) -> Mapping[int, int]:
        """How many records there are of decisions made on each day (UTC, since 1970)."""

    @property
    def first_accepted(self) -> int:
        """Unix time of its first record; 0: it has none."""

    def records(self) -> Iterator[tuple[int, Record]]:
        """Yield each good record with its offset; raises as `chunks` does."""

    def chunks(self) -> Iterator[tuple[int | None, bytes]]:
        """Yield records, many at a time, with the offset of the first; None: all of them were counted before.

        Raises:
            ArchiveDamaged: it is not what was written.
            OSError: it cannot be read.
        """


@dataclass(frozen=True, slots=True)
class ArchivedSource:
    """A file of the archive. Immutable."""

    archive: Archive

    @property
    def spool_id(self) -> str:
        """16 hex digits."""
        return self.archive.footer.spool

    @property
    def start(self) -> int:
        """Offset of the first byte."""
        return self.archive.footer.start

    @property
    def end(self) -> int:
        """Offset behind the last byte."""
        return self.archive.footer.end

    @property
    def days(self) -> Mapping[int, int]:
        """Records by day of decision."""
        return self.archive.footer.days

    @property
    def first_accepted(self) -> int:
        """Unix time."""
        return self.archive.footer.first_accepted

    def records(self) -> Iterator[tuple[int, Record]]:
        """Yield each record with the offset at which it stood in its segment."""
        number, gone = 0, list(reversed(self.archive.footer.left_out))
        for data in self.archive.chunks():
            for record in decode(data):
                while gone and gone[-1][0] == number:
                    number += gone.pop()[1]
                if isinstance(record, Record):
                    yield self.start + number * RECORD_BYTES, record
                number += 1

    def chunks(self) -> Iterator[tuple[int | None, bytes]]:
        """Yield all records; a segment is archived only when all of it is counted."""
        for data in self.archive.chunks():
            yield None, data

    def placed_chunks(self) -> Iterator[tuple[int, bytes]]:
        """Yield records, many at a time, with the offset at which the first stood in its spool; raises as `chunks`."""
        number, gone = 0, list(reversed(self.archive.footer.left_out))
        for data in self.archive.chunks():
            at = 0
            while at < len(data):
                while gone and gone[-1][0] == number:
                    number += gone.pop()[1]
                size = (gone[-1][0] - number) * RECORD_BYTES if gone else len(data)
                some = data[at : at + size]
                yield self.start + number * RECORD_BYTES, some
                number += len(some) // RECORD_BYTES
                at += len(some)


@dataclass(frozen=True)
class SegmentSource:
    """A segment of a spool as long as it was when it was looked at. Immutable, but for what it remembers."""

    folder: Path
    spool_id: str
    start: int
    end: int

    @cached_property
    def days(self) -> Mapping[int, int]:
        """Records by day of decision; reads the segment once."""
        days: dict[int, int] = defaultdict(int)
        for _, data in self.chunks():
            for record in decode(data):
                if isinstance(record, Record):
                    days[record.issued_second // _DAY_SECONDS] += 1
        return days

    @cached_property
    def first_accepted(self) -> int:
        """Unix time of the first good record."""
        records = (record for _, data in self.chunks() for record in decode(data) if isinstance(record, Record))
        return next((record.accepted_second for record in records), 0)

    def records(self) -> Iterator[tuple[int, Record]]:
        """Yield each good record with its offset."""
        for offset, data in self.chunks():
            for number, record in enumerate(decode(data)):
                if isinstance(record, Record):
                    yield (offset or 0) + number * RECORD_BYTES, record

    def chunks(self) -> Iterator[tuple[int | None, bytes]]:
        """Yield all records; from the archive, where the segment was put away since it was looked at."""
        try:
            file = segment_path(self.folder, self.start).open("rb")
        except FileNotFoundError:
            path = archive_path(self.folder.parent.parent / ARCHIVE_NAME, self.spool_id, self.start)
            for offset, data in ArchivedSource(Archive.open(path)).placed_chunks():
                if offset < self.end:  # it may have grown before it was put away
                    yield offset, data[: self.end - offset]
            return
        with file:
            for offset in range(self.start, self.end, _CHUNK_BYTES):
                yield offset, file.read(min(_CHUNK_BYTES, self.end - offset))


@dataclass(frozen=True, slots=True)
class Missing:
    """Bytes of a spool that stand nowhere any more. Immutable."""

    spool_id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Records:
    """All that the data folders of some hosts still have. Immutable."""

    sources: tuple[Source, ...]
    living: frozenset[str]
    """Spools that still have a folder."""

    @property
    def missing(self) -> tuple[Missing, ...]:
        """What stands between the start of each spool and its last byte here, and is gone."""
        by_spool: dict[str, list[Source]] = defaultdict(list)
        for source in self.sources:
            by_spool[source.spool_id].append(source)
        return tuple(hole for spool, sources in sorted(by_spool.items()) for hole in _holes(spool, sources))

    @property
    def complete_from(self) -> int:
        """Unix time: whatever was decided from then on is here whole; 0: everything is.

        Archives that were kept long enough are deleted from a spool's start; what was accepted after them was accepted
        later than all that they held.
        """
        first: dict[str, Source] = {}
        for source in self.sources:
            if source.spool_id not in first or source.start < first[source.spool_id].start:
                first[source.spool_id] = source
        return max((source.first_accepted for source in first.values() if source.start), default=0)


def find_records(folders: Iterable[Path]) -> Records:
    """Return what the given data folders hold, each byte of a spool once; a keeper may put segments away meanwhile.

    Raises:
        ArchiveDamaged: a file of an archive is not whole.
        OSError: a folder cannot be read.
    """
    folders = tuple(folders)
    for _ in range(_LOOKS - 1):
        try:
            return _find_records(folders)
        except FileNotFoundError:  # put away between the look at its folder and the one at itself
            continue
    return _find_records(folders)


def _find_records(folders: Sequence[Path]) -> Records:
    found: dict[tuple[str, int], Source] = {}
    living: set[str] = set()
    for folder in folders:
        for segment in _segments(folder / SPOOLS_NAME, living):
            found[segment.spool_id, segment.start] = segment
    for folder in folders:
        for path in archives_in(folder / ARCHIVE_NAME):
            archived = ArchivedSource(Archive.open(path))
            found[archived.spool_id, archived.start] = archived
    return Records(tuple(found[key] for key in sorted(found)), frozenset(living))


def _segments(spools: Path, living: set[str]) -> Iterator[SegmentSource]:
    for folder in sorted(spools.iterdir()) if spools.is_dir() else ():
        try:
            tail = SpoolTail(folder)
        except SpoolUnavailable:
            continue
        try:
            living.add(tail.spool_id)
            for start, size in tail.segments():
                if size:
                    yield SegmentSource(folder, tail.spool_id, start, start + size)
        finally:
            tail.close()


def _holes(spool_id: str, sources: Sequence[Source]) -> Iterator[Missing]:
    at = 0
    for source in sorted(sources, key=lambda one: one.start):
        if source.start > at + RECORD_BYTES:  # behind half a record, a segment begins one record further
            yield Missing(spool_id, at, source.start)
        at = max(at, source.end)
