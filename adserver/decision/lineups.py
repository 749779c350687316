"""Lineups by request: from memory, else from the index and the rules of fit."""

from typing import Final

from adserver.decision.compiled_flight import CompiledFlight
from adserver.decision.fitting import char_limit
from adserver.decision.index import FlightIndex, Target
from adserver.decision.lineup import Candidate, Lineup, fit_candidate, make_lineup
from adserver.decision.memo import Memo
from adserver.decision.question import Question
from adserver.domain.ids import FlightId, SlotId
from adserver.domain.reasons import NoFillReason

LINEUPS_WEIGHT: Final = 500_000
"""References to candidates that all remembered lineups hold together: about 15 MB."""
EMPTY_LINEUP_WEIGHT: Final = 50
"""An empty lineup and its key weigh about as much as so many references."""
CANDIDATES_WEIGHT: Final = 50_000
"""Candidates that are remembered, each for one flight, slot, length asked for and limit: about 17 MB."""

_Limits = tuple[SlotId, int, int]
"""Slot, code of the variant asked for, limit in grapheme clusters: all that the rules of fit look at."""


class Lineups:
    """Who may be drawn, by request. Shared by all threads; a function of the index, with two bounded memories.

    Most requests are answered from the first: all those alike in slot, epoch, limits, and in the places and topics that
    flights name. The second spares the others the fitting of texts, which places, topics and time have no part in.
    """

    __slots__ = ("_candidates", "_index", "_lineups")

    def __init__(self, index: FlightIndex) -> None:
        """Take the index of the flights."""
        self._index = index
        self._lineups: Memo[tuple[Target, _Limits], Lineup] = Memo(LINEUPS_WEIGHT)
        self._candidates: Memo[tuple[FlightId, _Limits], Candidate | NoFillReason] = Memo(CANDIDATES_WEIGHT)

    def find(self, question: Question) -> Lineup:
        """Return who may be drawn for a question, whatever its counts, page and exclusions."""
        request, slot = question.request, question.slot
        target = self._index.target(slot.id, question.now, request.place, request.topics)
        limits = (slot.id, request.variant.code, char_limit(slot, request))
        lineup = self._lineups.get((target, limits))
        if lineup is None:
            lineup = self._make(target, limits, question)
            self._lineups.put((target, limits), lineup, lineup.size + EMPTY_LINEUP_WEIGHT)
        return lineup

    def _make(self, target: Target, limits: _Limits, question: Question) -> Lineup:
        matching = self._index.matching(target)
        if isinstance(matching, NoFillReason):
            return Lineup((), matching)
        return make_lineup(self._candidate(flight, limits, question) for flight in matching)

    def _candidate(self, flight: CompiledFlight, limits: _Limits, question: Question) -> Candidate | NoFillReason:
        key = (flight.flight.id, limits)
        candidate = self._candidates.get(key)
        if candidate is None:
            candidate = fit_candidate(flight, question)
            self._candidates.put(key, candidate)
        return candidate
