"""Stepping back: what a process that works behind the pages leaves to who answers them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adserver.processes.background import NICENESS, SLICE_SECONDS, processor_of, step_back

PARENT = """
import subprocess, sys
sys.stdin.readline()
child = subprocess.Popen((sys.executable, "-c", "input()"), stdin=subprocess.PIPE)
print(child.pid, flush=True)
sys.stdin.readline()
child.communicate()
"""


@contextmanager
def started(*, leads_session: bool) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        (sys.executable, "-c", PARENT),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=leads_session,
    )
    try:
        yield process
    finally:
        process.communicate("\n\n")


def child_of(process: "subprocess.Popen[str]") -> int:
    """Have it start its child, and return the child's pid."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return int(process.stdout.readline())


def test_a_process_that_steps_back_is_nice_on_one_processor_and_so_is_what_it_starts(tmp_path: Path) -> None:
    with started(leads_session=True) as process:
        step_back(process.pid, tmp_path)
        for pid in (process.pid, child_of(process)):
            assert os.getpriority(os.PRIO_PROCESS, pid) == NICENESS
            if sys.platform == "linux":
                assert os.sched_getaffinity(pid) == {processor_of(tmp_path, sorted(os.sched_getaffinity(0)))}


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="a kernel that does not share out by session")
def test_its_session_steps_back_with_it_for_processors_are_shared_out_by_session(tmp_path: Path) -> None:
    with started(leads_session=True) as process:
        step_back(process.pid, tmp_path)
        assert Path(f"/proc/{process.pid}/autogroup").read_text().split()[-1] == str(NICENESS)


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="a kernel that does not share out by session")
def test_the_session_of_another_is_left_as_it_is(tmp_path: Path) -> None:
    before = Path("/proc/self/autogroup").read_text()
    with started(leads_session=False) as process:
        step_back(process.pid, tmp_path)
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == NICENESS
    assert Path("/proc/self/autogroup").read_text() == before


@pytest.mark.skipif(
    not Path("/proc/self/sched").exists() or "se.slice" not in Path("/proc/self/sched").read_text(),
    reason="a kernel whose slices are all alike",
)
def test_it_asks_for_long_slices_so_that_who_asks_for_short_ones_runs_first(tmp_path: Path) -> None:
    with started(leads_session=True) as process:
        step_back(process.pid, tmp_path)
        lines = Path(f"/proc/{process.pid}/sched").read_text().splitlines()
        slices = [int(line.split()[-1]) for line in lines if line.startswith("se.slice")]
    assert slices == [int(SLICE_SECONDS * 1e9)]


def test_a_nicer_process_stays_as_nice_as_it_is(tmp_path: Path) -> None:
    with started(leads_session=True) as process:
        os.setpriority(os.PRIO_PROCESS, process.pid, 15)
        step_back(process.pid, tmp_path)
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == 15


@pytest.mark.skipif(sys.platform != "linux", reason="no other system keeps a process to a processor")
def test_what_the_system_refuses_keeps_nothing_else_from_being_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", refuse)
    with started(leads_session=True) as process:
        step_back(process.pid, tmp_path)
        assert len(os.sched_getaffinity(process.pid)) == 1


def test_a_process_that_has_ended_is_no_fault(tmp_path: Path) -> None:
    with started(leads_session=True) as process:
        pass
    step_back(process.pid, tmp_path)


def test_all_that_works_for_a_folder_shares_a_processor_and_services_are_spread(tmp_path: Path) -> None:
    taken = [processor_of(tmp_path / str(number), range(8)) for number in range(200)]
    assert set(taken) == set(range(8))
    assert processor_of(tmp_path / "3", range(8)) == taken[3]
    assert processor_of(tmp_path, (5,)) == 5
