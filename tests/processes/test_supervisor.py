"""The supervisor on real processes: order, restarts, one clean end for all, no orphans."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from adserver.processes import supervisor

pytestmark = pytest.mark.processes

ROOT = Path(supervisor.__file__).parents[2]

CHILD = """
import os, signal, sys, time
folder, name, manner = sys.argv[1:]

def note(what):
    with open(os.path.join(folder, "journal"), "a") as file:
        file.write(f"{what} {name} {os.getpid()}\\n")

def end(number, frame):
    note("ends")
    sys.exit(0)

signal.signal(signal.SIGTERM, signal.SIG_IGN if manner == "deaf" else end)
if manner == "crash":
    note("crashes")
    sys.exit(3)
if manner in ("parent", "careless") and os.fork() == 0:
    name += "-worker"
    if manner == "careless":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
note("starts")
while True:
    time.sleep(60)
"""

SERVICE = """
import json, os, sys
from pathlib import Path
from signal import SIGTERM
from adserver.processes.children import ChildSpec, Progress
from adserver.processes.supervisor import Supervisor

folder, script = Path(sys.argv[1]), sys.argv[2]
manners = json.loads(sys.argv[3])

def progress(name):
    journal = folder / "journal"
    started = journal.exists() and f"starts {name} " in journal.read_text()
    return Progress.READY if started else Progress.WAITING

def fail():
    raise SystemExit("campaigns/ has a fault")

def say(line):
    with open(folder / "said", "a") as file:
        file.write(line + "\\n")

def spec(name, manner):
    manner, _, successor = manner.partition(" then ")
    return ChildSpec(
        name,
        (sys.executable, "-c", script, str(folder), name, manner),
        dict(os.environ),
        lambda: progress(name),
        SIGTERM,
        grace_seconds=0.3,
        before_first_start=fail if manner == "refused" else None,
        successor=(lambda: spec(name + "+", successor)) if successor else None,
        stays_at_reload=manner == "stays",
    )

specs = [spec(name, manner) for name, manner in manners.items()]
try:
    Supervisor(specs, say).run(on_up=lambda: say("all up"))
finally:
    journal = (folder / "journal").read_text()
    say("all gone" if journal.count("starts") == journal.count("ends") else "some live")
