"""Which creatives the slots of one call for a page show together.

Each slot holds its own draw, as if it were alone. Where the winners may all stand beside each other, that is the page.
Where they may not, or one takes over several slots, each slot says who would follow, and `assignment` seats them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from random import Random
from typing import Final, NamedTuple

from adserver.decision.assignment import Option, assign
from adserver.decision.ballot import Ballot
from adserver.decision.paces import NOBODY, Paces, Shown, after_fill
from adserver.decision.page import EMPTY_PAGE, PageSoFar, may_stand
from adserver.decision.question import Question
from adserver.decision.snapshot import Snapshot
from adserver.domain.decisions import Decision, NoFill, SlotRequest
from adserver.domain.ids import FlightId
from adserver.domain.reasons import NoFillReason

MOST_OPTIONS: Final = 256
"""How many followers of one rank all slots name together; each names at least four, and at most 16."""


def decide_page(
    requests: Sequence[SlotRequest],
    snapshot: Snapshot,
    delivered: Mapping[FlightId, int],
    now: datetime,
    rng: Random,
    *,
    paces: Paces | None = None,
    shown: Mapping[FlightId, Shown] = NOBODY,
) -> tuple[Decision, ...]:
    """Return a decision for each slot of one page view, in the order of the requests.

    No competitors stand together, no sponsor twice unless its flights may repeat, no takeover in a part of its slots,
    and no reader's cap is passed. Of what the slots' draws leave open the best tiers are had, earlier slots first.
    """
    ballots: list[Ballot | None] = []
    takeovers = _takeovers(requests, snapshot)
    for request in requests:
        slot = snapshot.slot(request.slot)
        question = None if slot is None else Question(request, slot, now, delivered, EMPTY_PAGE, paces, shown)
        ballots.append(None if question is None else snapshot.ballot(question, rng))
    held = _Page(snapshot, ballots, rng, takeovers, shown)
    seated = held.seated()
    return tuple(
        NoFill(request, NoFillReason.UNKNOWN_SLOT) if ballot is None else held.answer(ballot, seated[seat])
        for seat, (request, ballot) in enumerate(zip(requests, ballots, strict=True))
    )


def _takeovers(requests: Sequence[SlotRequest], snapshot: Snapshot) -> dict[int, tuple[int, ...]]:
    """Return, by position, the flights that take over slots of which each is asked for, and where those stand."""
    asked = {request.slot for request in requests}
    found = {}
    for at, slots in snapshot.takeovers():
        if slots <= asked:
            found[at] = tuple(seat for seat, request in enumerate(requests) if request.slot in slots)
    return found


class _Page:
    """The slots of one call. For one thread and one call."""

    def __init__(
        self,
        snapshot: Snapshot,
        ballots: Sequence[Ballot | None],
        rng: Random,
        takeovers: Mapping[int, tuple[int, ...]],
        shown: Mapping[FlightId, Shown],
    ) -> None:
        self._snapshot = snapshot
        self._ballots = ballots
        self._rng = rng
        self._takeovers = {
            flight: seats
            for flight, seats in takeovers.items()
            if all(ballot is not None and ballot.takes(flight) for ballot in (ballots[seat] for seat in seats))
        }
        self._before = shown
        self._stand = _Stand(EMPTY_PAGE, shown, Counter())

    def seated(self) -> list[int | None]:
        """Return the flight of each seat, by position, or None."""
        for flight, seats in self._takeovers.items():
            ballot = self._ballots[seats[0]]
            if ballot is not None:
                known = ballot.field.page.takeovers | {ballot.records.id_of(flight)}
                ballot.field.turn_to(PageSoFar(takeovers=known), self._before)
        firsts = [None if ballot is None else ballot.draw(self._rng) for ballot in self._ballots]
        if self._all_may_stand(firsts):
            return firsts
        return self._assigned(firsts)

    def answer(self, ballot: Ballot, flight: int | None) -> Decision:
        """Return a slot's decision; why it has none, on the page as it has become."""
        if flight is not None:
            return self._snapshot.fill(ballot.field, flight, self._rng)
        ballot.field.turn_to(self._stand.page, self._stand.shown)
        return self._snapshot.no_fill(ballot.field)

    def _all_may_stand(self, firsts: Sequence[int | None]) -> bool:
        """Seat the winners one by one; return False, with nobody seated, if one may not stand beside the others."""
        stand = _Stand(EMPTY_PAGE, self._before, Counter())
        for ballot, flight in zip(self._ballots, firsts, strict=True):
            if ballot is None or flight is None:
                continue
            option = ballot.option(flight, (0,))
            if flight in self._takeovers or not stand.takes(option):
                return False
            stand = stand.after(option, ballot)
        self._stand = stand
        return True

    def _assigned(self, firsts: Sequence[int | None]) -> list[int | None]:
        most = max(4, min(16, MOST_OPTIONS // len(self._ballots)))
        options: list[tuple[Option, ...]] = [
            ()
            if ballot is None or first is None
            else tuple(ballot.options(first, self._rng, most, self._takeovers, seat))
            for seat, (ballot, first) in enumerate(zip(self._ballots, firsts, strict=True))
        ]
        seating = assign(options)
        for ballot, option in zip(self._ballots, seating, strict=True):
            if ballot is not None and option is not None:
                self._stand = self._stand.after(option, ballot)
        return [
            option.flight if option is not None else self._beside(self._ballots[seat], firsts[seat])
            for seat, option in enumerate(seating)
        ]

    def _beside(self, ballot: Ballot | None, first: int | None) -> int | None:
        """Return who wins a slot that nobody has whom it named, for it may not have named all."""
        if ballot is None or first is None:
            return None
        flight = ballot.draw_again(self._stand.page, self._stand.shown, first, self._rng)
        if flight is None:
            return None
        option = ballot.option(flight, (0,))
        if not self._stand.takes(option):
            return None
        self._stand = self._stand.after(option, ballot)
        return flight


class _Stand(NamedTuple):
    """How far a page is seated. Immutable."""

    page: PageSoFar
    shown: Mapping[FlightId, Shown]
    """The reader's ledger with what is seated."""
    seats: Counter[int]
    """By flight."""

    def takes(self, option: Option) -> bool:
        """Return whether one more may stand on the page."""
        has_room = option.room is None or self.seats[option.flight] < option.room
        return has_room and may_stand(option.advertiser, self.page, may_repeat=option.may_repeat)

    def after(self, option: Option, ballot: Ballot) -> "_Stand":
        """Return the page with one seat more."""
        return _Stand(
            self.page.after(option.advertiser, may_repeat=option.may_repeat),
            after_fill(self.shown, ballot.records.flights.get(option.flight)),
            self.seats + Counter((option.flight,)),
        )
