"""How much of a goal is to be delivered by when."""

from dataclasses import dataclass
from typing import Final

from adserver.decision.traffic import UNIFORM, WeekCurve
from adserver.domain.catalog import Pacing
from adserver.domain.ids import FlightId

_SPARE_PART: Final = 0.05
_SPARE_SECONDS: Final = 7_200.0


@dataclass(frozen=True, slots=True)
class PacedFlight:
    """A flight of which only so much may be served: it has a goal, or a cap of its own. Immutable."""

    id: FlightId
    starts: float
    """Unix time, inclusive."""
    ends: float | None
    """Unix time, exclusive; None: open."""
    goal: int | None = None
    """Net impressions; None: it has a cap only."""
    pacing: Pacing = Pacing.EVEN
    curve: WeekCurve = UNIFORM
    """The past traffic of its slots."""

    def planned(self, second: float) -> float:
        """Return the part of the goal that is to be delivered by a second, 0 to 1.

        It follows the traffic of the slots, so that each reader has the same chance of it, day or night. Frontloaded,
        it begins at one and a half times that, and ends at half of it. The plan is over before the flight is: by a
        twentieth of its traffic, at most by what two hours bring. What readers see late, or not at all, is made up for
        in that time.
        """
        if self.ends is None or self.pacing is Pacing.ASAP or second >= self.ends:
            return 1.0
        if second <= self.starts:
            return 0.0
        spare = min(_SPARE_PART, _SPARE_SECONDS / (self.ends - self.starts))
        whole = (1 - spare) * self.curve.between(self.starts, self.ends)
        part = min(1.0, self.curve.between(self.starts, second) / whole)
        return part * (1.5 - 0.5 * part) if self.pacing is Pacing.FRONTLOADED else part

    def due(self, first: float, last: float) -> float:
        """Return which part of what is left at one second is to be delivered until another."""
        before = self.planned(first)
        return 1.0 if before >= 1 else (self.planned(last) - before) / (1 - before)
