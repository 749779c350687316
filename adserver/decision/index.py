"""Which flights match a slot, moment, place and topics: the target rules of `eligibility`, for all flights at once."""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple, Self

from adserver.decision.compiled_flight import ALWAYS, NEVER, CompiledFlight
from adserver.decision.postings import Postings, bits_of, positions_of
from adserver.domain.ids import PlaceId, SlotId, Topic
from adserver.domain.places import Place
from adserver.domain.reasons import NoFillReason


class Target(NamedTuple):
    """What of a request the index looks at, without all that no flight names. Immutable; equal if the answer is."""

    slot: SlotId
    epoch: int
    """How many starts and ends of flights have passed: between two of them, the same flights run."""
    nodes: frozenset[PlaceId] | None
    """The place and what contains it, as far as flights name them; None: no known place."""
    topics: frozenset[Topic]


class Window(NamedTuple):
    """Bits of the flights that have begun, and of those that are not yet over. Immutable."""

    begun: int
    not_over: int


@dataclass(frozen=True, slots=True, eq=False)
class FlightIndex:
    """The flights of a catalog, by what they target. Immutable; shared by all threads."""

    flights: tuple[CompiledFlight, ...]
    instants: tuple[datetime, ...]
    """Every start and end, sorted: where epochs change."""
    nodes: frozenset[PlaceId]
    topics: frozenset[Topic]
    active: int
    """Bits of the flights that are not paused."""
    by_slot: Postings[SlotId | None]
    """Under None: flights that run in every slot; so with places and topics."""
    by_place: Postings[PlaceId | None]
    by_excluded_place: Postings[PlaceId]
    by_topic: Postings[Topic | None]
    by_excluded_topic: Postings[Topic]
    window: Callable[[int], Window]
    """The window of an epoch; remembers a few, for nearly every request is in the newest."""

    @classmethod
    def build(cls, flights: tuple[CompiledFlight, ...]) -> Self:
        """Return the index of these flights; their order is the order of positions."""
        count = len(flights)
        targets = [flight.flight.targeting for flight in flights]
        by_place = Postings[PlaceId | None](count, (target.places or (None,) for target in targets))
        by_excluded_place = Postings[PlaceId](count, (target.exclude_places for target in targets))
        by_topic = Postings[Topic | None](count, (target.topics or (None,) for target in targets))
        by_excluded_topic = Postings[Topic](count, (target.exclude_topics for target in targets))
        instants = _instants(flights)
        return cls(
            flights=flights,
            instants=instants,
            nodes=frozenset(key for key in by_place.keys | by_excluded_place.keys if key is not None),
            topics=frozenset(key for key in by_topic.keys | by_excluded_topic.keys if key is not None),
            active=bits_of((at for at, flight in enumerate(flights) if not flight.paused), count),
            by_slot=Postings(count, ((None,) if each.flight.slots is None else each.flight.slots for each in flights)),
            by_place=by_place,
            by_excluded_place=by_excluded_place,
            by_topic=by_topic,
            by_excluded_topic=by_excluded_topic,
            window=lru_cache(maxsize=8)(lambda epoch: _window(flights, instants[epoch - 1] if epoch else ALWAYS)),
        )

    def target(self, slot: SlotId, now: datetime, place: Place | None, topics: tuple[Topic, ...]) -> Target:
        """Return what of a request matters here."""
        return Target(
            slot,
            bisect_right(self.instants, now),
            None if place is None else self.nodes.intersection(place.chain),
            self.topics.intersection(topics),
        )

    def matching(self, target: Target) -> tuple[CompiledFlight, ...] | NoFillReason:
        """Return the flights that no target rule stops, in the catalog's order, or why there is none.

        The rule after which none is left is the one that stopped the flight which came furthest.
        """
        left = -1
        for reason, bits in self._steps(target):
            left &= bits
            if not left:
                return reason
        return tuple(self.flights[position] for position in positions_of(left))

    def _steps(self, target: Target) -> Iterable[tuple[NoFillReason, int]]:
        """Yield the target rules in their order, each with the bits of the flights that pass it."""
        yield NoFillReason.SLOT, self.by_slot.union((None, target.slot))
        yield NoFillReason.PAUSED, self.active
        window = self.window(target.epoch)
        yield NoFillReason.NOT_STARTED, window.begun
        yield NoFillReason.ENDED, window.not_over
        if target.nodes is None:
            yield NoFillReason.PLACE_UNKNOWN, self.by_place.union((None,))
        else:
            yield NoFillReason.PLACE, self.by_place.union((None, *target.nodes))
            yield NoFillReason.PLACE_EXCLUDED, ~self.by_excluded_place.union(target.nodes)
        yield NoFillReason.TOPIC, self.by_topic.union((None, *target.topics))
        yield NoFillReason.TOPIC_EXCLUDED, ~self.by_excluded_topic.union(target.topics)


def _instants(flights: tuple[CompiledFlight, ...]) -> tuple[datetime, ...]:
    running = [flight for flight in flights if not flight.paused]
    instants = {flight.starts for flight in running} | {flight.ends for flight in running}
    return tuple(sorted(instants - {NEVER, ALWAYS}))


def _window(flights: tuple[CompiledFlight, ...], now: datetime) -> Window:
    count = len(flights)
    return Window(
        begun=bits_of((at for at, flight in enumerate(flights) if flight.starts <= now), count),
        not_over=bits_of((at for at, flight in enumerate(flights) if now < flight.ends), count),
    )
