"""Who is drawn from for one question, and what is remembered of it for the next."""

from array import array
from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import Final

from adserver.decision.columns import Columns
from adserver.decision.compiling import FIRST_SECOND, LAST_SECOND
from adserver.decision.gate import Gate
from adserver.decision.hours import Windows
from adserver.decision.limits import Limits
from adserver.decision.lists import Match, Ranks
from adserver.decision.memo import Memo
from adserver.decision.question import Question
from adserver.decision.records import CatalogRecords

SETTLED_WEIGHT: Final = 500_000
"""Flights that all settled ranks hold together: about 6 MB."""
EMPTY_SETTLED_WEIGHT: Final = 50


class Settled:
    """Ranks of which all were asked, with the limits and for the seconds that the answer holds; immutable."""

    __slots__ = ("match", "ranks", "seconds")

    def __init__(self, match: Match, ranks: Ranks, seconds: range) -> None:
        self.match = match
        """Kept, so that its number is not given to another."""
        self.ranks = ranks
        self.seconds = seconds


SettledMemo = Memo[tuple[int, int, Limits], Settled]


class Field(Gate):
    """The flights of one question, and who of them may run. For one decision; the memory that it is given is shared."""

    __slots__ = ("_memo",)

    def __init__(
        self,
        columns: Columns,
        records: CatalogRecords,
        windows: Windows,
        question: Question,
        limits: Limits,
        match: Match,
        memo: SettledMemo,
        rng: Random,
    ) -> None:
        super().__init__(columns, records, windows, question, limits, match, rng)
        self._memo = memo

    def part_of(self, flight: int) -> int:
        """Return a flight's share or weight."""
        return self._columns.flight_parts[flight]

    def settled(self, ranks: Ranks) -> Ranks | None:
        """Return the ranks without those that neither counts nor page stop, if that was worked out lately."""
        if not self._memo.weight:
            return None
        found = self._memo.get(self._key(ranks))
        return found.ranks if found is not None and self.second in found.seconds else None

    def settle(self, ranks: Ranks) -> Ranks:
        """Return the ranks without those that are stopped by anything but counts and page, each flight once.

        That is remembered until the first of them begins, ends, or goes by its hours to rest or to work.
        """
        if ranks.is_settled:
            return ranks
        columns = self._columns
        first, last = FIRST_SECOND, LAST_SECOND
        standing = array("I")
        for pick in ranks.all():
            flight = pick[0]
            starts, ends = columns.flight_starts[flight], columns.flight_ends[flight]
            if self.second < starts:
                last = min(last, starts)
            elif self.second >= ends:
                first = max(first, ends)
            else:
                span = self._span(flight)
                first, last = max(first, span.start), min(last, span.stop)
                if self.is_standing(ranks, pick):
                    standing.append(flight)
        bounds = array("Q", accumulate(map(self.part_of, standing)))
        whole = (range(len(standing)),) if standing else ()
        settled = Ranks(
            ranks.rank, memoryview(standing), memoryview(bounds), whole, tuple(bounds[-1:]), (None,), is_settled=True
        )
        kept = Settled(self.match, settled, range(first, last))
        self._memo.replace(self._key(ranks), kept, len(standing) + EMPTY_SETTLED_WEIGHT)
        return settled

    def is_proven(self, ranks: Ranks) -> bool:
        """Return whether it is known that those who may run hold all of the draw."""
        return self.is_open and ranks.proof.holds(self.limits, self.second)

    def prove(self, ranks: Ranks, flights: Sequence[int]) -> None:
        """Remember that these flights, which may run now, and are sure, hold all of the draw; on an open page only."""
        if self.is_open:
            spans = [self._span(flight) for flight in flights]
            ranks.proof.note(self.limits, range(max(span.start for span in spans), min(span.stop for span in spans)))

    def _span(self, flight: int) -> range:
        """Return for which seconds around now, or more, neither days nor hours of a flight that runs change."""
        first, last = self._columns.flight_starts[flight], self._columns.flight_ends[flight]
        if not self.has_hours(flight):
            return range(first, last)
        seconds = self.hours(flight).seconds
        return range(max(first, seconds.start), min(last, seconds.stop))

    def _key(self, ranks: Ranks) -> tuple[int, int, Limits]:
        return id(self.match), self.match.tiers.index(ranks), self.limits
