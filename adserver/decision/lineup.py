"""Who may be drawn for a request, whatever the counts and the page."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from adserver.decision.compiled_flight import CompiledFlight
from adserver.decision.eligibility import FIT_RULES, first_stop, furthest
from adserver.decision.fitting import FittingCreative, fitting_creatives
from adserver.decision.question import Question
from adserver.domain.catalog import Tier
from adserver.domain.reasons import NoFillReason


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A flight with those of its creatives that fit. Immutable."""

    flight: CompiledFlight
    creatives: tuple[FittingCreative, ...]
    """At least one."""
    bounds: tuple[int, ...]
    """Cumulative weights of `creatives`."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranks:
    """The candidates of one tier, in the catalog's order. Immutable."""

    tier: Tier
    candidates: tuple[Candidate, ...]
    """At least one."""
    bounds: tuple[int, ...]
    """Cumulative shares (sponsorship) or weights of `candidates`."""


@dataclass(frozen=True, slots=True, eq=False)
class Lineup:
    """All flights that pass the rules of target and fit, by tier. Immutable; shared by all threads."""

    tiers: tuple[Ranks, ...]
    """Those that have a candidate, first asked first."""
    reason: NoFillReason
    """What a no fill reports where nobody is here: why the flight that came furthest is not."""

    @property
    def size(self) -> int:
        """How many candidates it holds."""
        return sum(len(ranks.candidates) for ranks in self.tiers)


def fit_candidate(flight: CompiledFlight, question: Question) -> Candidate | NoFillReason:
    """Return the flight with its creatives that fit, or the first rule of fit that stops it."""
    stop = first_stop(FIT_RULES, flight, question)
    if stop is not None:
        return stop.reason
    creatives, weights = zip(*fitting_creatives(flight.creatives, question.slot, question.request), strict=True)
    return Candidate(flight, creatives, tuple(accumulate(weights)))


def make_lineup(fitted: Iterable[Candidate | NoFillReason]) -> Lineup:
    """Return the lineup of flights that pass the rules of target, each fitted or stopped."""
    by_tier: dict[Tier, list[Candidate]] = {tier: [] for tier in Tier}
    reasons = []
    for each in fitted:
        if isinstance(each, Candidate):
            by_tier[each.flight.flight.tier].append(each)
        else:
            reasons.append(each)
    tiers = tuple(_ranks(tier, tuple(candidates)) for tier, candidates in by_tier.items() if candidates)
    return Lineup(tiers, furthest(reasons))


def _ranks(tier: Tier, candidates: tuple[Candidate, ...]) -> Ranks:
    return Ranks(tier, candidates, tuple(accumulate(candidate.flight.part for candidate in candidates)))
