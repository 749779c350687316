"""Who stands where on one page: the best ranks that its slots can have together. Pure, and bounded in its steps.

Of two seatings the better one has more fills in the first rank in which they differ; then the one whose first differing
slot, in the order of the call, has the better rank; then the one that the slots' own draws come to first.

A search by branch and bound: seats in their order, of each its options in theirs. What a branch can still come to is
bounded by what its free seats could have by themselves, and by how many sponsors there are for them at all: competitors
and a sponsor that may not repeat share one seat. It begins from a seating filled rank by rank, so what it returns when
it has run out of steps is at least that.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from adserver.decision.page import EMPTY_PAGE, PageSoFar, may_stand
from adserver.decision.rank import Rank
from adserver.domain.catalog import Advertiser

MOST_LOOKS: Final = 8_000
"""Seats that are looked at: each branch may look at all of them."""

_RANKS: Final = len(Rank)
_EMPTY: Final = _RANKS
"""Stands for the rank of a seat that nobody has: worse than all."""


class Option(NamedTuple):
    """A flight that may have a seat, as far as that seat alone goes. Immutable."""

    flight: int
    rank: int
    advertiser: Advertiser
    may_repeat: bool
    seats: tuple[int, ...]
    """All that it takes: the one whose option it is, and for a takeover the later ones too."""
    room: int | None = None
    """How many seats it may have in all; None: any number."""


Seating = tuple[Option | None, ...]
Score = tuple[tuple[int, ...], tuple[int, ...]]
"""Fills by rank, then each seat's rank, negative; the higher the better."""


