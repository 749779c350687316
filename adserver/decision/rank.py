"""In which order draws are held: by tier, and within `standard` those with a goal before those without."""

from enum import IntEnum
from typing import Final

from adserver.decision.compiled_flight import CompiledFlight
from adserver.domain.catalog import Tier


class Rank(IntEnum):
    """One draw of a decision; members stand in the order in which they are held. Kept in the compiled file."""

    SHARES = 0
    """Sponsorships."""
    GOALS = 1
    """Standard flights that have a goal: what was sold goes before what was not. Their pace keeps them from taking more
    than their plan wants."""
    WEIGHTS = 2
    """Standard flights without one."""
    HOUSE = 3

    @property
    def tier(self) -> Tier:
        """The tier that it is of."""
        return _TIERS[self]


_TIERS: Final = (Tier.SPONSORSHIP, Tier.STANDARD, Tier.STANDARD, Tier.HOUSE)


def rank_of(flight: CompiledFlight) -> Rank:
    """Return the draw that a flight takes part in."""
    match flight.flight.tier:
        case Tier.SPONSORSHIP:
            return Rank.SHARES
        case Tier.HOUSE:
            return Rank.HOUSE
        case Tier.STANDARD:
            return Rank.WEIGHTS if flight.goal is None else Rank.GOALS
