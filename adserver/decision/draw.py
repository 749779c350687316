"""The draw among those who may run: shares of voice, then weights. Exact: whole numbers, half-open intervals.

Candidates with parts 3, 1, 2 own [0, 3), [3, 4), [4, 6) of a whole number drawn from [0, 6): no point belongs to two
and none to nobody, so equal parts serve equally. (Closed intervals that share their ends would serve two equals 2:1.)
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from random import Random
from typing import Final

from adserver.decision.compiled_flight import CompiledFlight
from adserver.decision.fitting import FittingCreative
from adserver.decision.lineup import Candidate, Lineup, Ranks
from adserver.domain.catalog import Tier

PERCENT: Final = 100
QUICK_TRIES: Final = 4
"""How often a draw by weight may hit a candidate that is stopped now before all of them are asked."""

MayRun = Callable[[CompiledFlight], bool]
"""Whether the rules of the moment let a flight run."""


def draw(lineup: Lineup, may_run: MayRun, rng: Random) -> Candidate | None:
    """Return the winner: the first tier's draw that has one, or None."""
    for ranks in lineup.tiers:
        by = draw_by_share if ranks.tier is Tier.SPONSORSHIP else draw_by_weight
        winner = by(ranks, may_run, rng)
        if winner is not None:
            return winner
    return None


def draw_by_share(ranks: Ranks, may_run: MayRun, rng: Random) -> Candidate | None:
    """Draw among sponsorships: each wins its share of all decisions, in percent, and the rest falls through as None.

    Shares over 100 together are divided by their sum. The part of one that may not run is nobody's: it falls through.
    """
    eligible = [candidate for candidate in ranks.candidates if may_run(candidate.flight)]
    if not eligible:
        return None
    bounds = _bounds(eligible)
    point = rng.randrange(max(PERCENT, bounds[-1]))
    return eligible[bisect_right(bounds, point)] if point < bounds[-1] else None


def draw_by_weight(ranks: Ranks, may_run: MayRun, rng: Random) -> Candidate | None:
    """Draw among equals, each in proportion to its weight; None where none may run.

    Draws from all and drops those that may not run, which leaves the others their proportions; so a winner is found
    without asking all. After `QUICK_TRIES` of that, asks all and draws from those who may.
    """
    for _ in range(QUICK_TRIES):
        candidate = ranks.candidates[_pick(ranks.bounds, rng)]
        if may_run(candidate.flight):
            return candidate
    eligible = [candidate for candidate in ranks.candidates if may_run(candidate.flight)]
    if not eligible:
        return None
    return eligible[_pick(_bounds(eligible), rng)]


def draw_creative(candidate: Candidate, rng: Random) -> FittingCreative:
    """Draw one of a flight's creatives that fit, in proportion to their weights."""
    if len(candidate.creatives) == 1:
        return candidate.creatives[0]
    return candidate.creatives[_pick(candidate.bounds, rng)]


def _bounds(candidates: Sequence[Candidate]) -> tuple[int, ...]:
    return tuple(accumulate([candidate.flight.part for candidate in candidates]))


def _pick(bounds: Sequence[int], rng: Random) -> int:
    """Return the position whose interval holds a point drawn from [0, the last bound)."""
    return bisect_right(bounds, rng.randrange(bounds[-1]))