"""


TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


def wait_until(true: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def lives(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@dataclass(frozen=True)
class Service:
    """A supervisor in a process of its own, and what it and its children have written."""

    folder: Path
    process: "subprocess.Popen[bytes]"

    def journal(self) -> list[tuple[str, str, int]]:
        path = self.folder / "journal"
        rows = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
        return [(what, name, int(pid)) for what, name, pid in rows]

    def said(self) -> str:
        path = self.folder / "said"
        return path.read_text() if path.exists() else ""

    def pids(self, name: str) -> list[int]:
        return [pid for what, whose, pid in self.journal() if whose == name and what == "starts"]

    def events(self) -> list[tuple[str, str]]:
        return [(what, name) for what, name, _ in self.journal()]

    def wait_until_up(self) -> None:
        wait_until(lambda: "all up" in self.said())

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(15)

    def kill(self, pid: int) -> None:
        print(f"killing pid {pid}")
        os.kill(pid, signal.SIGKILL)


def command(folder: Path, manners: dict[str, str]) -> list[str]:
    return [sys.executable, "-c", SERVICE, str(folder), CHILD, json.dumps(manners)]


def environ() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


@contextmanager
def service(folder: Path, **manners: str) -> Iterator[Service]:
    """Run children of the given manners: `good`, `deaf` (to SIGTERM), `crash`, `refused`,
    `parent` (with a child), `careless` (with a child that is deaf), `stays` (at a reload), `good then good` (with a
    successor). It has no terminal."""
    with (folder / "errors").open("w") as errors:  # a pipe would stay open in whoever is left
        process = subprocess.Popen(
            command(folder, manners), env=environ(), stdin=subprocess.DEVNULL, stderr=errors, start_new_session=True
        )
    running = Service(folder, process)
    try:
        yield running
    finally:
        if process.poll() is None:
            running.kill(process.pid)
            process.wait()
        for pid in {pid for what, _, pid in running.journal() if what == "starts" and lives(pid)}:
            running.kill(pid)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_all_in_order_and_the_service_exits_0(tmp_path: Path, number: signal.Signals) -> None:
    with service(tmp_path, redis="good", keeper="good", web="good") as running:
        running.wait_until_up()
        assert running.stop(number) == 0
        order = ["redis", "keeper", "web"]
        assert running.events() == [
            *(("starts", name) for name in order),
            *(("ends", name) for name in reversed(order)),
        ]
        assert running.said() == "all up\nall gone\n"


def test_a_hang_up_without_a_terminal_reloads_the_new_comes_up_before_the_old_ends(tmp_path: Path) -> None:
    with service(tmp_path, redis="stays", keeper="good", web="good then good", watch="good") as running:
        running.wait_until_up()
        running.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "reloaded" in running.said())
        events = running.events()[4:]
        assert events.index(("starts", "web+")) < events.index(("ends", "web"))
        assert events.index(("ends", "keeper")) < events.index(("ends", "watch"))
        wait_until(lambda: len(running.pids("keeper")) == len(running.pids("watch")) == 2)
        assert not any(name == "redis" for _, name in events)
        assert running.stop() == 0
        assert running.said() == "all up\nreloading\nreloaded\nall gone\n"


def test_a_reload_whose_successor_fails_leaves_all_as_it_was_and_the_service_can_still_be_stopped(
    tmp_path: Path,
) -> None:
    with service(tmp_path, keeper="good", web="good then crash") as running:
        running.wait_until_up()
        running.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "all goes on as before: web+ ended before it was up (exit 3)" in running.said())
        assert running.events()[2:] == [("crashes", "web+")]
        assert running.stop() == 0
        assert running.said().endswith("all gone\n")


def test_a_stop_during_a_reload_ends_old_and_new(tmp_path: Path) -> None:
    with service(tmp_path, keeper="good", web="good then good") as running:
        running.wait_until_up()
        running.process.send_signal(signal.SIGHUP)
        wait_until(lambda: ("starts", "web+") in running.events())
        assert running.stop() == 0
        assert running.said().endswith("all gone\n")


@dataclass(frozen=True)
class Terminal:
    """A service started from a terminal of its own, and that terminal's other end."""

    service: Service
    descriptor: int

    def close(self) -> None:
        os.close(self.descriptor)


def at_a_terminal(folder: Path, **manners: str) -> Terminal:
    ours, theirs = os.openpty()
    with (folder / "errors").open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", TAKE_TERMINAL, *command(folder, manners)],
            env=environ(),
            stdin=theirs,
            stdout=errors,
            stderr=errors,
            start_new_session=True,
        )
    os.close(theirs)
    return Terminal(Service(folder, process), ours)


def test_a_terminal_that_goes_away_stops_the_service_and_a_signal_before_that_reloads_it(tmp_path: Path) -> None:
    terminal = at_a_terminal(tmp_path, keeper="good", web="good then good")
    running = terminal.service
    try:
        running.wait_until_up()
        running.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "reloaded" in running.said())
        terminal.close()  # the kernel sends SIGHUP
        assert running.process.wait(15) == 0
        assert running.said() == "all up\nreloading\nreloaded\nall gone\n"
    finally:
        running.process.kill()
        running.process.wait(5)


