"""How much of a flight's goal or cap a process may serve now: an argument of a decision, as what is delivered is."""

from collections.abc import Mapping
from typing import Final, NamedTuple, Protocol

from adserver.domain.catalog import Flight, is_capped_a_reader
from adserver.domain.ids import FlightId

ODDS_WHOLE: Final = 1_000_000
"""Odds of one: who has so many of these always enters the draw."""


class Pace(NamedTuple):
    """A flight's pace in one process at one moment. Immutable."""

    odds: int
    """The chance to enter the draw, in millionths."""
    left: int
    """How many fills this process may still give it."""
    is_capped: bool = False
    """Whether it is a cap, not the plan of its goal, that bounds `left`."""


class Paces(Protocol):
    """The paces of all flights that have a goal or a cap of their own."""

    def of(self, flight: FlightId) -> Pace | None:
        """Return a flight's pace; None: none has reached this process, so it may not be served."""
        ...


class Shown(NamedTuple):
    """How often one reader was shown a flight. Immutable."""

    visit: int = 0
    page: int = 0


NOBODY: Final[Mapping[FlightId, Shown]] = {}
"""The ledger of a reader of whom nothing is known."""
NEVER_SHOWN: Final = Shown()


def after_fill(shown: Mapping[FlightId, Shown], flight: Flight) -> Mapping[FlightId, Shown]:
    """Return a reader's ledger once a flight is shown too, which stands last; the same where it has no cap a reader."""
    if not is_capped_a_reader(flight):
        return shown
    before = shown.get(flight.id, NEVER_SHOWN)
    others = {id_: times for id_, times in shown.items() if id_ != flight.id}
    return {**others, flight.id: Shown(before.visit + 1, before.page + 1)}