def assign(options: Sequence[Sequence[Option]], most_looks: int = MOST_LOOKS) -> Seating:
    """Return who has each seat; the best seating, unless the search ran out of steps.

    Args:
        options: of each seat, best rank first, and within one in the order in which they were drawn.
        most_looks: seats to look at, over all branches.
    """
    search = _Search(options, most_looks // max(1, len(options)))
    search.seat_by_rank()
    search.walk(0, EMPTY_PAGE)
    return search.best


def score(seating: Iterable[Option | None]) -> Score:
    """Return how good a seating is."""
    ranks = [_EMPTY if option is None else option.rank for option in seating]
    return tuple(map(ranks.count, range(_RANKS))), tuple(-rank for rank in ranks)


class _Search:
    """One search. For one thread."""

    def __init__(self, options: Sequence[Sequence[Option]], most_steps: int) -> None:
        self._options = options
        self._steps = most_steps
        self._seated: list[Option | None] = [None] * len(options)
        self._taken: dict[int, int] = {}
        """Seats by flight, of those that may not have any number."""
        self._ranks = _ranks_by_seat(options)
        self._first = [ranks[0] if ranks else _EMPTY for ranks in self._ranks]
        """The best rank that each seat could have by itself."""
        self._from = _counts_from(self._first)
        self._by_rank = [0] * _RANKS
        """Of those who are seated."""
        self._taken_over: list[int] = []
        """Seats of takeovers that are seated."""
        self._room = tuple(_room(options, rank) for rank in range(_RANKS))
        """How many seats options of a rank, or a better one, can have at most."""
        self.best: Seating = tuple(self._seated)
        self._best_score = score(self.best)

    def seat_by_rank(self) -> None:
        """Begin from the seating that gives each rank what it can have, one after the other, first seats first."""
        page = EMPTY_PAGE
        for rank in range(_RANKS):
            for options in self._options:
                option = next((one for one in options if one.rank == rank and self._fits(one, page)), None)
                if option is not None:
                    page = self._seat(option, page)
        self._note()
        self._seated = [None] * len(self._options)
        self._taken = {}
        self._by_rank = [0] * _RANKS
        self._taken_over = []

    def walk(self, seat: int, page: PageSoFar) -> None:
        """Look for better seatings from a seat on, on the page as the seats before it have made it."""
        if seat == len(self._options):
            self._note()
            return
        if self._seated[seat] is not None:  # by a takeover
            self.walk(seat + 1, page)
            return
        best: Seating | None = None
        for option in self._options[seat]:
            if best is not self.best and not self._goes_on(seat):
                return
            best = self.best
            if self._fits(option, page):
                self.walk(seat + 1, self._seat(option, page))
                self._unseat(option)
        if self._goes_on(seat + 1):
            self.walk(seat + 1, page)

    def _goes_on(self, seat: int) -> bool:
        """Return whether there are steps left, and seats from this one on may still make up for what is not seated."""
        if self._steps <= 0:
            return False
        self._steps -= 1
        counts = self._most_by_rank(seat)
        if counts != self._best_score[0]:
            return counts > self._best_score[0]
        return self._may_order_better(seat)

    def _fits(self, option: Option, page: PageSoFar) -> bool:
        if not may_stand(option.advertiser, page, may_repeat=option.may_repeat):
            return False
        if any(self._seated[seat] is not None for seat in option.seats):
            return False
        return option.room is None or self._taken.get(option.flight, 0) + len(option.seats) <= option.room

    def _seat(self, option: Option, page: PageSoFar) -> PageSoFar:
        for seat in option.seats:
            self._seated[seat] = option
        self._by_rank[option.rank] += len(option.seats)
        if len(option.seats) > 1:
            self._taken_over.extend(option.seats)
        if option.room is not None:
            self._taken[option.flight] = self._taken.get(option.flight, 0) + len(option.seats)
        return page.after(option.advertiser, may_repeat=option.may_repeat)

    def _unseat(self, option: Option) -> None:
        for seat in option.seats:
            self._seated[seat] = None
        self._by_rank[option.rank] -= len(option.seats)
        if len(option.seats) > 1:
            del self._taken_over[-len(option.seats) :]
        if option.room is not None:
            self._taken[option.flight] -= len(option.seats)

    def _note(self) -> None:
        found = score(self._seated)
        if found > self._best_score:
            self.best, self._best_score = tuple(self._seated), found

    def _most_by_rank(self, seat: int) -> tuple[int, ...]:
        """Return fills by rank that no seating of the free seats from this one on can surpass."""
        within = [*map(sum, zip(self._by_rank, self._from[seat], strict=True))]
        for taken in self._taken_over:
            if taken >= seat and self._first[taken] < _EMPTY:  # it is seated, so it is not free
                within[self._first[taken]] -= 1
        most, before = [], 0
        for rank in range(_RANKS):
            if rank:
                within[rank] += within[rank - 1]
            now = min(within[rank], self._room[rank])
            most.append(now - before)
            before = now
        return tuple(most)

    def _may_order_better(self, seat: int) -> bool:
        """Return whether a seating of the free seats from this one on may fill earlier slots better than the best."""
        left = [room - used for room, used in zip(self._room, accumulate(self._by_rank), strict=True)]
        for at, best in enumerate(self._best_score[1]):
            option = self._seated[at]
            if option is not None:
                rank = option.rank
            elif at < seat:
                rank = _EMPTY
            else:
                rank = next((rank for rank in self._ranks[at] if min(left[rank:]) > 0), _EMPTY)
                _use(left, rank)
            if rank != -best:
                return rank < -best
        return False


def _counts_from(ranks: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Return, for each seat and for the end, how many seats from it on have each rank."""
    counts = [(0,) * _RANKS]
    for rank in reversed(ranks):
        counts.append(tuple(count + (at == rank) for at, count in enumerate(counts[-1])))
    return tuple(reversed(counts))


def _use(left: list[int], rank: int) -> None:
    for at in range(rank, _RANKS):
        left[at] -= 1


def _ranks_by_seat(options: Sequence[Sequence[Option]]) -> tuple[tuple[int, ...], ...]:
    """Return the ranks of which each seat has options, best first, takeovers that take it along included."""
    found: list[set[int]] = [set() for _ in options]
    for own in options:
        for option in own:
            for seat in option.seats:
                found[seat].add(option.rank)
    return tuple(tuple(sorted(ranks)) for ranks in found)


def _room(options: Sequence[Sequence[Option]], rank: int) -> int:
    """Return how many seats options of a rank or better ones can have: one for all that share a label, or a sponsor.

    Where one of them may repeat, or takes several, they have as many as it takes.
    """
    room: dict[str, int] = {}
    for option in (option for own in options for option in own if option.rank <= rank):
        sponsor = option.advertiser
        label = f"label {min(sponsor.competes_with)}" if sponsor.competes_with else f"sponsor {sponsor.id}"
        seats = len(options) if option.may_repeat else len(option.seats)
        room[label] = max(room.get(label, 0), seats)
    return sum(room.values())
