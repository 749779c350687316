"""One child of a family as its supervisor sees it, and what may have to be done about it."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from adserver.processes.children import ChildSpec

STABLE_SECONDS: Final = 60.0
"""Who has been up this long begins anew with the first delay."""
PATIENCE_SECONDS: Final = 10.0
"""How long the first start of a child holds back those behind it."""
LOOP_FAILURES: Final = 5
"""From this many ends in a row on, a child is said once to be in a crash loop, and then no more until it is back."""
LOOK_SECONDS: Final = 5.0
"""A child that is up, and must not fall silent, is looked at this often."""


class Phase(Enum):
    """Where a child stands."""

    IDLE = "idle"
    """Not started yet."""
    STARTING = "starting"
    UP = "up"
    ENDING = "ending"
    """Asked to end."""
    KILLED = "killed"
    """Killed; its end is still to be seen."""
    RESTING = "resting"
    """Ended; to be started again."""
    GONE = "gone"
    """Ended, for good."""


@dataclass(frozen=True, slots=True)
class Prepare:
    """Call the child's `before_first_start`."""

    name: str


@dataclass(frozen=True, slots=True)
class Start:
    """Start the child."""

    name: str


@dataclass(frozen=True, slots=True)
class AskToEnd:
    """Send the child its stop signal."""

    name: str


@dataclass(frozen=True, slots=True)
class Kill:
    """Kill the child and all that it started."""

    name: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Have the child's front door refuse callers until someone listens there again."""

    name: str


@dataclass(frozen=True, slots=True)
class Forget:
    """Let go of what was kept for a child that is never started again."""

    spec: ChildSpec


@dataclass(frozen=True, slots=True)
class Say:
    """Tell the person at the terminal."""

    text: str


Action = Prepare | Start | AskToEnd | Kill | Refuse | Forget | Say


@dataclass(slots=True)
class Member:
    """A child and where it stands. Used by one thread; times are of one monotonic clock, in seconds."""

    spec: ChildSpec
    phase: Phase = Phase.IDLE
    since: float = 0.0
    """When the phase began, or the last sign of life."""
    deadline: float = 0.0
    """When an ending child is killed, or a resting one started again."""
    started: float = 0.0
    looked: float = 0.0
    """When it was last looked at."""
    failures: int = 0
    """Ends in a row, without a stable time between."""
    up_since: float = 0.0

    @property
    def in_loop(self) -> bool:
        """Whether it ends again and again."""
        return self.failures >= LOOP_FAILURES

    @property
    def has_process(self) -> bool:
        """Whether it runs."""
        return self.phase in (Phase.STARTING, Phase.UP, Phase.ENDING, Phase.KILLED)

    def enter(self, phase: Phase, now: float) -> None:
        """Note where it stands from now on."""
        self.phase = phase
        self.since = now
        if phase is Phase.UP:
            self.up_since = now

    def holds_back(self, now: float) -> bool:
        """Return whether those behind it have to wait."""
        first = self.phase is Phase.STARTING and not self.failures
        return first and now - self.started < PATIENCE_SECONDS

    def is_looked_at(self, now: float) -> bool:
        """Return whether its progress is of interest now."""
        if self.phase is Phase.STARTING:
            return True
        return self.phase is Phase.UP and self.spec.silence_seconds is not None and now - self.looked >= LOOK_SECONDS

    def settle(self, now: float) -> list[Action]:
        """Forgive the failures of a child that has been up for long."""
        if self.phase is not Phase.UP or not self.failures or now - self.up_since < STABLE_SECONDS:
            return []
        said = self.in_loop
        self.failures = 0
        return [Say(f"{self.spec.name} has been up for {STABLE_SECONDS:g} s again")] if said else []

    def start_if_due(self, now: float) -> list[Action]:
        """Start a child that is new or has rested."""
        name = self.spec.name
        if self.phase is not Phase.IDLE and (self.phase is not Phase.RESTING or now < self.deadline):
            return []
        hook: list[Action] = [Prepare(name)] if self.phase is Phase.IDLE and self.spec.before_first_start else []
        self.enter(Phase.STARTING, now)
        self.started = now
        return [*hook, Start(name)]

    def ask_to_end(self, now: float, latest: float = float("inf")) -> list[Action]:
        """Ask a running child to end in its grace, and at the `latest`."""
        self.enter(Phase.ENDING, now)
        self.deadline = min(now + self.spec.grace_seconds, latest)
        return [AskToEnd(self.spec.name)]

    def kill_if_due(self, now: float) -> list[Action]:
        """Kill a child that does not end, whose start shows no life, or that was up and has fallen silent."""
        name, silence = self.spec.name, self.spec.silence_seconds
        if self.phase is Phase.ENDING and now >= self.deadline:
            why = "does not end by itself; it is killed"
        elif self.phase is Phase.STARTING and now - self.since >= self.spec.ready_seconds:
            why = f"shows no sign of life after {self.spec.ready_seconds:g} s"
        elif self.phase is Phase.UP and silence is not None and now - self.since >= silence:
            why = f"has not answered for {silence:g} s; it is killed and started again"
        else:
            return []
        self.enter(Phase.KILLED, now)
        return [Say(f"{name} {why}"), Kill(name)]
