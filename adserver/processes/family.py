"""When to start, stop and start again the children of a service. Pure: events and times in, actions out.

Children stand in the order of their start. Each starts when all before it are up, or have failed or taken too long:
pages go on without a Redis. They stop one by one in the opposite order, so that what a child leaves behind is
taken over by the one before it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from adserver.processes.children import ChildSpec, Progress

FIRST_DELAY_SECONDS: Final = 0.1
MAX_DELAY_SECONDS: Final = 30.0
STABLE_SECONDS: Final = 60.0
"""Who has been up this long begins anew with the first delay."""
PATIENCE_SECONDS: Final = 10.0
"""How long the first start of a child holds back those behind it."""
LOOP_FAILURES: Final = 5
"""From this many ends in a row on, a child is said once to be in a crash loop, and then no more until it is back."""
STOP_SECONDS: Final = 9.5
"""All children are gone this long after the stop was asked for."""
RESERVE_SECONDS: Final = 0.5
"""Of that, kept for each child that is still to be stopped."""


_LOOP_ADVICE: Final = f"it is tried again at most {MAX_DELAY_SECONDS:g} s apart; what it printed says why"


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
    """Ended unasked; to be started again."""
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
class Say:
    """Tell the person at the terminal."""

    text: str


Action = Prepare | Start | AskToEnd | Kill | Say


@dataclass(slots=True)
class _Member:
    spec: ChildSpec
    phase: Phase = Phase.IDLE
    since: float = 0.0
    """When the phase began, or the last sign of life of a start."""
    deadline: float = 0.0
    """When an ending child is killed, or a resting one started again."""
    started: float = 0.0
    failures: int = 0
    """Ends in a row, without a stable time between."""

    @property
    def in_loop(self) -> bool:
        return self.failures >= LOOP_FAILURES

    def holds_back(self, now: float) -> bool:
        """Whether those behind it have to wait."""
        first = self.phase is Phase.STARTING and not self.failures
        return first and now - self.started < PATIENCE_SECONDS

    def settle(self, now: float) -> list[Action]:
        """Forgive the failures of a child that has been up for long."""
        if self.phase is not Phase.UP or not self.failures or now - self.since < STABLE_SECONDS:
            return []
        said = self.in_loop
        self.failures = 0
        return [Say(f"{self.spec.name} has been up for {STABLE_SECONDS:g} s again")] if said else []

    def enter(self, phase: Phase, now: float) -> None:
        self.phase = phase
        self.since = now


@dataclass(slots=True)
class Family:
    """Decides for all children of one service. Used by one thread; times are of one monotonic clock, in seconds.

    Tell it what happened by `progressed`, `ended` and `stop`, ask `step` often what to do, and do it in order.
    """

    specs: Sequence[ChildSpec]
    _members: dict[str, _Member] = field(init=False)
    _stop_deadline: float | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._members = {spec.name: _Member(spec) for spec in self.specs}
        if len(self._members) != len(self.specs):
            raise ValueError("two children have one name")

    @property
    def stopping(self) -> bool:
        """Whether the end was asked for."""
        return self._stop_deadline is not None

    @property
    def over(self) -> bool:
        """Whether the end was asked for and every child is gone."""
        return self.stopping and all(member.phase is Phase.GONE for member in self._members.values())

    @property
    def all_up(self) -> bool:
        """Whether every child is up."""
        return all(member.phase is Phase.UP for member in self._members.values())

    def phase(self, name: str) -> Phase:
        """Return where a child stands."""
        return self._members[name].phase

    def starting(self) -> tuple[ChildSpec, ...]:
        """Return the children whose progress is to be looked at."""
        return tuple(member.spec for member in self._members.values() if member.phase is Phase.STARTING)

    def progressed(self, name: str, progress: Progress, now: float) -> None:
        """Take note of how far a starting child has come."""
        member = self._members[name]
        if member.phase is not Phase.STARTING:
            return
        if progress is Progress.WORKING:
            member.since = now
        elif progress is Progress.READY:
            member.enter(Phase.UP, now)

    def ended(self, name: str, how: str, now: float) -> tuple[Action, ...]:
        """Take note that a child's process is no more; `how`: "exit 1", "killed by SIGKILL"."""
        member = self._members[name]
        if self.stopping:
            member.enter(Phase.GONE, now)
            return ()
        said = member.settle(now)
        member.failures += 1
        delay = min(FIRST_DELAY_SECONDS * 2.0 ** (member.failures - 1), MAX_DELAY_SECONDS)
        member.enter(Phase.RESTING, now)
        member.deadline = now + delay
        if member.failures > LOOP_FAILURES:
            return ()
        if member.in_loop:
            said.append(Say(f"{name} ended {member.failures} times in a row (last: {how}); {_LOOP_ADVICE}"))
        else:
            said.append(Say(f"{name} ended unasked ({how}); it is started again in {delay:g} s"))
        return tuple(said)

    def stop(self, now: float, running: Collection[str]) -> None:
        """Ask for the end of all; asking again changes nothing.

        Args:
            now: monotonic seconds.
            running: names of the children that have a process; the others are gone already.
        """
        if self._stop_deadline is not None:
            return
        self._stop_deadline = now + STOP_SECONDS
        for name, member in self._members.items():
            if name not in running:
                member.enter(Phase.GONE, now)

    def step(self, now: float) -> tuple[Action, ...]:
        """Return what is to be done now, and regard it as done."""
        if self._stop_deadline is not None:
            return tuple(self._stop_step(now, self._stop_deadline))
        return tuple(self._start_step(now))

    def wake_at(self, now: float) -> float:
        """Return when `step` is next worth asking if nothing happens meanwhile."""
        deadlines = [
            member.deadline for member in self._members.values() if member.phase in (Phase.RESTING, Phase.ENDING)
        ]
        return max(now, min(deadlines, default=now + 60.0))

    def _start_step(self, now: float) -> list[Action]:
        actions: list[Action] = []
        for member in self._members.values():
            actions += member.settle(now)
            actions += _start_one(member, now)
            if member.holds_back(now):
                break
        return actions

    def _stop_step(self, now: float, stop_deadline: float) -> list[Action]:
        remaining = [member for member in self._members.values() if member.phase is not Phase.GONE]
        if not remaining:
            return []
        member = remaining[-1]
        name = member.spec.name
        if member.phase is Phase.ENDING and now >= member.deadline:
            member.enter(Phase.KILLED, now)
            return [Say(f"{name} does not end by itself; it is killed"), Kill(name)]
        if member.phase in (Phase.STARTING, Phase.UP):
            latest = stop_deadline - RESERVE_SECONDS * (len(remaining) - 1)
            member.enter(Phase.ENDING, now)
            member.deadline = min(now + member.spec.grace_seconds, latest)
            return [AskToEnd(name)]
        return []


def _start_one(member: _Member, now: float) -> list[Action]:
    name = member.spec.name
    if member.phase is Phase.IDLE or (member.phase is Phase.RESTING and now >= member.deadline):
        prepare: list[Action] = [Prepare(name)] if member.phase is Phase.IDLE and member.spec.before_first_start else []
        member.enter(Phase.STARTING, now)
        member.started = now
        return [*prepare, Start(name)]
    if member.phase is Phase.STARTING and now - member.since >= member.spec.ready_seconds:
        member.enter(Phase.KILLED, now)
        return [Say(f"{name} shows no sign of life after {member.spec.ready_seconds:g} s"), Kill(name)]
    return []
