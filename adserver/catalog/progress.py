"""How far flights and campaigns are with their goals, and how far they should be by now. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from adserver.decision.compiled_flight import ALWAYS, NEVER, FlightCompiler
from adserver.decision.plan import PacedFlight
from adserver.domain.catalog import Advertiser, Campaign, Flight, Pacing
from adserver.domain.ids import FlightId

BEHIND_PERCENT: Final = 10
"""So far behind what is expected is behind."""


class Standing(StrEnum):
    """How what is delivered compares with what is expected."""

    MET = "met"
    BEHIND = "behind"
    ON_PLAN = "on_plan"
    OPEN = "open"
    """There is no goal, or no plan that says when how much of it is due."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What is delivered, and what was sold. Immutable."""

    delivered: int
    """Net impressions, with or without a goal."""
    toward: int = 0
    """Those of flights that have a goal."""
    goal: int | None = None
    """None: nothing was sold by number."""
    expected: int | None = None
    """What is due by now; None: no plan says so. As if each hour brought as many readers as any other."""

    @property
    def percent(self) -> float:
        """How much of the goal is delivered, 0 to 100."""
        return min(100.0, 100 * self.toward / self.goal) if self.goal else 0.0

    @property
    def expected_percent(self) -> float | None:
        """How much of it is due, 0 to 100."""
        return min(100.0, 100 * self.expected / self.goal) if self.goal and self.expected is not None else None

    @property
    def standing(self) -> Standing:
        """How it compares."""
        if self.goal is None or self.expected is None:
            return Standing.OPEN
        if self.toward >= self.goal:
            return Standing.MET
        behind = self.toward * 100 < self.expected * (100 - BEHIND_PERCENT)
        return Standing.BEHIND if behind else Standing.ON_PLAN


def flight_progress(campaign: Campaign, flight: Flight, delivered: int, now: datetime) -> Progress:
    """Return how far a flight is.

    Args:
        campaign: its own.
        flight: one of the campaign's.
        delivered: its net impressions.
        now: aware UTC.
    """
    if flight.goal is None:
        return Progress(delivered)
    goal = flight.goal.impressions
    nobody = Advertiser(campaign.advertiser, "")
    compiled = FlightCompiler().compile(flight, campaign, nobody)
    if compiled.ends is NEVER or flight.goal.pacing is Pacing.ASAP:
        return Progress(delivered, delivered, goal)
    starts = 0.0 if compiled.starts is ALWAYS else compiled.starts.timestamp()
    plan = PacedFlight(flight.id, starts, compiled.ends.timestamp(), goal, flight.goal.pacing)
    return Progress(delivered, delivered, goal, int(goal * plan.planned(now.timestamp())))


def campaign_progress(campaign: Campaign, delivered: Mapping[FlightId, int], now: datetime) -> Progress:
    """Return how far a campaign's flights are in all; one that is not in `delivered` has nothing."""
    return _sum(flight_progress(campaign, flight, delivered.get(flight.id, 0), now) for flight in campaign.flights)


def _sum(parts: Iterable[Progress]) -> Progress:
    """Return all as one; what is expected only where each part with a goal says it."""
    all_of = list(parts)
    sold = [part for part in all_of if part.goal is not None]
    total = sum(part.delivered for part in all_of)
    if not sold:
        return Progress(total)
    due = [part.expected for part in sold if part.expected is not None]
    expected = sum(due) if len(due) == len(sold) else None
    return Progress(total, sum(part.toward for part in sold), sum(part.goal or 0 for part in sold), expected)
