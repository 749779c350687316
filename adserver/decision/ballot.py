"""One slot's part in a page's call: its own draw, and who follows if the winner may not stand beside others."""

from collections.abc import Iterator, Mapping
from random import Random
from typing import NamedTuple

from adserver.decision.assignment import Option
from adserver.decision.draw import draw
from adserver.decision.eligibility import RULES, first_stop
from adserver.decision.field import Field
from adserver.decision.order import Order, rank_at
from adserver.decision.paces import NEVER_SHOWN, Shown
from adserver.decision.page import PageSoFar
from adserver.decision.question import Question
from adserver.decision.rank import Rank
from adserver.decision.records import CatalogRecords
from adserver.domain.catalog import CapPeriod, CapScope
from adserver.domain.ids import FlightId


class Ballot(NamedTuple):
    """A question of a page's call and who is drawn from for it. For one thread and one decision."""

    question: Question
    field: Field
    records: CatalogRecords

    def draw(self, rng: Random) -> int | None:
        """Return the winner's position, on the page as the question has it."""
        return draw(self.field.match.tiers, self.field, rng)

    def draw_again(self, page: PageSoFar, shown: Mapping[FlightId, Shown], after: int, rng: Random) -> int | None:
        """Return who wins beside others, where the one drawn first may not; shares are not drawn for twice."""
        self.field.turn_to(page, shown)
        own = rank_at(self.records, after)
        rest = [ranks for ranks in self.field.match.tiers if ranks.rank >= own and ranks.rank is not Rank.SHARES]
        return draw(rest, self.field, rng)

    def options(
        self, first: int, rng: Random, most: int, takeovers: Mapping[int, tuple[int, ...]], seat: int
    ) -> Iterator[Option]:
        """Yield who may have the slot, the one drawn first before the others.

        Args:
            first: whom `draw` returned.
            rng: drawn from.
            most: how many to yield of each rank.
            takeovers: what flights that take several slots take, by position.
            seat: the slot's place in the call.
        """
        for flight, rank in Order(self.records, self.field, rng, most).after(first, self.field.match.tiers):
            yield self.option(flight, takeovers.get(flight, (seat,)), rank)

    def option(self, flight: int, seats: tuple[int, ...], rank: Rank = Rank.SHARES) -> Option:
        """Return a flight as one who may have seats, and its rank where that matters."""
        record = self.records.flights.get(flight)
        return Option(flight, rank, self.records.advertiser_of(flight), record.repeat, seats, self._room(flight))

    def takes(self, flight: int) -> bool:
        """Return whether nothing stops a takeover here, were it to have all of its slots."""
        compiled = self.records.compiled(flight)
        page = PageSoFar(takeovers=frozenset({compiled.flight.id}))
        return first_stop(RULES, compiled, self.question._replace(page=page)) is None

    def _room(self, flight: int) -> int | None:
        """Return how many fills of this call the flight's pace and its reader's caps leave; None: any number."""
        record = self.records.flights.get(flight)
        shown = self.question.shown.get(record.id, NEVER_SHOWN)
        rooms = [
            cap.impressions - (shown.visit if cap.per is CapPeriod.VISIT else shown.page)
            for cap in record.caps
            if cap.scope is CapScope.READER
        ]
        pace = self.question.paces.of(record.id) if self.question.paces is not None else None
        if pace is not None:
            rooms.append(pace.left)
        return min(rooms, default=None)
