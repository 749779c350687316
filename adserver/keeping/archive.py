"""A segment of a spool put away for good: compressed, self-checking, with nothing of a reader in it.

Layout, version 1:

    bytes 0..7   `ADARCH01`
    then         a zlib stream of the segment's good records, 64 bytes each, in their order; the reader's daily hash in
                 each is 0
    then         the footer, JSON: see `Footer`
    last 24      length of the footer (4 bytes, big-endian), its CRC-32 (4), and the keyless BLAKE2b-128 of all bytes
                 before it

A file is named by the spool and the offset at which its segment started, so that putting the same segment away twice
makes the same file. It is written beside its place and moved there when all of it is on the disk.
"""

import hashlib
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

import msgspec

from adserver.counting.records import RECORD_BYTES, Record, decode
from adserver.domain.errors import AdserverError
from adserver.keeping.disk import Disk

ARCHIVE_NAME: Final = "archive"
"""The folder in the data folder."""
ARCHIVE_SUFFIX: Final = ".archive"

_MAGIC: Final = b"ADARCH01"
_VERSION: Final = 1
_TRAILER: Final = struct.Struct(">II")
_DIGEST_BYTES: Final = 16
_TRAILER_BYTES: Final = _TRAILER.size + _DIGEST_BYTES
_CHUNK_BYTES: Final = 1 << 20
_DAY_SECONDS: Final = 86_400
_READER: Final = slice(54, 58)
_NO_READER: Final = bytes(4)
_CRC_AT: Final = 60
_CRC: Final = struct.Struct(">I")


class ArchiveDamaged(AdserverError):
    """A file of the archive is not whole, or was not written by this version."""


class Footer(msgspec.Struct, frozen=True, kw_only=True):
    """What a file of the archive holds. Immutable."""

    version: int = _VERSION
    spool: str
    start: int
    """Offset in bytes at which the segment started in its spool."""
    end: int
    records: int
    corrupt: int
    """Records of the segment that were none, and are left out here; they were counted as dropped."""
    left_out: tuple[tuple[int, int], ...] = ()
    """Where those stood: number of the first within the segment, and how many in a row."""
    first_accepted: int
    """Unix time; 0 where there is no record."""
    last_accepted: int
    days: dict[int, int]
    """How many records there are of decisions made on each day (UTC, since 1970)."""


