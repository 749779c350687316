import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from adserver.counting.records import RECORD_BYTES, encode, event_record
from adserver.counting.spool import (
    HEADER_NAME,
    SEGMENT_SECONDS,
    SpoolUnavailable,
    SpoolWriter,
    segment_path,
    segment_starts,
)
from adserver.domain.reasons import EventKind, InvalidReason
from adserver.domain.variants import Variant
from adserver.keeping.tails import SpoolTail

RECORD = b"r" * 64


def test_records_are_found_again_where_they_were_written(tmp_path: Path) -> None:
    writer = SpoolWriter.open_in(tmp_path)
    assert writer.append(RECORD + b"s" * 64) == 2

    tail = SpoolTail(tmp_path / "0")
    assert tail.sync() == 128
    assert tail.read(64, 1_000) == b"s" * 64
    assert tail.spool_id == writer.spool_id


def test_each_writer_has_a_spool_of_its_own_and_one_let_go_is_continued(tmp_path: Path) -> None:
    first, second = SpoolWriter.open_in(tmp_path), SpoolWriter.open_in(tmp_path)
    first.append(RECORD)
    spool_id = first.spool_id
    assert spool_id != second.spool_id

    first.close()
    third = SpoolWriter.open_in(tmp_path)

    assert (third.spool_id, third.offset) == (spool_id, 64)


def test_what_is_not_synced_is_not_given_out(tmp_path: Path) -> None:
    writer = SpoolWriter.open_in(tmp_path)
    tail = SpoolTail(tmp_path / "0")
    writer.append(RECORD)
    tail.sync()
    writer.append(RECORD)

    assert tail.read(0, 1_000) == RECORD
    assert tail.read(64, 1_000) == b""


def test_segments_rotate_and_offsets_go_on(tmp_path: Path) -> None:
    writer = SpoolWriter.open_in(tmp_path, segment_bytes=128)
    for letter in b"abcde":
        writer.append(bytes([letter]) * 64)
    tail = SpoolTail(tmp_path / "0")
    tail.sync()

    assert segment_starts(tmp_path / "0") == [0, 128, 256]
    assert tail.synced == writer.offset == 320
    assert [tail.read(offset, 64)[:1] for offset in range(0, 320, 64)] == [b"a", b"b", b"c", b"d", b"e"]
    assert tail.read(64, 1_000) == b"b" * 64  # no further than its segment


def test_a_torn_record_is_cut_when_the_spool_is_taken_again(tmp_path: Path) -> None:
    writer = SpoolWriter.open_in(tmp_path)
    writer.append(RECORD)
    writer.close()
    segment = tmp_path / "0" / f"{0:020d}.spool"
    with segment.open("ab") as file:
        file.write(b"torn")

    again = SpoolWriter.open_in(tmp_path)
    again.append(b"n" * 64)

    assert segment.read_bytes() == RECORD + b"n" * 64


def test_a_short_write_is_cut_back_and_the_next_record_stands_whole(tmp_path: Path) -> None:
    script = f"""
import resource, signal
from pathlib import Path
from adserver.counting.spool import SpoolWriter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
writer = SpoolWriter.open_in(Path({str(tmp_path)!r}))
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
counts = [writer.append(b"a" * 64), writer.append(b"b" * 64)]
writer.declare_dropped(1)
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
counts.append(writer.append(b"c" * 64))
print(counts, writer.dropped)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[1, 0, 1] 1"
    assert (tmp_path / "0" / f"{0:020d}.spool").read_bytes() == b"a" * 64 + b"c" * 64
    assert SpoolTail(tmp_path / "0").dropped == 1


def test_the_spool_of_a_killed_process_is_free_and_keeps_its_records_and_drops(tmp_path: Path) -> None:
    script = f"""
