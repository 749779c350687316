import hashlib
import json
import struct
import zlib
from pathlib import Path

import pytest

from adserver.counting.records import RECORD_BYTES, decode, encode, event_record
from adserver.domain.ids import IdHash
from adserver.domain.reasons import EventKind
from adserver.domain.token import Token
from adserver.domain.variants import Variant
from adserver.keeping.archive import Archive, ArchiveDamaged, ArchiveWriter, Footer, archive_path, archives_in
from adserver.keeping.disk import Disk

SPOOL = "00112233445566ff"
DAY = 86_400


def view(number: int, *, day: int = 20_000, reader: int = 0) -> bytes:
    token = Token(
        issuer=b"issuer",
        shard=1,
        sequence=number,
        issued_second=day * DAY + 7,
        flight=IdHash(b"flight"),
        creative=IdHash(b"creati"),
        slot=IdHash(b"slot5"),
        place=IdHash(b"place"),
        topic=IdHash(b"topi"),
        variant=Variant.AUTO,
    )
    return encode(event_record(token, EventKind.SEEN, None, Variant.SHORT, day * DAY + 9, reader))


def archived(folder: Path, *parts: bytes) -> Archive:
    writer = ArchiveWriter(folder, SPOOL, 640, Disk())
    for part in parts:
        writer.add(part)
    writer.finish(640 + sum(map(len, parts)))
    return Archive.open(writer.path)


def test_what_was_put_away_comes_back_with_what_is_said_of_it(tmp_path: Path) -> None:
    records = [view(n, day=20_000 + n % 2) for n in range(5)]
    archive = archived(tmp_path / "archive", b"".join(records[:2]), b"".join(records[2:]))

    assert b"".join(archive.chunks()) == b"".join(records)
    assert archive.footer == Footer(
        spool=SPOOL,
        start=640,
        end=960,
        records=5,
        corrupt=0,
        first_accepted=20_000 * DAY + 9,
        last_accepted=20_001 * DAY + 9,
        days={20_000: 3, 20_001: 2},
    )
    assert [path.name for path in archives_in(tmp_path / "archive")] == [f"{SPOOL}-00000000000000000640.archive"]


def test_a_file_is_laid_out_the_same_for_ever(tmp_path: Path) -> None:
    archive = archived(tmp_path, view(1))
    data = archive.path.read_bytes()

    length, crc = struct.unpack(">II", data[-24:-16])
    footer = data[-24 - length : -24]
    assert data[:8] == b"ADARCH01"
    assert zlib.decompress(data[8 : -24 - length]) == view(1)
    assert zlib.crc32(footer) == crc
    assert data[-16:] == hashlib.blake2b(data[:-16], digest_size=16).digest()
    assert json.loads(footer) == {
        "version": 1,
        "spool": SPOOL,
        "start": 640,
        "end": 704,
        "records": 1,
        "corrupt": 0,
        "left_out": [],
        "first_accepted": 20_000 * DAY + 9,
        "last_accepted": 20_000 * DAY + 9,
        "days": {"20000": 1},
    }


def test_nothing_of_a_reader_is_put_away_and_the_rest_of_the_record_stays(tmp_path: Path) -> None:
    archive = archived(tmp_path, view(1, reader=0xDEADBEEF) + view(2))

    data = b"".join(archive.chunks())

    assert data == view(1) + view(2)
    assert bytes.fromhex("deadbeef") not in data


def test_damaged_records_are_left_out_and_counted(tmp_path: Path) -> None:
    archive = archived(tmp_path, view(1) + b"x" * RECORD_BYTES + view(2))

    assert b"".join(archive.chunks()) == view(1) + view(2)
    assert (archive.footer.records, archive.footer.corrupt, archive.footer.left_out) == (2, 1, ((1, 1),))
    assert archive.footer.end - archive.footer.start == 3 * RECORD_BYTES


def test_many_records_come_in_parts_that_fit_memory(tmp_path: Path) -> None:
    part = view(1) * 16_384
    archive = archived(tmp_path, part, part, part)

    sizes = [len(data) for data in archive.chunks()]

    assert sum(sizes) == 3 * len(part)
    assert max(sizes) <= 1 << 20
    assert archive.path.stat().st_size < len(part) / 20


@pytest.mark.parametrize("place", [0, 7, 8, 40, -1, -17, -20, -60])
def test_a_changed_byte_is_noticed(tmp_path: Path, place: int) -> None:
    path = archived(tmp_path, b"".join(view(n) for n in range(30))).path
    data = bytearray(path.read_bytes())
    data[place] ^= 0x04
    path.write_bytes(data)

    with pytest.raises(ArchiveDamaged):
        list(Archive.open(path).chunks())


@pytest.mark.parametrize("size", [0, 7, 31, 100])
def test_a_file_cut_short_is_noticed(tmp_path: Path, size: int) -> None:
    path = archived(tmp_path, b"".join(view(n) for n in range(30))).path
    path.write_bytes(path.read_bytes()[:size])

    with pytest.raises(ArchiveDamaged):
        list(Archive.open(path).chunks())


def test_a_draft_left_by_a_crash_is_no_archive_and_is_written_over(tmp_path: Path) -> None:
    archive_path(tmp_path, SPOOL, 640).with_suffix(".draft").write_bytes(b"ADARCH01" + b"half" * 100)
    assert archives_in(tmp_path) == []

    archived(tmp_path, view(2))

    assert [path.suffix for path in tmp_path.iterdir()] == [".archive"]


def test_what_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    writer = ArchiveWriter(tmp_path, SPOOL, 640, Disk())
    writer.add(view(1))
    writer.give_up()

    assert list(tmp_path.iterdir()) == []


def test_decoding_what_was_put_away_gives_the_same_records_but_for_the_reader(tmp_path: Path) -> None:
    archive = archived(tmp_path, view(3, reader=77))
    [record] = decode(b"".join(archive.chunks()))
    [before] = decode(view(3, reader=77))

    assert before is not None
    assert record == before._replace(reader=0)  # type: ignore[union-attr]
