"""When the backstage of unsupervised workers is started, and when it goes."""

import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

from adserver.processes.backstage import FLUSH_SECONDS, LINGER_SECONDS, BackstageWatch, Linger, has_workers
from adserver.processes.data_dir import DataDir


class Stage:
    """A clock, whether there are workers, and whether all is counted, as a test sets them."""

    def __init__(self) -> None:
        self.now = 0.0
        self.workers = True
        self.flushed = True
        self.linger = Linger(lambda: self.workers, lambda: self.flushed, lambda: self.now)

    def is_over_at(self, now: float) -> bool:
        self.now = now
        return self.linger.is_over()


def test_with_a_worker_it_never_ends() -> None:
    stage = Stage()
    assert not any(stage.is_over_at(now) for now in range(1000))


def test_it_ends_a_while_after_the_last_worker() -> None:
    stage = Stage()
    stage.workers = False
    assert not stage.is_over_at(100.0)
    assert not stage.is_over_at(100.0 + LINGER_SECONDS - 0.1)
    assert stage.is_over_at(100.0 + LINGER_SECONDS)


def test_a_worker_that_comes_meanwhile_begins_the_while_anew() -> None:
    stage = Stage()
    stage.workers = False
    stage.is_over_at(100.0)
    stage.workers = True
    assert not stage.is_over_at(104.0)
    stage.workers = False
    assert not stage.is_over_at(105.0)
    assert not stage.is_over_at(109.9)
    assert stage.is_over_at(110.0)


def test_it_waits_for_what_is_not_counted_but_not_for_ever() -> None:
    stage = Stage()
    stage.workers = stage.flushed = False
    stage.is_over_at(0.0)
    assert not stage.is_over_at(FLUSH_SECONDS - 0.1)
    assert stage.is_over_at(FLUSH_SECONDS)
    stage.flushed = True
    assert stage.is_over_at(LINGER_SECONDS)


def test_a_worker_shows_its_presence_until_its_process_and_its_forks_are_gone(tmp_path: Path) -> None:
    script = (
        "import os, sys, time; from pathlib import Path; from adserver.processes.backstage import show_presence;"
        "show_presence(Path(sys.argv[1])); child = os.fork(); print(child or '', flush=True); time.sleep(60)"
    )
    assert not has_workers(tmp_path)
    parent = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(next(line for line in parent.stdout if line.strip()))
    try:
        assert has_workers(tmp_path)
        parent.kill()
        parent.wait()
        assert has_workers(tmp_path)
    finally:
        parent.kill()
        os.kill(child, signal.SIGKILL)
        parent.stdout.close()
    deadline = time.monotonic() + 10
    while has_workers(tmp_path):
        assert time.monotonic() < deadline


class Processes:
    """Stands for the processes that a watch starts, on a clock of its own; each ends at once unless it `lives`."""

    def __init__(self, folder: Path) -> None:
        self.data_dir = DataDir(folder)
        self.watch = BackstageWatch(self.data_dir, self._start, lambda: self.now)
        self.now = 0.0
        self.lives = False
        self._times: list[float] = []

    def watch_for(self, seconds: int) -> list[float]:
        """Poll ten times a second; return when a process was started."""
        self._times.clear()
        for _ in range(seconds * 10):
            self.watch.poll()
            self.now += 0.1
        return [round(at, 1) for at in self._times]

    def poll(self) -> int | None:
        return None if self.lives else 1

    def _start(self) -> "Processes":
        self._times.append(self.now)
        return self


def test_it_is_started_at_once_and_not_again_while_it_lives(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    processes.lives = True
    assert processes.watch_for(60) == [0.0]


def test_one_that_keeps_ending_is_started_ever_more_seldom(tmp_path: Path) -> None:
    times = Processes(tmp_path).watch_for(150)
    assert [round(after - before) for before, after in pairwise(times)] == [1, 2, 4, 8, 16, 30, 30, 30]


def test_where_the_folder_is_taken_none_is_started_until_it_is_free(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    with processes.data_dir.lock():
        assert processes.data_dir.is_locked()
        assert processes.watch_for(30) == []
    assert not processes.data_dir.is_locked()
    [first, *_] = processes.watch_for(3)
    assert first - 30 <= 1.0
