"""When to start, stop and start again the children of a service. Pure: events and times in, actions out.

Children stand in the order of their start. Each starts when all before it are up, or have failed or taken too long:
pages go on without a Redis. One whose spec says so starts at once. They stop one by one in the opposite order, so that
what a child leaves behind is taken over by the one before it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from adserver.processes.children import ChildSpec, Progress
from adserver.processes.members import LOOK_SECONDS, LOOP_FAILURES, Action, Member, Phase, Refuse, Say
from adserver.processes.reload import Reload

FIRST_DELAY_SECONDS: Final = 0.1
MAX_DELAY_SECONDS: Final = 30.0
STOP_SECONDS: Final = 9.5
"""All children are gone this long after the stop was asked for."""
RESERVE_SECONDS: Final = 0.5
"""Of that, kept for each child that is still to be stopped."""

_LOOP_ADVICE: Final = f"it is tried again at most {MAX_DELAY_SECONDS:g} s apart; what it printed says why"


@dataclass(slots=True)
class Family:
    """Decides for all children of one service. Used by one thread; times are of one monotonic clock, in seconds.

    Tell it what happened by `progressed`, `ended`, `reload` and `stop`, ask `step` often what to do; do that in order.
    """

    specs: Sequence[ChildSpec]
    _members: dict[str, Member] = field(init=False)
    _stop_deadline: float | None = field(init=False, default=None)
    _reload: Reload | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._members = {spec.name: Member(spec) for spec in self.specs}
        if len(self._members) != len(self.specs):
            raise ValueError("two children have one name")

    @property
    def stopping(self) -> bool:
        """Whether the end was asked for."""
        return self._stop_deadline is not None

    @property
    def reloading(self) -> bool:
        """Whether a reload is under way."""
        return self._reload is not None

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

    def spec(self, name: str) -> ChildSpec:
        """Return what a child was made by."""
        return self._members[name].spec

    def children(self) -> tuple[ChildSpec, ...]:
        """Return all children, in the order of their start."""
        return tuple(member.spec for member in self._members.values())

    @property
    def starting(self) -> bool:
        """Whether a child has not come up yet."""
        return any(member.phase is Phase.STARTING for member in self._members.values())

    def to_look_at(self, now: float) -> tuple[ChildSpec, ...]:
        """Return the children whose progress is to be looked at now, and told by `progressed`."""
        looked_at = [member for member in self._members.values() if member.is_looked_at(now)]
        for member in looked_at:
            member.looked = now
        return tuple(member.spec for member in looked_at)

    def progressed(self, name: str, progress: Progress, now: float) -> None:
        """Take note of how far a starting child has come, or whether one that is up answers."""
        member = self._members[name]
        if member.phase is Phase.STARTING and progress is Progress.READY:
            member.enter(Phase.UP, now)
        elif member.phase in (Phase.STARTING, Phase.UP) and progress is not Progress.WAITING:
            member.since = now

    def ended(self, name: str, how: str, now: float) -> tuple[Action, ...]:
        """Take note that a child's process is no more; `how`: "exit 1", "killed by SIGKILL"."""
        member = self._members[name]
        if self.stopping:
            member.enter(Phase.GONE, now)
            return (Refuse(name),) if member.spec.doors else ()
        planned = self._reload.ended(name, how, now) if self._reload else None
        if planned is not None:
            self._end_reload_if_over()
            return tuple(planned)
        return tuple(self._rest(member, how, now))

    def reload(self, successors: Mapping[str, ChildSpec]) -> None:
        """Begin a reload; while one is under way, or after a stop was asked for, there is none.

        Args:
            successors: of the children that have one, by the child's name; new, never started.
        """
        if self._reload is None and not self.stopping:
            self._reload = Reload.begin(self._members, successors)

    def stop(self, now: float, running: Collection[str]) -> None:
        """Ask for the end of all; asking again changes nothing.

        Args:
            now: monotonic seconds.
            running: names of the children that have a process; the others are gone already.
        """
        if self._stop_deadline is not None:
            return
        self._stop_deadline = now + STOP_SECONDS
        self._reload = None
        for name, member in self._members.items():
            if name not in running:
                member.enter(Phase.GONE, now)

    def step(self, now: float) -> tuple[Action, ...]:
        """Return what is to be done now, and regard it as done."""
        if self._stop_deadline is not None:
            return tuple(self._stop_step(now, self._stop_deadline))
        actions: list[Action] = []
        if self._reload is not None:
            actions += self._reload.step(now)
            self._end_reload_if_over()
        return (*actions, *self._start_step(now))

    def wake_at(self, now: float) -> float:
        """Return when `step` is next worth asking if nothing happens meanwhile."""
        members = self._members.values()
        deadlines = [member.deadline for member in members if member.phase in (Phase.RESTING, Phase.ENDING)]
        deadlines += [
            member.looked + LOOK_SECONDS
            for member in members
            if member.phase is Phase.UP and member.spec.silence_seconds is not None
        ]
        return max(now, min(deadlines, default=now + 60.0))

    def _start_step(self, now: float) -> list[Action]:
        actions: list[Action] = []
        held_back = False
        for member in list(self._members.values()):
            actions += member.settle(now)
            actions += member.kill_if_due(now)
            if not held_back or member.spec.starts_at_once:
                actions += member.start_if_due(now)
            held_back = held_back or member.holds_back(now)
        return actions

    def _stop_step(self, now: float, stop_deadline: float) -> list[Action]:
        remaining = [member for member in self._members.values() if member.phase is not Phase.GONE]
        if not remaining:
            return []
        member = remaining[-1]
        if member.phase in (Phase.STARTING, Phase.UP):
            return member.ask_to_end(now, stop_deadline - RESERVE_SECONDS * (len(remaining) - 1))
        return member.kill_if_due(now)

    def _rest(self, member: Member, how: str, now: float) -> list[Action]:
        """Let a child that ended unasked rest before its next start, the longer the oftener it ended."""
        name, was_up = member.spec.name, member.phase is Phase.UP
        actions = member.settle(now)
        member.failures += 1
        delay = min(FIRST_DELAY_SECONDS * 2.0 ** (member.failures - 1), MAX_DELAY_SECONDS)
        member.enter(Phase.RESTING, now)
        member.deadline = now + delay
        if member.spec.doors and not was_up and not self.reloading:
            actions.append(Refuse(name))
        if member.failures == LOOP_FAILURES:
            actions.append(Say(f"{name} ended {member.failures} times in a row (last: {how}); {_LOOP_ADVICE}"))
        elif member.failures < LOOP_FAILURES:
            actions.append(Say(f"{name} ended unasked ({how}); it is started again in {delay:g} s"))
        return actions

    def _end_reload_if_over(self) -> None:
        if self._reload is not None and self._reload.over:
            self._reload = None
