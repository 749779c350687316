"""What stopped each flight in a call that production has answered: the rules of `eligibility`, asked afterwards.

Who won is known, and stays so. Of the others each gets the first rule that stops it, on the page as it became; who was
let in gets what the draw made of it. What only the deciding process knew, it said: which flights had some of their pace
left. From that follows, without a guess, whom pace kept out of a draw that was held after his; where a rival won the
same draw, a flight that its odds may have kept out is given `pacing` by the chance that they did.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from random import Random
from typing import Final, NamedTuple

from adserver.decision.compiled_flight import CompiledFlight
from adserver.decision.eligibility import RULES, Verdict, first_stop, judge, settle
from adserver.decision.explaining import chances
from adserver.decision.paced import is_paced
from adserver.decision.paces import NOBODY, ODDS_WHOLE, Pace, Paces, Shown, after_fill
from adserver.decision.page import EMPTY_PAGE, PageSoFar
from adserver.decision.question import Question
from adserver.decision.rank import Rank, rank_of
from adserver.decision.snapshot import Snapshot
from adserver.domain.decisions import SlotRequest
from adserver.domain.ids import FlightId
from adserver.domain.reasons import NoFillReason

_NONE: Final = Fraction(0)
_REACHED: Final = Shown(1 << 30, 1 << 30)
"""Of a flight of whose cap a reader it is only known that it is reached."""


class Outcome(NamedTuple):
    """A slot's question, and what production made of it. Immutable."""

    request: SlotRequest
    won: FlightId | None
    asked: frozenset[FlightId]
    """The flights with a pace that had some of it left."""


@dataclass(frozen=True, slots=True)
class Witness:
    """What was known beside the questions of a call. Immutable."""

    now: datetime
    """Aware."""
    delivered: Mapping[FlightId, int]
    paces: Paces | None
    """What the flights of nobody's `asked` had left, as far as it is known afterwards."""
    capped: frozenset[FlightId]
    """Those whose cap a reader was reached."""


class AnsweredCall:
    """A call, ready to be judged slot by slot. Immutable."""

    def __init__(self, snapshot: Snapshot, outcomes: Sequence[Outcome], witness: Witness) -> None:
        """Take the catalog that decided, what came of each slot, and what else was known."""
        self._snapshot = snapshot
        self._outcomes = tuple(outcomes)
        self._witness = witness
        self._winners = tuple(snapshot.flight(each.won) if each.won is not None else None for each in outcomes)
        self._shown: Mapping[FlightId, Shown] = dict.fromkeys(witness.capped, _REACHED) if witness.capped else NOBODY
        self._takeovers = self._possible_takeovers()

    def reasons(
        self, seat: int, flights: Iterable[CompiledFlight], rng: Random
    ) -> Iterator[tuple[FlightId, NoFillReason | None]]:
        """Yield of each of some flights what stopped it at a slot of the call; None: it won.

        Args:
            seat: the slot's place in the call.
            flights: of the catalog.
            rng: drawn from where only a chance is known.
        """
        question = self._question(seat)
        if question is None:
            return
        winner, asked = self._winners[seat], self._outcomes[seat].asked
        verdicts = judge(flights, question)
        odds = chances((each.flight for each in verdicts if each.stop is None), question.paces)
        for verdict in settle(verdicts, winner):
            id_ = verdict.flight.flight.id
            if winner is not None and id_ == winner.flight.id:
                yield id_, None
                continue
            reason = self._reason(verdict, winner, asked)
            if reason is None:
                kept_out = self._kept_out(id_, odds.get(id_, _NONE), rng)
                reason = NoFillReason.PACING if kept_out else NoFillReason.LOST_DRAW
            yield id_, reason

    def _reason(
        self, verdict: Verdict, winner: CompiledFlight | None, asked: AbstractSet[FlightId]
    ) -> NoFillReason | None:
        """Return what stopped a flight that did not win; None: the draw, or its odds."""
        reason = verdict.stop.reason if verdict.stop is not None else NoFillReason.LOST_DRAW
        if reason not in {NoFillReason.LOST_DRAW, NoFillReason.LOWER_TIER} or not is_paced(verdict.flight):
            return reason
        own, last = rank_of(verdict.flight), Rank.HOUSE + 1 if winner is None else rank_of(winner)
        if own > last:
            return reason
        if verdict.flight.flight.id not in asked:  # all of a draw that nobody has won were asked
            return _pace_reason(verdict.flight) if own < last and own is not Rank.SHARES else reason
        if own is not Rank.SHARES and own < last and len(self._outcomes) == 1:
            return NoFillReason.PACING  # or one of its draw had won
        return None

    def _kept_out(self, flight: FlightId, wins: Fraction, rng: Random) -> bool:
        """Draw whether its odds kept a flight out that did not win: (1 - odds) / (1 - its chance to win)."""
        pace = self._witness.paces.of(flight) if self._witness.paces is not None else None
        return pace is not None and rng.random() * ODDS_WHOLE * (1 - float(wins)) < ODDS_WHOLE - pace.odds

    def _question(self, seat: int) -> Question | None:
        outcome = self._outcomes[seat]
        slot = self._snapshot.slot(outcome.request.slot)
        if slot is None:
            return None
        page, shown = PageSoFar(takeovers=self._takeovers) if self._takeovers else EMPTY_PAGE, self._shown
        for other, winner in enumerate(self._winners):
            if other != seat and winner is not None:
                page = page.after(winner.advertiser, may_repeat=winner.flight.repeat)
                shown = after_fill(shown, winner.flight) if winner.flight.id not in shown else shown
        paces = None if self._witness.paces is None else _Known(self._witness.paces, outcome.asked)
        return Question(outcome.request, slot, self._witness.now, self._witness.delivered, page, paces, shown)

    def _possible_takeovers(self) -> frozenset[FlightId]:
        """Return the flights that could have all of their slots in this call, as far as other rules go."""
        asked = {each.request.slot for each in self._outcomes}
        found = {
            flight.flight.id
            for flight in (self._snapshot.flight_at(at) for at, slots in self._snapshot.takeovers() if slots <= asked)
            if all(
                self._lets_in(flight, each)
                for each in self._outcomes
                if each.request.slot in (flight.flight.slots or ())
            )
        }
        return frozenset(found)

    def _lets_in(self, flight: CompiledFlight, outcome: Outcome) -> bool:
        slot = self._snapshot.slot(outcome.request.slot)
        if slot is None:
            return False
        page = PageSoFar(takeovers=frozenset({flight.flight.id}))
        witness = self._witness
        question = Question(outcome.request, slot, witness.now, witness.delivered, page, witness.paces, self._shown)
        return flight.flight.id == outcome.won or first_stop(RULES, flight, question) is None


class _Known:
    """Paces, of which it is known that some had something left. Immutable."""

    def __init__(self, paces: Paces, asked: AbstractSet[FlightId]) -> None:
        self._paces = paces
        self._asked = asked

    def of(self, flight: FlightId) -> Pace | None:
        pace = self._paces.of(flight)
        if flight not in self._asked:
            return pace
        return Pace(ODDS_WHOLE, 1) if pace is None else Pace(pace.odds, max(1, pace.left), pace.is_capped)


def _pace_reason(flight: CompiledFlight) -> NoFillReason:
    return NoFillReason.CAP if flight.goal is None else NoFillReason.PACING
