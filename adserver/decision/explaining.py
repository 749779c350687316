"""Why each flight won a slot, or did not: the rules of production asked of every flight, and what the draw comes to.

Who wins is decided as ever; each other flight gets the first rule that stopped it, or what the draw made of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from typing import Final

from adserver.decision.compiled_flight import CompiledFlight
from adserver.decision.draw import PERCENT
from adserver.decision.eligibility import judge, settle
from adserver.decision.fitting import fitting_creatives
from adserver.decision.paces import ODDS_WHOLE, Paces
from adserver.decision.question import Question
from adserver.decision.rank import Rank, rank_of
from adserver.decision.regulation import disclosures
from adserver.decision.snapshot import Snapshot
from adserver.domain.decisions import Decision, Fill
from adserver.domain.ids import CreativeId, FlightId
from adserver.domain.reasons import NoFillReason

_NONE: Final = Fraction(0)


@dataclass(frozen=True, slots=True)
class Account:
    """What became of one flight. Immutable."""

    flight: CompiledFlight
    reason: NoFillReason | None
    """The first rule that stopped it, or what it lost by; None: it won."""
    detail: str
    """The same in words."""
    odds: Fraction
    """Its chance at the draw, 0 where a rule stopped it."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a slot shows what it shows. Immutable."""

    decision: Decision
    accounts: tuple[Account, ...]
    """Of all flights, in the catalog's order."""

    @property
    def odds_of_nobody(self) -> Fraction:
        """The chance that nobody wins, since shares leave something and no other tier takes it."""
        return 1 - sum((account.odds for account in self.accounts), start=_NONE)


def explain(question: Question, snapshot: Snapshot, rng: Random) -> Explanation:
    """Return a decision for a slot of the catalog, made as ever, and why."""
    decision = snapshot.choose(question, rng)
    return _account_for(question, snapshot, decision)


def explain_winner(
    question: Question, snapshot: Snapshot, flight: FlightId, creative: CreativeId
) -> Explanation | None:
    """Return why a flight won that did, and the others did not; None where the catalog lacks it or its creative.

    Its own goal, pace and caps left it room then, whatever they leave by now.
    """
    found = snapshot.flight(flight)
    if found is None:
        return None
    others = {each: count for each, count in question.delivered.items() if each != flight}
    question = question._replace(delivered=others)
    required = disclosures(found.rules, question.request.place)
    fitting = fitting_creatives(found.creatives, question.slot, question.request, required)
    shown = next((each for each, _ in fitting if each.creative.id == creative), None)
    if shown is None:
        return None
    decision = Fill(
        question.request,
        snapshot.site_of(question.slot),
        question.slot,
        found.advertiser,
        found.campaign,
        found.flight,
        shown.creative,
        shown.variants,
        shown.shown,
        required=required,
    )
    return _account_for(question, snapshot, decision)


def _account_for(question: Question, snapshot: Snapshot, decision: Decision) -> Explanation:
    winner = snapshot.flight(decision.flight.id) if isinstance(decision, Fill) else None
    verdicts = judge(snapshot.flights, question)
    odds = chances((each.flight for each in verdicts if each.stop is None), question.paces)
    accounts = tuple(
        Account(
            each.flight,
            each.stop.reason if each.stop is not None else None,
            each.stop.detail if each.stop is not None else f"won in {each.flight.flight.tier}",
            odds.get(each.flight.flight.id, _NONE),
        )
        for each in settle(verdicts, winner)
    )
    return Explanation(decision, accounts)


def chances(eligible: Iterable[CompiledFlight], paces: Paces | None) -> dict[FlightId, Fraction]:
    """Return the chance of each that nothing stops: draw by draw, of what those before have left.

    A flight that its pace lets into some draws only counts with that part of its weight: exact where it is alone.
    """
    by_rank: dict[Rank, list[tuple[FlightId, Fraction]]] = {}
    entering: dict[Rank, list[Fraction]] = {}
    for flight in eligible:
        enters = _entering(flight, paces)
        by_rank.setdefault(rank_of(flight), []).append((flight.flight.id, flight.part * enters))
        entering.setdefault(rank_of(flight), []).append(enters)
    odds: dict[FlightId, Fraction] = {}
    left = Fraction(1)
    for rank in sorted(by_rank):
        parts = sum((part for _, part in by_rank[rank]), start=_NONE)
        if not parts:
            continue
        if rank is Rank.SHARES:
            taken = min(Fraction(1), parts / PERCENT)
        else:
            nobody = Fraction(1)
            for enters in entering[rank]:
                nobody *= 1 - enters
            taken = 1 - nobody
        for id_, part in by_rank[rank]:
            odds[id_] = left * taken * part / parts
        left -= left * taken
    return odds


def _entering(flight: CompiledFlight, paces: Paces | None) -> Fraction:
    pace = paces.of(flight.flight.id) if paces is not None else None
    return Fraction(1) if pace is None else Fraction(min(pace.odds, ODDS_WHOLE), ODDS_WHOLE)
