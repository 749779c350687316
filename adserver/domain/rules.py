"""What the law, or the publisher, says of a category by state: values only, immutable."""

from dataclasses import dataclass
from datetime import date

from adserver.domain.ids import PlaceId


@dataclass(frozen=True, slots=True)
class StateRule:
    """What holds in one state."""

    state: PlaceId
    allow: bool
    disclosure: str | None = None
    """What must be shown with each line there."""


@dataclass(frozen=True, slots=True)
class CategoryRule:
    """Where advertisers of a category may run; a category without one may run everywhere."""

    category: str
    as_of: date
    """When it was read."""
    source: str
    """Where it was read."""
    allow_elsewhere: bool = False
    """In states that have no line of their own. Where the state is not known, nothing of the category runs."""
    states: tuple[StateRule, ...] = ()
    """One a state at most."""

    def of(self, state: PlaceId | None) -> StateRule | None:
        """Return a state's own line, or None where it has none."""
        return next((one for one in self.states if one.state == state), None)

    def allows(self, state: PlaceId | None) -> bool:
        """Return whether the category may run in a state; never where it is not known."""
        own = self.of(state)
        return state is not None and (self.allow_elsewhere if own is None else own.allow)
