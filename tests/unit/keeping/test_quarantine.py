import logging
from pathlib import Path

import pytest

from adserver.counting.records import CORRUPT, RECORD_BYTES, decode, encode, event_record
from adserver.domain.reasons import EventKind
from adserver.domain.variants import Variant
from adserver.keeping.quarantine import CORRUPT_RECORDS, NOT_KEPT, QUARANTINE_NAME, Quarantine, holds_any

GOOD = encode(event_record(None, EventKind.SEEN, None, Variant.AUTO, 1_800_000_000))
START = 640


def bad(letter: bytes) -> bytes:
    return letter * RECORD_BYTES


def bad_of(data: bytes) -> list[int]:
    return [number for number, record in enumerate(decode(data)) if record is CORRUPT]


def keep(folder: Path, data: bytes, start: int = START) -> dict[str, bytes]:
    """Put aside what is no record in `data`, and return what is kept by file name."""
    Quarantine(folder / QUARANTINE_NAME).keep("00ff", start, data, bad_of(data))
    return {path.name: path.read_bytes() for path in (folder / QUARANTINE_NAME).glob("*")}


def test_good_records_are_left_where_they_are(tmp_path: Path) -> None:
    assert keep(tmp_path, GOOD * 3) == {}
    assert not (tmp_path / QUARANTINE_NAME).exists()
    assert not holds_any(tmp_path)


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        (GOOD + bad(b"x") + GOOD, {704: bad(b"x")}),
        (bad(b"x") + GOOD, {640: bad(b"x")}),
        (GOOD + bad(b"x"), {704: bad(b"x")}),
        (bad(b"x") + bad(b"y") + GOOD + bad(b"z"), {640: bad(b"x") + bad(b"y"), 832: bad(b"z")}),
    ],
)
def test_bad_bytes_are_kept_by_spool_and_offset_in_one_file_a_run(
    tmp_path: Path, data: bytes, kept: dict[int, bytes]
) -> None:
    assert keep(tmp_path, data) == {f"00ff-{offset:020d}.bad": text for offset, text in kept.items()}
    assert holds_any(tmp_path)


def test_the_same_bytes_again_after_a_replay_are_the_same_file(tmp_path: Path) -> None:
    once = keep(tmp_path, GOOD + bad(b"x"))
    assert keep(tmp_path, GOOD + bad(b"x")) == once


def test_what_was_put_aside_is_said_without_its_bytes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    keep(tmp_path, bad(b"x") * 2)
    [line] = caplog.records
    assert (line.message, line.levelno) == (CORRUPT_RECORDS, logging.ERROR)
    assert vars(line)["spool"] == "00ff"
    assert (vars(line)["offset"], vars(line)["records"]) == (START, 2)


def test_a_disk_that_takes_nothing_is_said_and_counting_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / QUARANTINE_NAME).write_text("a file stands where the folder should")
    Quarantine(tmp_path / QUARANTINE_NAME).keep("00ff", 0, bad(b"x"), [0])
    assert [line.message for line in caplog.records] == [CORRUPT_RECORDS, NOT_KEPT]
