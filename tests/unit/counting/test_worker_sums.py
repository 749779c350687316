from pathlib import Path

import msgspec
import pytest

from adserver.counting.tally import Tally
from adserver.counting.worker_sums import (
    COUNTED,
    FILLED,
    UNKNOWN_SLOT,
    SumsFile,
    WorkerSums,
    read_worker_sums,
)
from adserver.domain.ids import IdHash, Kind, SlotId, id_hash
from adserver.domain.reasons import EventKind, InvalidReason, NoFillReason

MASTHEAD = id_hash(Kind.SLOT, "masthead")


class Worker:
    """What a worker keeps of the kind: a tally, and a file that the test flushes."""

    def __init__(self, folder: Path, revision: int = 7) -> None:
        self.tally = Tally()
        names = {MASTHEAD: SlotId("masthead")}
        self.file = SumsFile(folder, self.tally, names.get, lambda: revision)

    def see(self, times: int) -> None:
        for _ in range(times):
            self.tally.event(EventKind.SEEN, None)
        self.file.flush()


def total(folder: Path) -> WorkerSums:
    sums = WorkerSums()
    for found in read_worker_sums(folder):
        sums = sums.plus(found.sums)
    return sums


def seen(folder: Path) -> int:
    return total(folder).events.get("seen", {}).get(COUNTED, 0)


def test_what_was_tallied_stands_in_the_file_by_the_names_of_the_catalog(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    worker.tally.decisions(MASTHEAD, None, 2)
    worker.tally.decisions(MASTHEAD, NoFillReason.PLACE, 1)
    worker.tally.decisions(Kind.SLOT.unknown, NoFillReason.UNKNOWN_SLOT, 4)
    worker.tally.decisions(IdHash(b"gone!"), None, 1)
    worker.tally.event(EventKind.CLICK, InvalidReason.BOT)
    worker.tally.log_line("error")
    worker.tally.untrusted_proxy()
    worker.file.flush()

    [found] = read_worker_sums(tmp_path)

    assert found.alive
    assert found.sums.revision == 7
    assert found.sums.decisions == {
        "masthead": {FILLED: 2, "place": 1},
        UNKNOWN_SLOT: {"unknown_slot": 4, FILLED: 1},
    }
    assert found.sums.events == {"click": {"bot": 1}}
    assert (found.sums.log_lines, found.sums.untrusted_proxies) == ({"error": 1}, 1)
    worker.file.close()


def test_a_worker_goes_on_from_what_one_that_is_gone_has_left(tmp_path: Path) -> None:
    first = Worker(tmp_path)
    first.see(3)
    first.file.close()
    assert [found.alive for found in read_worker_sums(tmp_path)] == [False]

    second = Worker(tmp_path)
    second.see(2)

    assert seen(tmp_path) == 5
    assert len(read_worker_sums(tmp_path)) == 1
    second.file.close()


def test_workers_at_once_have_a_file_each_and_sum_up(tmp_path: Path) -> None:
    workers = [Worker(tmp_path, revision) for revision in (7, 8)]
    for worker in workers:
        worker.see(4)

    assert seen(tmp_path) == 8
    assert sorted(found.sums.revision for found in read_worker_sums(tmp_path)) == [7, 8]
    for worker in workers:
        worker.file.close()


def test_a_worker_that_does_nothing_is_seen_all_the_same(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    worker.file.flush()
    assert [found.alive for found in read_worker_sums(tmp_path)] == [True]
    worker.file.close()


def test_nothing_is_written_while_nothing_happens(tmp_path: Path) -> None:
    worker = Worker(tmp_path)
    worker.see(1)
    written = (tmp_path / "0.json").stat().st_ino
    worker.file.flush()
    assert (tmp_path / "0.json").stat().st_ino == written
    worker.file.close()


@pytest.mark.parametrize(
    "damage", [b"", b"{", b'{"version": 2}', msgspec.json.encode(WorkerSums(second_buckets=(1, 2)))]
)
def test_a_file_that_cannot_be_read_counts_for_nothing_and_is_begun_anew(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "0.json").write_bytes(damage)
    assert read_worker_sums(tmp_path) == ()

    worker = Worker(tmp_path)
    worker.see(2)

    assert seen(tmp_path) == 2
    worker.file.close()


def test_what_the_disk_does_not_take_is_written_later_and_once(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    folder.write_text("a file where the folder should be")
    worker = Worker(folder)
    worker.see(3)
    worker.see(1)

    folder.unlink()
    worker.see(1)

    assert seen(folder) == 5
    worker.file.close()


def test_what_failed_to_be_written_after_the_file_was_taken_is_not_added_twice(tmp_path: Path) -> None:
    first = Worker(tmp_path)
    first.see(10)
    first.file.close()
    (tmp_path / "0.draft").mkdir()  # the draft cannot be written

    second = Worker(tmp_path)
    second.see(1)
    assert seen(tmp_path) == 10
    (tmp_path / "0.draft").rmdir()
    second.see(1)

    assert seen(tmp_path) == 12
    second.file.close()
