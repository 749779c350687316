"""Why nobody runs: the reason of the flight that came furthest through the rules, found from the far end.

A flight in the request's lists may have come to any rule; one that is listed under other topics, at most to `topic`;
one listed under other places, at most to `place`. So they are asked in that order, until nobody can have come further.
"""

from collections.abc import Callable, Iterable
from typing import Final

from adserver.decision.eligibility import furthest
from adserver.decision.gate import Gate
from adserver.decision.lists import FlightLists, Match
from adserver.decision.question import Question
from adserver.domain.reasons import NoFillReason

_NOBODY: Final[frozenset[int]] = frozenset()


def why_nobody(
    lists: FlightLists, match: Match, gate: Gate, question: Question, stopped: Iterable[NoFillReason]
) -> NoFillReason:
    """Return the reason of a no fill; a flight that nothing stops is here only because the draw passed it by.

    Args:
        lists: all.
        match: those of the request.
        gate: judges for the question.
        question: what was asked.
        stopped: the reasons of the slot's flights that are in no list.
    """
    reason = furthest(stopped)
    for ranks in match.tiers:
        for flight, _ in ranks.all():
            reason = furthest((reason, gate.stop(flight) or NoFillReason.LOST_DRAW))
            if reason is NoFillReason.LOST_DRAW:
                return reason
    topics = frozenset(match.topics)
    others = (flight for flight in lists.other_topics(match) if not gate.is_listed(flight, _NOBODY, topics))
    reason = _until(NoFillReason.TOPIC, reason, others, gate.stop_before_topic)
    places = frozenset(match.places)
    others = (flight for flight in lists.other_places(match) if not gate.is_listed(flight, places, _NOBODY))
    by_place = NoFillReason.PLACE_UNKNOWN if question.request.place is None else NoFillReason.PLACE
    return _until(by_place, reason, others, gate.stop_before_place)


def _until(
    most: NoFillReason, reason: NoFillReason, flights: Iterable[int], stop: Callable[[int], NoFillReason | None]
) -> NoFillReason:
    """Return the furthest of a reason and those of flights that may have come to `most`, but not beyond it."""
    if furthest((reason, most)) is reason:
        return reason
    for flight in flights:
        reason = furthest((reason, stop(flight) or most))
        if reason is most:
            return reason
    return reason