def test_under_nohup_a_hang_up_is_not_heard(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with service(tmp_path, web="good then good") as running:
            running.wait_until_up()
            running.process.send_signal(signal.SIGHUP)
            assert running.stop() == 0
            assert running.said() == "all up\nall gone\n"
    finally:
        signal.signal(signal.SIGHUP, before)


def test_ctrl_c_at_the_terminal_reaches_the_supervisor_alone(tmp_path: Path) -> None:
    with service(tmp_path, redis="good", web="good") as running:
        running.wait_until_up()
        groups = {os.getpgid(pid) for name in ("redis", "web") for pid in running.pids(name)}
        assert len(groups) == 2
        assert os.getpgid(running.process.pid) not in groups


def test_a_killed_child_is_started_again_and_the_others_stay(tmp_path: Path) -> None:
    with service(tmp_path, redis="good", web="good") as running:
        running.wait_until_up()
        running.kill(running.pids("web")[0])
        wait_until(lambda: len(running.pids("web")) == 2)
        assert len(running.pids("redis")) == 1
        assert "web ended unasked (killed by SIGKILL)" in running.said()
        assert running.stop() == 0


def test_what_a_killed_child_leaves_is_ended_before_it_is_started_again(tmp_path: Path) -> None:
    with service(tmp_path, web="parent") as running:
        running.wait_until_up()
        wait_until(lambda: bool(running.pids("web-worker")))
        running.kill(running.pids("web")[0])
        wait_until(lambda: not lives(running.pids("web-worker")[0]))
        wait_until(lambda: len(running.pids("web")) == 2)
        assert running.stop() == 0


def test_what_a_child_leaves_at_a_stop_is_killed(tmp_path: Path) -> None:
    with service(tmp_path, web="careless") as running:
        running.wait_until_up()
        wait_until(lambda: bool(running.pids("web-worker")))
        assert running.stop() == 0
        wait_until(lambda: not lives(running.pids("web-worker")[0]))


def test_a_child_in_a_crash_loop_is_said_once_and_the_rest_goes_on(tmp_path: Path) -> None:
    with service(tmp_path, redis="good", keeper="crash", web="good") as running:
        wait_until(lambda: running.events().count(("crashes", "keeper")) >= 6)
        assert running.said().count("5 times in a row (last: exit 3)") == 1
        assert running.said().count("keeper") == 5
        assert len(running.pids("web")) == 1
        assert running.stop() == 0


def test_who_does_not_end_when_asked_is_killed_with_all_its_own(tmp_path: Path) -> None:
    with service(tmp_path, redis="good", web="deaf") as running:
        running.wait_until_up()
        assert running.stop() == 0
        assert "web does not end by itself" in running.said()
        assert running.events()[-1] == ("ends", "redis")
        assert not lives(running.pids("web")[0])


def test_a_refusal_before_the_first_start_stops_the_service_and_is_handed_on(tmp_path: Path) -> None:
    with service(tmp_path, redis="good", keeper="refused", web="good") as running:
        assert running.process.wait(15) == 1
        assert (tmp_path / "errors").read_text() == "campaigns/ has a fault\n"
        assert running.events() == [("starts", "redis"), ("ends", "redis")]
        assert running.said() == "all gone\n"


def test_a_signal_during_the_start_stops_what_has_started(tmp_path: Path) -> None:
    with service(tmp_path, redis="good", web="crash") as running:
        wait_until(lambda: ("crashes", "web") in running.events())
        assert running.stop() == 0
        assert running.events()[-1] == ("ends", "redis")


def test_no_child_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    with service(tmp_path, redis="good", keeper="good", web="good") as running:
        running.wait_until_up()
        pids = [running.pids(name)[0] for name in ("redis", "keeper", "web")]
        running.kill(running.process.pid)
        wait_until(lambda: not any(lives(pid) for pid in pids))
        assert sorted(running.events()[3:]) == [("ends", "keeper"), ("ends", "redis"), ("ends", "web")]


def test_only_the_main_thread_may_supervise() -> None:
    with pytest.raises(RuntimeError, match="main thread"):
        run_in_thread(lambda: supervisor.Supervisor((), print).run())


def run_in_thread(work: Callable[[], object]) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()


def test_signals_are_as_before_once_it_is_done() -> None:
    numbers = (*supervisor.STOP_SIGNALS, supervisor.RELOAD_SIGNAL, signal.SIGCHLD)
    before = [signal.getsignal(number) for number in numbers]
    supervisor.Supervisor((), print).run(on_up=lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert [signal.getsignal(number) for number in numbers] == before


def test_it_stops_by_itself_when_there_is_enough() -> None:
    assert supervisor.Supervisor((), print).run(has_enough=lambda: True)
    assert not supervisor.Supervisor((), print).run(on_up=lambda: os.kill(os.getpid(), signal.SIGTERM))
