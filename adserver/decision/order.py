"""In which order a slot's own draw would come to its flights, were those before them not to be had.

For pages on which the winner of one slot may not stand beside that of another. Who is drawn first is the draw's own;
the others follow by weight. A share is passed on only where sponsorships hold more than all of the draw: exactly as
often as is missing to the chance that each of the others has where the first may not run at all.
"""

from collections.abc import Iterator
from itertools import accumulate
from random import Random
from typing import Final, NamedTuple

from adserver.decision.draw import PERCENT, Eligible
from adserver.decision.field import Field
from adserver.decision.lists import Ranks
from adserver.decision.rank import Rank, rank_of
from adserver.decision.records import CatalogRecords

ASKED: Final = 256
"""A draw among more is not asked whole: some of it is tried."""
TRIES_EACH: Final = 4


class Kind(NamedTuple):
    """What the flights of a draw have in common that a page's rules do not tell apart."""

    advertiser: str
    may_repeat: bool
    flight: int | None
    """Where it is one of its own, for it may have so many seats only, or takes several."""


def rank_at(records: CatalogRecords, flight: int) -> Rank:
    """Return the draw that the flight at a position takes part in."""
    return rank_of(records.compiled(flight))


class Order:
    """Draws on. For one thread and one slot of one page."""

    def __init__(self, records: CatalogRecords, field: Field, rng: Random, most: int) -> None:
        """Take how many kinds of flights to name at most in each rank."""
        self._records = records
        self._field = field
        self._rng = rng
        self._most = most

    def after(self, first: int, tiers: tuple[Ranks, ...]) -> Iterator[tuple[int, Rank]]:
        """Yield the first and those that follow, one of each kind, with their ranks; better ranks were passed by."""
        own = rank_at(self._records, first)
        yield first, own
        for ranks in tiers:
            if ranks.rank is own:
                yield from ((flight, own) for flight in self._rest(ranks, first))
            elif ranks.rank > own:
                yield from ((flight, ranks.rank) for flight in self._rest(ranks, None))

    def _rest(self, ranks: Ranks, first: int | None) -> Iterator[int]:
        if ranks.size > ASKED:
            return self._tried(ranks, first)
        settled = self._field.settled(ranks) or self._field.settle(ranks)
        kinds: dict[Kind, list[int]] = {}
        for flight in Eligible.of(settled, self._field).flights:
            kinds.setdefault(self._kind(flight), []).append(flight)
        return self._drawn(kinds, first, is_by_share=ranks.rank is Rank.SHARES)

    def _drawn(self, kinds: dict[Kind, list[int]], first: int | None, *, is_by_share: bool) -> Iterator[int]:
        parts = {kind: sum(map(self._field.part_of, flights)) for kind, flights in kinds.items()}
        whole = sum(parts.values())
        for _ in range(self._most):
            if first is not None:
                rest = whole - parts.pop(self._kind(first))
                if is_by_share and not self._passes_on(whole, rest):
                    return
                whole = rest
            if not parts:
                return
            first = self._one_of(kinds[self._one_by(parts, whole)])
            yield first

    def _one_by(self, parts: dict[Kind, int], whole: int) -> Kind:
        point = self._rng.randrange(whole)
        for kind, part in parts.items():
            point -= part
            if point < 0:
                return kind
        raise ValueError("the parts come to less than their whole")

    def _one_of(self, flights: list[int]) -> int:
        if len(flights) == 1:
            return flights[0]
        bounds = tuple(accumulate(map(self._field.part_of, flights)))
        return Eligible(flights, bounds).at(self._rng.randrange(bounds[-1]))

    def _passes_on(self, whole: int, rest: int) -> bool:
        """Return whether those that are left have what the one before them cannot have.

        Of `whole` percent, each had its part of max(100, whole), and is to have that of max(100, rest).
        """
        if whole <= PERCENT or rest >= PERCENT:
            return whole > PERCENT
        return self._rng.randrange(PERCENT * (whole - rest)) < rest * (whole - PERCENT)

    def _tried(self, ranks: Ranks, first: int | None) -> Iterator[int]:
        named = set() if first is None else {self._kind(first)}
        for _ in range(TRIES_EACH * self._most):
            pick = ranks.pick(self._rng)
            kind = self._kind(pick[0])
            if kind not in named and self._field.lets_in(ranks, pick):
                named.add(kind)
                yield pick[0]

    def _kind(self, flight: int) -> Kind:
        record = self._records.flights.get(flight)
        is_own = bool(record.caps or record.goal or record.takeover)
        return Kind(self._records.advertiser_of(flight).id, record.repeat, flight if is_own else None)
