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
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from adserver.processes import tether
from adserver.processes.background import step_back
from adserver.processes.children import ChildSpec
from adserver.processes.doors import Doors
from adserver.processes.family import Family
from adserver.processes.members import Action, AskToEnd, Forget, Kill, Prepare, Refuse, Say, Start
from adserver.processes.terminal import has_terminal

STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
RELOAD_SIGNAL: Final = signal.SIGHUP
"""Reloads, unless the terminal that the service was started from has gone: then it means the end, as everywhere."""

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
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._say = say
        self._has_enough: Callable[[], bool] = lambda: False
        self._stop_asked = False
        self._reload_asked = False
        self._had_terminal = has_terminal()

    def run(self, on_up: Callable[[], None] | None = None, has_enough: Callable[[], bool] | None = None) -> bool:
        """Run the children until SIGTERM or SIGINT, then stop them all; return when every one is gone.

        SIGHUP reloads: see `adserver.processes.reload`; where the terminal has gone, it stops.

        Args:
            on_up: called once, when all children are up for the first time.
            has_enough: asked about once a second; True stops as a signal does.

        Returns:
            Whether it stopped because of `has_enough`, not of a signal.

        Raises:
            Exception: what a `before_first_start`, `on_up`, or the start of a command that cannot be run, raised;
                all children are stopped before.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("the supervisor belongs to the main thread")
        self._has_enough = has_enough or self._has_enough
        with _wakeups({**dict.fromkeys(STOP_SIGNALS, self._ask_to_stop), RELOAD_SIGNAL: self._hang_up}) as wait:
            try:
                self._loop(wait, on_up)
            except BaseException:
                self._stop_asked = True
                self._loop(wait, None)
                raise
            finally:
                for spec in self._family.children():
                    self._do(Forget(spec))
        return not self._stop_asked

    def pids(self) -> dict[str, int]:
        """Return the pid of each child that runs."""
        return {name: process.pid for name, process in self._processes.items()}

    def _ask_to_stop(self) -> None:
        self._stop_asked = True

    def _hang_up(self) -> None:
        if self._had_terminal and not has_terminal():
            self._stop_asked = True
        else:
            self._reload_asked = True

    def _loop(self, wait: Callable[[float], None], on_up: Callable[[], None] | None) -> None:
        while not self._family.over:
            if self._stop_asked or self._has_enough():
                self._family.stop(time.monotonic(), self._processes)
            elif self._reload_asked and not self._family.reloading:
                self._begin_reload()
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
        if self._family.starting or self._family.reloading:
            return _BUSY_POLL_SECONDS
        now = time.monotonic()
        return min(self._family.wake_at(now) - now, _IDLE_POLL_SECONDS)

    def _look(self) -> None:
        for spec in self._family.to_look_at(time.monotonic()):
            self._family.progressed(spec.name, spec.progress(), time.monotonic())

    def _begin_reload(self) -> None:
        """Make the successors and start them; what has no successor is restarted once they are up."""
        self._reload_asked = False
        self._do(Say("reloading"))
        self._family.reload(
            {spec.name: spec.successor() for spec in self._family.children() if spec.successor is not None}
        )

    def _do(self, action: Action) -> None:
        match action:
            case Say(text):
                with contextlib.suppress(OSError):  # the terminal may be gone; the children still matter
                    self._say(text)
            case Prepare(name):
                (self._family.spec(name).before_first_start or _nothing)()
            case Start(name):
                self._start(self._family.spec(name))
            case AskToEnd(name):
                _signal(self._processes[name].pid, self._family.spec(name).stop_signal)
            case Kill(name):
                _signal_group(self._processes[name].pid, signal.SIGKILL)
            case Refuse(name):
                _refuse_at(self._family.spec(name).doors)
            case Forget(spec):
                _close(spec.doors)

    def _start(self, spec: ChildSpec) -> None:
        lock = ("--lock", str(spec.lock)) if spec.lock else ()
        tie = (sys.executable, "-I", "-S", _TETHER, str(int(spec.stop_signal)), str(os.getpid()), *lock, "--")
        process = subprocess.Popen(  # noqa: S603 - the command is the composition root's
            (*tie, *spec.argv),
            env=dict(spec.env),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=spec.doors.descriptors if spec.doors else (),
        )
        self._processes[spec.name] = process
        if spec.behind_pages_of is not None:
            step_back(process.pid, spec.behind_pages_of)

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
def _wakeups(calls: Mapping[signal.Signals, Callable[[], None]]) -> Iterator[Callable[[float], None]]:
    """Make each signal call what is to be called; yield a wait that ends early on any, a child's end included."""
    inner, outer = socket.socketpair()
    inner.setblocking(False)  # noqa: FBT003 - the standard library's signature
    outer.setblocking(False)  # noqa: FBT003

    def on_call(number: int, _frame: FrameType | None) -> None:
        calls[signal.Signals(number)]()

    def on_child(_number: int, _frame: FrameType | None) -> None:
        """Wake up; a signal without a handler writes nothing to the descriptor."""

    with inner, outer, selectors.DefaultSelector() as selector:
        selector.register(inner, selectors.EVENT_READ)
        before = {number: signal.signal(number, on_call) for number in calls if _is_heard(number)}
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
    """Tell whether a signal is ours to take: who starts us under nohup wants us to outlive the terminal."""
    return number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN


def _nothing() -> None:
    """Do what a child without a hook needs before its first start."""


def _refuse_at(doors: Doors | None) -> None:
    if doors is not None:
        doors.front.refuse()


def _close(doors: Doors | None) -> None:
    if doors is not None:
        doors.close()


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
