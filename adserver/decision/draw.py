"""The draw among those who may run: shares of voice, then weights. Exact: whole numbers, half-open intervals.

Flights with parts 3, 1, 2 own [0, 3), [3, 4), [4, 6) of a whole number drawn from [0, 6): no point belongs to two and
none to nobody, so equal parts serve equally. (Closed intervals that share their ends would serve two equals 2:1.)

Who may run is asked of as few as can be. A point is drawn over all, and drawn again where it hits one that may not run:
that leaves the others their proportions. After some tries all are asked, which gives the same proportions. So each
flight's chance is exactly its part of those who may run, whichever way it was found (tests/property/test_chances.py).
"""

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, islice
from random import Random
from typing import Final, NamedTuple

from adserver.decision.field import Field
from adserver.decision.lists import Ranks
from adserver.decision.rank import Rank

PERCENT: Final = 100
TRIES: Final = 16
"""How often a draw may hit a flight that is stopped before all are asked: where three of four are, all are asked in one
draw of a hundred."""
SHARES_ASKED: Final = 64
"""How many sponsorships are asked one by one, before all are at once, and remembered."""


def draw(tiers: Sequence[Ranks], field: Field, rng: Random) -> int | None:
    """Return the winner's position: that of the first draw that has one, or None."""
    for ranks in tiers:
        by = draw_by_share if ranks.rank is Rank.SHARES else draw_by_weight
        winner = by(ranks, field, rng)
        if winner is not None:
            return winner
    return None


def draw_by_weight(ranks: Ranks, field: Field, rng: Random) -> int | None:
    """Draw among equals, each in proportion to its weight; None where none may run."""
    ranks = field.settled(ranks) or ranks
    winner = _try(ranks, field, rng)
    if winner is not None:
        return winner
    eligible = Eligible.of(field.settle(ranks), field)
    return eligible.at(rng.randrange(eligible.total)) if eligible.total else None


def draw_by_share(ranks: Ranks, field: Field, rng: Random) -> int | None:
    """Draw among sponsorships: each wins its share of all decisions, in percent, and the rest falls through as None.

    Shares over 100 together are divided by their sum. The part of one that may not run is nobody's: it falls through.
    """
    ranks = field.settled(ranks) or ranks
    if ranks.total <= PERCENT:
        return _share_of_all(ranks, field, rng)
    if field.is_proven(ranks) or _prove(ranks, field):
        winner = _try(ranks, field, rng)
        if winner is not None:
            return winner
    eligible = Eligible.of(field.settle(ranks), field)
    point = rng.randrange(max(PERCENT, eligible.total))
    return eligible.at(point) if point < eligible.total else None


class Eligible(NamedTuple):
    """Flights that may run, with their cumulative parts. Immutable."""

    flights: Sequence[int]
    bounds: Sequence[int]

    @property
    def total(self) -> int:
        """All parts together."""
        return self.bounds[-1] if self.bounds else 0

    def at(self, point: int) -> int:
        """Return the flight whose half-open interval holds a point of [0, total)."""
        return self.flights[bisect_right(self.bounds, point)]

    @classmethod
    def of(cls, ranks: Ranks, field: Field) -> "Eligible":
        """Return those of the ranks that may run, each once."""
        flights = array("I", (pick[0] for pick in ranks.all() if field.lets_in(ranks, pick)))
        return cls(flights, tuple(accumulate(map(field.part_of, flights))))


def _try(ranks: Ranks, field: Field, rng: Random) -> int | None:
    """Return one that may run, if a few draws hit one."""
    if not ranks.total:
        return None
    lets_in = field.lets_in
    for _ in range(TRIES):
        pick = ranks.pick(rng)
        if lets_in(ranks, pick):
            return pick[0]
    return None


def _share_of_all(ranks: Ranks, field: Field, rng: Random) -> int | None:
    """Return the owner of one point of a hundred, if it has one that may run: nobody's part depends on the others."""
    point = rng.randrange(PERCENT)
    if point >= ranks.total:
        return None
    pick = ranks.at(point)
    return pick[0] if field.lets_in(ranks, pick) else None


def _prove(ranks: Ranks, field: Field) -> bool:
    """Return whether those who may run hold all of the draw, as far as `SHARES_ASKED` of them tell.

    Those that nothing but time can stop are looked for: with them, the proof is good for the decisions to come.
    """
    sure: list[int] = []
    held, held_surely = 0, 0
    for pick in islice(ranks.all(), SHARES_ASKED):
        if field.lets_in(ranks, pick):
            flight = pick[0]
            part = field.part_of(flight)
            held += part
            if field.is_sure(flight):
                sure.append(flight)
                held_surely += part
            if held_surely >= PERCENT:
                field.prove(ranks, sure)
            if held_surely >= PERCENT or (held >= PERCENT and not field.is_open):
                return True
    return held >= PERCENT
