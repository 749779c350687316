"""A run lasts while anybody takes part in it, and no longer; workers go on only in spools of their own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from adserver.counting import spool
from adserver.counting.spool import SpoolHeader, SpoolWriter
from adserver.counting.spool_run import NO_RUN, RUN_NAME, SpoolRun

RECORD = b"r" * 64
ONE, OTHER = b"run one.", b"another."


def test_all_who_take_part_have_one_run_and_whoever_comes_alone_begins_another(tmp_path: Path) -> None:
    first, second, third = SpoolRun(tmp_path), SpoolRun(tmp_path), SpoolRun(tmp_path)
    run = first.join()
    assert run != NO_RUN
    assert first.join() == second.join() == run
    first.leave()
    assert third.join() == run
    second.leave()
    third.leave()

    assert first.join() != run
    first.leave()


def test_a_run_ends_with_a_process_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from adserver.counting.spool_run import SpoolRun; "
        "run = SpoolRun(Path(sys.argv[1])); print(run.join().hex(), flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    run = bytes.fromhex(child.stdout.readline().strip())
    beside = SpoolRun(tmp_path)
    assert beside.join() == run
    beside.leave()

    os.kill(child.pid, signal.SIGKILL)
    child.wait(10)
    child.stdout.close()

    assert beside.join() != run
    beside.leave()


def test_a_forked_child_takes_part_by_itself(tmp_path: Path) -> None:
    parent = SpoolRun(tmp_path)
    run = parent.join()
    reading, writing = os.pipe()
    if not (child := os.fork()):
        os.write(writing, parent.join())
        parent.leave()
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reading, 8) == run
    os.close(reading)
    os.close(writing)
    assert SpoolRun(tmp_path).join() == parent.join() == run
    parent.leave()


def test_a_folder_that_is_exchanged_beside_a_run_is_of_another(tmp_path: Path) -> None:
    old, new = SpoolRun(tmp_path), SpoolRun(tmp_path)
    run = old.join()
    copy = (tmp_path / RUN_NAME).read_bytes()
    (tmp_path / RUN_NAME).unlink()
    (tmp_path / RUN_NAME).write_bytes(copy)

    assert new.join() != run
    old.leave()
    new.leave()


@pytest.mark.parametrize("found", [b"", b"ADSPRUN", b"something else's content"])
def test_what_a_kill_or_a_stranger_left_in_the_file_is_written_over(tmp_path: Path, found: bytes) -> None:
    (tmp_path / RUN_NAME).write_bytes(found)
    run = SpoolRun(tmp_path)

    assert len(run.join()) == 8
    assert (tmp_path / RUN_NAME).read_bytes()[:16] == b"ADSPRUN1" + run.join()
    run.leave()


def test_a_folder_that_takes_no_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "spools").write_text("a file")
    with pytest.raises(OSError, match="exists"):
        SpoolRun(tmp_path / "spools").join()


# --- spools of runs ---


def test_a_worker_goes_on_in_spools_of_its_run_and_leaves_all_others(tmp_path: Path) -> None:
    first = SpoolWriter.open_in(tmp_path, run=ONE)
    first.append(RECORD)
    first.close()
    again, other = SpoolWriter.open_in(tmp_path, run=ONE), SpoolWriter.open_in(tmp_path, run=OTHER)
    assert (again.spool_id, again.offset) == (first.spool_id, 64)
    assert (other.spool_id != first.spool_id, other.offset) == (True, 0)
    again.close()
    other.append(RECORD)
    other.close()

    third = SpoolWriter.open_in(tmp_path, run=OTHER)
    assert third.spool_id == other.spool_id
    third.close()


def test_a_spool_of_another_run_does_not_go_on_raising_an_alarm(tmp_path: Path) -> None:
    first = SpoolWriter.open_in(tmp_path, run=ONE)
    first._header.set_failing(failing=True)
    first.close()

    SpoolWriter.open_in(tmp_path, run=OTHER).close()

    with (tmp_path / "0" / "header").open("rb") as file:
        header = SpoolHeader(file.fileno(), writable=False)
        assert (header.failing, header.run) == (False, ONE)
        header.close()


def test_where_no_number_is_left_a_spool_of_another_run_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "_MOST_SPOOLS", 2)
    held = SpoolWriter.open_in(tmp_path, run=ONE)
    left = SpoolWriter.open_in(tmp_path, run=ONE)
    left.close()

    taken = SpoolWriter.open_in(tmp_path, run=OTHER)

    assert taken.spool_id == left.spool_id
    taken.close()
    held.close()


def test_a_header_says_its_run_where_it_always_did(tmp_path: Path) -> None:
    writer = SpoolWriter.open_in(tmp_path, run=ONE)
    writer.declare_dropped(3)
    page = (tmp_path / "0" / "header").read_bytes()
    spool_id = bytes.fromhex(writer.spool_id)
    writer.close()

    assert page == b"ADSPOOL1" + spool_id + bytes(7) + b"\x03" + bytes(8) + b"run one." + bytes(4096 - 40)