import os, signal
from pathlib import Path
from adserver.counting.spool import SpoolWriter
writer = SpoolWriter.open_in(Path({str(tmp_path)!r}))
writer.append(b"r" * 64)
writer.declare_dropped(3)
print(os.getpid(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL

    writer = SpoolWriter.open_in(tmp_path)
    print(f"killed {done.stdout.strip()}; before: 1 record, 3 drops; after: {writer.offset // 64}, {writer.dropped}")

    assert (writer.offset, writer.dropped) == (64, 3)


def test_threads_that_append_at_once_never_mix_their_records(tmp_path: Path) -> None:
    writer = SpoolWriter.open_in(tmp_path, segment_bytes=64 * 50)

    def append(letter: int) -> None:
        for _ in range(100):
            writer.append(bytes([letter]) * 64)

    threads = [threading.Thread(target=append, args=(letter,)) for letter in b"abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    tail = SpoolTail(tmp_path / "0")
    tail.sync()
    records = [tail.read(offset, 64) for offset in range(0, tail.synced, 64)]
    assert sorted(records) == sorted(bytes([letter]) * 64 for letter in b"abcd" for _ in range(100))


def test_many_that_begin_at_once_have_a_spool_each(tmp_path: Path) -> None:
    barrier = threading.Barrier(16)
    writers: list[SpoolWriter] = []

    def begin() -> None:
        barrier.wait()
        writers.append(SpoolWriter.open_in(tmp_path))

    threads = [threading.Thread(target=begin) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({writer.spool_id for writer in writers}) == 16
    assert {SpoolTail(tmp_path / str(number)).spool_id for number in range(16)} == {w.spool_id for w in writers}
    assert not list(tmp_path.glob(f"*/{HEADER_NAME}.*"))


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")

    with pytest.raises(SpoolUnavailable, match="cannot open a spool"):
        SpoolWriter.open_in(blocked)


def test_a_header_that_is_no_spools_is_left_for_someone_to_look_at(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / HEADER_NAME).write_bytes(b"something else")

    writer = SpoolWriter.open_in(tmp_path)
    writer.append(RECORD)

    assert (tmp_path / "0" / HEADER_NAME).read_bytes() == b"something else"
    assert segment_starts(tmp_path / "1") == [0]
    with pytest.raises(SpoolUnavailable):
        SpoolTail(tmp_path / "0")


def test_a_closed_spool_leaves_no_file_open(tmp_path: Path) -> None:
    before = open_files()
    writer = SpoolWriter.open_in(tmp_path)
    writer.append(RECORD)
    assert open_files() > before

    writer.close()

    assert open_files() == before


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def test_a_torn_record_that_cannot_be_cut_back_is_left_behind_in_a_segment_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = SpoolWriter.open_in(tmp_path)
    writer.append(RECORD)
    write = os.write

    def refuse(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:30]))
        patch.setattr(os, "ftruncate", refuse)
        assert writer.append(b"t" * 64) == 0
    assert writer.append(b"n" * 64) == 1

    tail = SpoolTail(tmp_path / "0")
    tail.sync()
    assert segment_starts(tmp_path / "0") == [0, 128]
    assert (tail.read(0, 1_000), tail.read(64, 1_000), tail.following(64)) == (RECORD, b"", 128)
    assert tail.read(128, 1_000) == b"n" * 64


def test_other_files_in_a_spools_folder_are_left_alone(tmp_path: Path) -> None:
    writer = SpoolWriter.open_in(tmp_path)
    (tmp_path / "0" / "backup.spool").write_bytes(RECORD)
    (tmp_path / "0" / "1.spool").write_bytes(RECORD)
    writer.append(RECORD)

    assert segment_starts(tmp_path / "0") == [0]
    assert SpoolTail(tmp_path / "0").sync() == 64


def test_a_closed_spool_takes_nothing_more(tmp_path: Path) -> None:
    writer = SpoolWriter.open_in(tmp_path)
    writer.append(RECORD)
    writer.close()
    writer.close()

    assert writer.append(RECORD) == 0
    assert SpoolTail(tmp_path / "0").sync() == 64


def test_bytes_are_synced_before_they_are_given_out_and_the_folder_when_a_segment_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = SpoolWriter.open_in(tmp_path, segment_bytes=64)
    tail = SpoolTail(tmp_path / "0")
    synced: list[str] = []

    def note(kind: str) -> Callable[[int], None]:
        def sync(descriptor: int) -> None:
            assert tail.synced == before
            synced.append(f"{kind} {Path(f'/proc/self/fd/{descriptor}').readlink().name}")

        return sync

    monkeypatch.setattr(os, "fdatasync", note("file"))
    monkeypatch.setattr(os, "fsync", note("folder"))
    before = 0
    writer.append(RECORD)
    tail.sync()
    assert synced == [f"file {0:020d}.spool", "folder 0"]

    synced.clear()
    before = 64
    tail.sync()
    assert synced == []

    writer.append(RECORD)
    tail.sync()
    assert synced == [f"file {64:020d}.spool", "folder 0"]


def test_what_the_disk_refuses_to_sync_is_not_given_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = SpoolWriter.open_in(tmp_path)
    tail = SpoolTail(tmp_path / "0")
    writer.append(RECORD)

    def refuse(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", refuse)
    with pytest.raises(OSError, match="Input/output"):
        tail.sync()

    assert tail.read(0, 1_000) == b""


def test_an_aged_segment_is_closed_so_that_it_can_be_put_away(tmp_path: Path) -> None:
    def record(second: int) -> bytes:
        return encode(event_record(None, EventKind.SEEN, InvalidReason.SIGNATURE, Variant.AUTO, second))

    writer = SpoolWriter.open_in(tmp_path)
    writer.close_aged_segment(9_000_000)
    writer.append(record(1_000_000) + record(1_010_000))
    writer.close()
    again = SpoolWriter.open_in(tmp_path)
    again.close_aged_segment(1_000_000 + SEGMENT_SECONDS - 1)
    assert segment_starts(tmp_path / "0") == [0]

    again.close_aged_segment(1_000_000 + SEGMENT_SECONDS)
    again.close_aged_segment(9_000_000)
    again.append(record(9_000_001))

    assert segment_starts(tmp_path / "0") == [0, 2 * RECORD_BYTES]
    assert again.offset == 3 * RECORD_BYTES


def test_a_spool_that_is_removed_while_a_worker_takes_it_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    SpoolWriter.open_in(tmp_path).close()
    flock = fcntl.flock

    def remove_before(descriptor: int, how: int) -> None:
        if (tmp_path / "0" / HEADER_NAME).exists():
            (tmp_path / "0" / HEADER_NAME).unlink()
        flock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", remove_before)
    SpoolWriter.open_in(tmp_path).append(RECORD)

    assert segment_starts(tmp_path / "0") == [0]
    assert segment_path(tmp_path / "0", 0).stat().st_size == 0
    assert segment_path(tmp_path / "1", 0).stat().st_size == 64
