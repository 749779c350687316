"""What a supervisor needs to know of a child: data only."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from signal import Signals

from adserver.processes.doors import Doors


class Progress(Enum):
    """How far a started child has come."""

    WAITING = "waiting"
    """No sign of it yet."""
    WORKING = "working"
    """Alive and busy with its start, however long that takes: a Redis that reads its log."""
    READY = "ready"


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """A child of the service, as its supervisor starts, watches and stops it. Immutable."""

    name: str
    """For messages: one word."""
    argv: tuple[str, ...]
    env: Mapping[str, str]
    """The child's whole environment."""
    progress: Callable[[], Progress]
    """Looks at the child; must answer within a second, and never raises."""
    stop_signal: Signals
    """Asks for a clean end."""
    grace_seconds: float
    """How long a clean end may take; then it is killed."""
    ready_seconds: float = 30.0
    """How long a start may show no sign of life; then it is killed and started again."""
    lock: Path | None = None
    """A file whose `flock` the child, and each child of its own, holds while it lives; the start waits for it."""
    before_first_start: Callable[[], None] | None = None
    """Called once in the supervisor, when all children before this one are up or have been given up on; what it raises
    ends the service."""
    doors: Doors | None = None
    """Sockets that it inherits."""
    successor: Callable[[], "ChildSpec"] | None = None
    """Makes what takes its place at a reload: started beside it, and only when that is up, this one is asked to end."""
    starts_at_once: bool = False
    """Started without waiting for those before it: it has what it needs of them from the last time."""
    stays_at_reload: bool = False
    """Left alone by a reload, which restarts all that have no successor."""
    behind_pages_of: Path | None = None
    """The data folder that it works for behind the pages, for which it steps back; None: it is one who answers."""
    silence_seconds: float | None = None
    """How long it may be up without an answer to `progress`; then it is killed and started again. None: for ever."""


def immediately() -> Progress:
    """Tell that a child is ready as soon as it runs: for those that nothing waits for."""
    return Progress.READY