class ArchiveWriter:
    """Writes one file of the archive, a part at a time; nothing stands in its place before all is on the disk.

    For the keeper's one thread.
    """

    def __init__(self, folder: Path, spool_id: str, start: int, disk: Disk) -> None:
        """Begin a draft in `folder`, which is made; one left behind by a crash is written over.

        Raises:
            OSError: the disk refuses.
        """
        folder.mkdir(exist_ok=True, mode=0o700)
        self._folder = folder
        self._disk = disk
        self._spool_id = spool_id
        self._start = start
        self.path = archive_path(folder, spool_id, start)
        self._draft = self.path.with_suffix(".draft")
        descriptor = os.open(self._draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(descriptor, "wb")
        self._digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
        self._packer = zlib.compressobj(6)
        self._records = self._corrupt = self._first = self._last = 0
        self._days: dict[int, int] = {}
        self._left_out: list[tuple[int, int]] = []
        self._put(_MAGIC)

    def add(self, data: bytes) -> None:
        """Take the next whole records of the segment.

        Raises:
            OSError: the disk refuses; give it up.
        """
        kept: list[bytes] = []
        seen = self._records + self._corrupt
        for position, record in enumerate(decode(data)):
            if not isinstance(record, Record):
                self._corrupt += 1
                self._leave_out(seen + position)
                continue
            kept.append(without_reader(data[position * RECORD_BYTES : (position + 1) * RECORD_BYTES]))
            day = record.issued_second // _DAY_SECONDS
            self._days[day] = self._days.get(day, 0) + 1
            self._first = self._first or record.accepted_second
            self._last = max(self._last, record.accepted_second)
        self._records += len(kept)
        self._put(self._packer.compress(b"".join(kept)))

    def finish(self, end: int) -> Footer:
        """Bring all to the disk and the file into its place; `end` is the offset at which the segment ends.

        Raises:
            OSError: the disk refuses; give it up.
        """
        self._put(self._packer.flush())
        footer = Footer(
            spool=self._spool_id,
            start=self._start,
            end=end,
            records=self._records,
            corrupt=self._corrupt,
            left_out=tuple(self._left_out),
            first_accepted=self._first,
            last_accepted=self._last,
            days=self._days,
        )
        text = msgspec.json.encode(footer)
        self._put(text + _TRAILER.pack(len(text), zlib.crc32(text)))
        self._file.write(self._digest.digest())
        self._disk.sync(self._file)
        self._file.close()
        self._disk.rename(self._draft, self.path)
        self._disk.sync_folder(self._folder)
        return footer

    def give_up(self) -> None:
        """Leave nothing behind."""
        with suppress(OSError):  # its buffer may not fit on the disk; the draft goes anyway
            self._file.close()
        self._draft.unlink(missing_ok=True)

    def _leave_out(self, number: int) -> None:
        first, count = self._left_out[-1] if self._left_out else (0, 0)
        if self._left_out and first + count == number:
            self._left_out[-1] = (first, count + 1)
        else:
            self._left_out.append((number, 1))

    def _put(self, data: bytes) -> None:
        self._digest.update(data)
        self._file.write(data)


class Archive:
    """A file of the archive, to read. Immutable."""

    def __init__(self, path: Path, footer: Footer, body_bytes: int) -> None:
        """Take what `open` found."""
        self.path = path
        self.footer = footer
        self._body_bytes = body_bytes

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read what a file says of itself.

        Raises:
            ArchiveDamaged: it is not whole, or of another version.
            OSError: it cannot be read.
        """
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < len(_MAGIC) + _TRAILER_BYTES or file.read(len(_MAGIC)) != _MAGIC:
                raise ArchiveDamaged(f"{path} is no archive of this version")
            file.seek(size - _TRAILER_BYTES)
            length, crc = _TRAILER.unpack(file.read(_TRAILER.size))
            start = size - _TRAILER_BYTES - length
            if start < len(_MAGIC):
                raise ArchiveDamaged(f"{path} is damaged at its end")
            file.seek(start)
            text = file.read(length)
        if zlib.crc32(text) != crc:
            raise ArchiveDamaged(f"{path} is damaged at its end")
        try:
            footer = msgspec.json.decode(text, type=Footer)
        except msgspec.DecodeError as error:
            raise ArchiveDamaged(f"{path} is of another version") from error
        if footer.version != _VERSION:
            raise ArchiveDamaged(f"{path} is of version {footer.version}, which this release cannot read")
        return cls(path, footer, start)

    def chunks(self) -> Iterator[bytes]:
        """Yield all records, many at a time, about a megabyte each.

        Raises:
            ArchiveDamaged: at the end, where the file is not what was written; or before, where it cannot be unpacked.
            OSError: it cannot be read.
        """
        digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
        unpacker = zlib.decompressobj()
        records, rest = 0, b""
        with self.path.open("rb") as file:
            digest.update(file.read(len(_MAGIC)))
            left = self._body_bytes - len(_MAGIC)
            while left:
                packed = file.read(min(left, _CHUNK_BYTES // 4))
                if not packed:
                    raise ArchiveDamaged(f"{self.path} became shorter while it was read")
                left -= len(packed)
                digest.update(packed)
                for data in self._unpacked(unpacker, packed):
                    rest += data
                    whole = len(rest) - len(rest) % RECORD_BYTES
                    records += whole // RECORD_BYTES
                    yield rest[:whole]
                    rest = rest[whole:]
            tail = file.read()
        digest.update(tail[:-_DIGEST_BYTES])
        if rest or records != self.footer.records or digest.digest() != tail[-_DIGEST_BYTES:]:
            raise ArchiveDamaged(f"{self.path} is damaged: its checksum is not that of its bytes")

    def _unpacked(self, unpacker: "zlib._Decompress", packed: bytes) -> Iterator[bytes]:
        """Yield what a packed part holds, never more than a megabyte at a time."""
        try:
            while packed:
                yield unpacker.decompress(packed, _CHUNK_BYTES)
                packed = unpacker.unconsumed_tail
        except zlib.error as error:
            raise ArchiveDamaged(f"{self.path} is damaged: {error}") from error


def archive_path(folder: Path, spool_id: str, start: int) -> Path:
    """Return where the segment of a spool that starts at an offset is put away."""
    return folder / f"{spool_id}-{start:020d}{ARCHIVE_SUFFIX}"


def archives_in(folder: Path) -> list[Path]:
    """Return the files of an archive, by spool and offset; none where there is no folder."""
    return sorted(folder.glob(f"*{ARCHIVE_SUFFIX}"))


def without_reader(record: bytes) -> bytes:
    """Return the 64 bytes of a good record without the reader's daily hash, checksum made anew."""
    if record[_READER] == _NO_READER:
        return record
    body = record[: _READER.start] + _NO_READER + record[_READER.stop : _CRC_AT]
    return body + _CRC.pack(zlib.crc32(body))
