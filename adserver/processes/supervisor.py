"""Run the children of a service as real processes, until a signal asks for the end.

Each child leads a session of its own, so that Ctrl-C at the terminal reaches the supervisor alone, and it stops them in
order. A child dies with the supervisor on Linux, see `tether`.
"""

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from adserver.processes import tether
from adserver.processes.children import ChildSpec
from adserver.processes.family import Action, AskToEnd, Family, Kill, Prepare, Say, Start

STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

_TETHER: Final = str(Path(tether.__file__).absolute())
_BUSY_POLL_SECONDS: Final = 0.05
"""While a child starts, its progress is looked at this often."""
_IDLE_POLL_SECONDS: Final = 1.0


class Supervisor:
    """Starts, watches and stops the children of one service. Belongs to the main thread, which also starts them.

    The kernel ties a child to the thread that started it, so this must be the one that lives longest; Python delivers
    signals to it as well.
    """

    def __init__(self, specs: Sequence[ChildSpec], say: Callable[[str], None]) -> None:
        """Take the children in the order of their start, and what shows a line to the person at the terminal."""
        self._family = Family(specs)
        self._specs = {spec.name: spec for spec in specs}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._say = say
        self._stop_asked = False

    def run(self, on_up: Callable[[], None] | None = None) -> None:
        """Run the children until SIGTERM, SIGINT or SIGHUP, then stop them all; return when every one is gone.

        Args:
            on_up: called once, when all children are up for the first time.

        Raises:
            Exception: what a `before_first_start`, `on_up`, or the start of a command that cannot be run, raised;
                all children are stopped before.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("the supervisor belongs to the main thread")
        with _wakeups(self._ask_to_stop) as wait:
            try:
                self._loop(wait, on_up)
            except BaseException:
                self._stop_asked = True
                self._loop(wait, None)
                raise

    def pids(self) -> dict[str, int]:
        """Return the pid of each child that runs."""
        return {name: process.pid for name, process in self._processes.items()}

    def _ask_to_stop(self) -> None:
        self._stop_asked = True

    def _loop(self, wait: Callable[[float], None], on_up: Callable[[], None] | None) -> None:
        while not self._family.over:
            if self._stop_asked:
                self._family.stop(time.monotonic(), self._processes)
            self._reap()
            self._look()
            for action in self._family.step(time.monotonic()):
                self._do(action)
            if on_up is not None and self._family.all_up:
                on_up()
                on_up = None
            wait(self._patience())

    def _patience(self) -> float:
        if self._family.over:
            return 0.0
        if self._family.starting():
            return _BUSY_POLL_SECONDS
        now = time.monotonic()
        return min(self._family.wake_at(now) - now, _IDLE_POLL_SECONDS)

    def _look(self) -> None:
        for spec in self._family.starting():
            self._family.progressed(spec.name, spec.progress(), time.monotonic())

    def _do(self, action: Action) -> None:
        match action:
            case Say(text):
                with contextlib.suppress(OSError):  # the terminal may be gone; the children still matter
                    self._say(text)
            case Prepare(name):
                prepare = self._specs[name].before_first_start
                if prepare is not None:
                    prepare()
            case Start(name):
                self._start(self._specs[name])
            case AskToEnd(name):
                _signal(self._processes[name].pid, self._specs[name].stop_signal)
            case Kill(name):
                _signal_group(self._processes[name].pid, signal.SIGKILL)

    def _start(self, spec: ChildSpec) -> None:
        lock = ("--lock", str(spec.lock)) if spec.lock else ()
        tie = (sys.executable, "-I", "-S", _TETHER, str(int(spec.stop_signal)), str(os.getpid()), *lock, "--")
        self._processes[spec.name] = subprocess.Popen(  # noqa: S603 - the command is the composition root's
            (*tie, *spec.argv), env=dict(spec.env), stdin=subprocess.DEVNULL, start_new_session=True
        )

    def _reap(self) -> None:
        for name, process in list(self._processes.items()):
            if not _has_ended(process.pid):
                continue
            # Not reaped yet, so the group's number is still its own. What a crashed child has left behind may finish
            # its requests; a child that was asked to end has had its time to see to that.
            _signal_group(process.pid, signal.SIGKILL if self._family.stopping else signal.SIGTERM)
            how = _ending(process.wait())
            del self._processes[name]
            for action in self._family.ended(name, how, time.monotonic()):
                self._do(action)


@contextlib.contextmanager
def _wakeups(stop: Callable[[], None]) -> Iterator[Callable[[float], None]]:
    """Make stop signals call `stop`; yield a wait that ends early on any signal, a child's end included."""
    inner, outer = socket.socketpair()
    inner.setblocking(False)  # noqa: FBT003 - the standard library's signature
    outer.setblocking(False)  # noqa: FBT003

    def on_stop(_number: int, _frame: FrameType | None) -> None:
        stop()

    def on_child(_number: int, _frame: FrameType | None) -> None:
        """Wake up; a signal without a handler writes nothing to the descriptor."""

    with inner, outer, selectors.DefaultSelector() as selector:
        selector.register(inner, selectors.EVENT_READ)
        before = {number: signal.signal(number, on_stop) for number in STOP_SIGNALS if _is_heard(number)}
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, on_child)
        descriptor = signal.set_wakeup_fd(outer.fileno(), warn_on_full_buffer=False)

        def wait(seconds: float) -> None:
            if selector.select(max(0.0, seconds)):
                with contextlib.suppress(BlockingIOError):
                    while inner.recv(4096):
                        pass

        try:
            yield wait
        finally:
            signal.set_wakeup_fd(descriptor)
            for number, handler in before.items():
                signal.signal(number, handler)


def _is_heard(number: signal.Signals) -> bool:
    """Tell whether a stop signal is ours to take: who starts us under nohup wants us to outlive the terminal."""
    return number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of zombies
        os.killpg(pid, number)


def _ending(status: int) -> str:
    if status >= 0:
        return f"exit {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"
