"""One reload: new code beside the old, and only what has come up takes over. Pure: events and times in, actions out.

First the children that have a successor: it is started beside them. Does one not come up, nothing changes. Once all are
up, those they replace are asked to end, and the other children are restarted one by one, each when the one before it is
up. A child may be left alone, as the store is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from adserver.processes.children import ChildSpec
from adserver.processes.members import Action, Forget, Kill, Member, Phase, Say


@dataclass(slots=True)
class Reload:
    """A reload under way. Used by one thread, that of the family whose `members` it changes."""

    members: dict[str, Member]
    _replaced_by: dict[str, str]
    """Names of successors by those they are to replace."""
    _restarts: list[str] = field(init=False)
    """Still to be restarted, in order."""
    _restarting: str | None = field(init=False, default=None)
    _leaving: set[str] = field(init=False, default_factory=set)
    """Asked to end for good."""
    _refused: bool = field(init=False, default=False)
    _taken_over: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._restarts = [
            name
            for name, member in self.members.items()
            if name not in self._replaced_by
            and name not in self._replaced_by.values()
            and not member.spec.stays_at_reload
        ]

    @classmethod
    def begin(cls, members: dict[str, Member], successors: Mapping[str, ChildSpec]) -> "Reload":
        """Put each successor behind the child it is to replace, where the family will start it."""
        replaced_by = {name: spec.name for name, spec in successors.items()}
        before = dict(members)
        members.clear()
        for name, member in before.items():
            members[name] = member
            if name in successors:
                members[replaced_by[name]] = Member(successors[name])
        return cls(members, replaced_by)

    @property
    def over(self) -> bool:
        """Whether all of it is done."""
        successors_are_tried = self._refused or self._taken_over
        return successors_are_tried and not self._leaving and not self._restarts and self._restarting is None

    def step(self, now: float) -> list[Action]:
        """Return what is to be done now, and regard it as done."""
        if self._refused:
            return []
        if not self._taken_over:
            if not all(self.members[name].phase is Phase.UP for name in self._replaced_by.values()):
                return []
            return self._take_over(now)
        return self._restart(now)

    def ended(self, name: str, how: str, now: float) -> list[Action] | None:
        """Take note of an end; None: it has nothing to do with the reload."""
        if name in self._leaving:
            self._leaving.discard(name)
            return [*self._drop(name), *self._say_if_done()]
        if name == self._restarting and self.members[name].phase in (Phase.ENDING, Phase.KILLED):
            self.members[name].failures = 0
            self.members[name].enter(Phase.RESTING, now)
            self.members[name].deadline = now
            return []
        if name in self._replaced_by.values() and not self._taken_over:
            return self._refuse(name, how, now)
        return None

    def _take_over(self, now: float) -> list[Action]:
        self._taken_over = True
        actions: list[Action] = []
        for name in self._replaced_by:
            member = self.members[name]
            if not member.has_process:
                actions += self._drop(name)
                continue
            self._leaving.add(name)
            if member.phase in (Phase.STARTING, Phase.UP):
                actions += member.ask_to_end(now)
        return actions

    def _restart(self, now: float) -> list[Action]:
        if self._restarting is not None:
            member = self.members[self._restarting]
            if member.phase in (Phase.ENDING, Phase.KILLED, Phase.RESTING) or member.holds_back(now):
                return []
            self._restarting = None
        if not self._restarts:
            return self._say_if_done()
        self._restarting = self._restarts.pop(0)
        member = self.members[self._restarting]
        if member.phase in (Phase.STARTING, Phase.UP):
            return member.ask_to_end(now)
        member.failures = 0
        member.deadline = now
        return []

    def _refuse(self, name: str, how: str, now: float) -> list[Action]:
        self._refused = True
        self._restarts = []
        actions: list[Action] = [
            Say(f"the reload is refused, all goes on as before: {name} ended before it was up ({how})")
        ]
        actions += self._drop(name)
        for other in self._replaced_by.values():
            if other == name:
                continue
            member = self.members[other]
            if member.has_process:
                member.enter(Phase.KILLED, now)
                self._leaving.add(other)
                actions.append(Kill(other))
            else:
                actions += self._drop(other)
        return actions

    def _drop(self, name: str) -> list[Action]:
        return [Forget(self.members.pop(name).spec)]

    def _say_if_done(self) -> list[Action]:
        return [Say("reloaded")] if self._taken_over and self.over else []
