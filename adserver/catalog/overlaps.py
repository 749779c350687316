"""Which sponsorships meet on the same page with more than the whole of it. Pure.

Pages are told apart by their place, by one topic, and by the hour. It is enough to look at the pages where something
begins: those about a place that a flight names, or about a town that circles reach; those of a topic that a flight
names, or of none; at the moments at which a flight's hours begin. Every other page matches no more flights than one of
these does.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise, product
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from adserver.decision.compiled_flight import CompiledFlight
from adserver.decision.draw import PERCENT
from adserver.decision.eligibility import FIT_RULES, TARGET_RULES, first_stop
from adserver.decision.question import Question
from adserver.domain.catalog import Slot
from adserver.domain.decisions import SlotRequest
from adserver.domain.ids import FlightId, PlaceId, Topic
from adserver.domain.places import Circle, Place
from adserver.places.circles import lies_in
from adserver.places.states import STATES

_RULES: Final = (*TARGET_RULES, *FIT_RULES)
_A_WEEK: Final = timedelta(days=7)


class Places(Protocol):
    """Knows places; the gazetteer does."""

    def get(self, place_id: PlaceId) -> Place | None:
        """Return the place with this id, or None."""
        ...

    def within(self, centre: Place, kilometres: float) -> frozenset[PlaceId]:
        """Return the towns, and ZIPs without a town, at most so far from the centre's middle."""
        ...


@dataclass(frozen=True, slots=True)
class Sold:
    """Sponsorships that one page matches, the page, and for how long the same of them run. Immutable."""

    flights: frozenset[FlightId]
    place: PlaceId | None
    topic: Topic | None
    at: datetime
    """A moment at which all of them do, by their hours too. Aware UTC, as the next two."""
    since: datetime
    until: datetime
    """Exclusive."""


def over_sold(
    slot: Slot, sponsors: Sequence[CompiledFlight], begin: datetime, end: datetime, places: Places
) -> list[Sold]:
    """Return what is sold to more than the whole, from the coarsest page on.

    Of two that are about the same time, and of which one holds the other, the first stands.

    Args:
        slot: whose pages these are.
        sponsors: sponsorships that run in it.
        begin: the first moment of the time that is looked at, aware UTC.
        end: the moment after the last.
        places: knows what the places of flights contain.
    """
    found: list[Sold] = []
    if _percent(sponsors) <= PERCENT:
        return found
    for place in _pages(sponsors, places):
        near = [flight for flight in sponsors if _may_be_at(flight, place)]
        if _percent(near) > PERCENT:
            found += [sold for sold in _sold_at(slot, near, place, begin, end) if not _is_told(sold, found)]
    return found


def _is_told(sold: Sold, before: Iterable[Sold]) -> bool:
    return any(
        other.since <= sold.since
        and sold.until <= other.until
        and (sold.flights <= other.flights or sold.flights >= other.flights)
        for other in before
    )


def _sold_at(
    slot: Slot, near: Sequence[CompiledFlight], place: Place | None, begin: datetime, end: datetime
) -> list[Sold]:
    """Return what is over-sold at a place, one after the other; what goes on with the same flights is one."""
    edges = sorted({begin, end, *(edge for each in near for edge in (each.starts, each.ends) if begin < edge < end)})
    whole: list[Sold] = []
    for since, until in pairwise(edges):
        active = [flight for flight in near if flight.starts <= since < flight.ends]
        for sold in _sold_through(slot, active, place, since, until) if _percent(active) > PERCENT else ():
            before = next((one for one in whole if one.flights == sold.flights and one.until == since), None)
            if before is None:
                whole.append(sold)
            else:
                whole[whole.index(before)] = replace(before, until=until)
    return whole


def _sold_through(
    slot: Slot, active: Sequence[CompiledFlight], place: Place | None, since: datetime, until: datetime
) -> Iterator[Sold]:
    """Yield what is over-sold at a place through a time in which the same flights run, but for their hours."""
    found: list[frozenset[FlightId]] = []
    for topic, moment in product(_topics(active), _moments(active, since, until)):
        request = SlotRequest(slot.id, place, () if topic is None else (topic,))
        question = Question(request, slot, moment, {})
        matched = [flight for flight in active if first_stop(_RULES, flight, question) is None]
        ids = frozenset(flight.flight.id for flight in matched)
        if _percent(matched) > PERCENT and not any(ids <= other or ids >= other for other in found):
            found.append(ids)
            yield Sold(ids, None if place is None else place.id, topic, moment, since, until)


def _percent(flights: Iterable[CompiledFlight]) -> int:
    return sum(flight.part for flight in flights)


def _may_be_at(flight: CompiledFlight, place: Place | None) -> bool:
    """Return whether a flight's own places let it run at a place, whatever it excludes."""
    target = flight.flight.targeting
    if not target.places and not target.near:
        return True
    if place is None:
        return False
    return not target.places.isdisjoint(place.chain) or any(lies_in(place, circle) for circle in target.near)


def _pages(flights: Sequence[CompiledFlight], places: Places) -> Iterator[Place | None]:
    """Yield the places that are to be looked at, none first, then from the coarsest to the finest."""
    yield None
    targets = [flight.flight.targeting for flight in flights]
    named = {place for target in targets for place in target.places} | _ruled(flights)
    known = [place for id_ in sorted(named) if (place := places.get(id_)) is not None]
    yield from sorted(known, key=lambda place: len(place.chain))
    around = sorted({circle for target in targets for circle in target.near}, key=_order)
    not_around = sorted({circle for target in targets for circle in target.exclude_near}, key=_order)
    told_apart = named | {place for target in targets for place in target.exclude_places}
    yield from _towns(around, not_around, told_apart, places)


def _ruled(flights: Sequence[CompiledFlight]) -> set[PlaceId]:
    """Return the states in which rules let flights run; where they say nothing of a place, it is no place to run."""
    rules = {rule for flight in flights for rule in flight.rules}
    if any(rule.allow_elsewhere for rule in rules):
        return {PlaceId(f"us-{code}") for code in STATES}
    return {line.state for rule in rules for line in rule.states}


def _order(circle: Circle) -> tuple[PlaceId, float]:
    return circle.centre, circle.kilometres


def _towns(
    around: Sequence[Circle], not_around: Sequence[Circle], told_apart: set[PlaceId], places: Places
) -> Iterator[Place]:
    """Yield one town for each set of circles and named places that some town lies in; those in most circles first."""
    kinds: dict[tuple[object, ...], tuple[int, Place]] = {}
    for town in _within(around, places):
        circles = frozenset(circle for circle in around if lies_in(town, circle))
        excluding = frozenset(circle for circle in not_around if lies_in(town, circle))
        kinds.setdefault((circles, excluding, frozenset(told_apart.intersection(town.chain))), (len(circles), town))
    for _, town in sorted(kinds.values(), key=lambda kind: -kind[0]):
        yield town


def _within(circles: Sequence[Circle], places: Places) -> Iterator[Place]:
    ids: set[PlaceId] = set()
    for circle in circles:
        centre = places.get(circle.centre)
        if centre is not None:
            ids |= places.within(centre, circle.kilometres)
    yield from (town for id_ in sorted(ids) if (town := places.get(id_)) is not None)


def _topics(flights: Sequence[CompiledFlight]) -> list[Topic | None]:
    return [None, *sorted({topic for flight in flights for topic in flight.flight.targeting.topics})]


def _moments(flights: Sequence[CompiledFlight], since: datetime, until: datetime) -> list[datetime]:
    """Return the first moment, and all of the week from then on at which the hours of a flight begin."""
    found = {since}
    for flight in flights:
        hours = flight.flight.targeting.hours
        if hours is None:
            continue
        zone = ZoneInfo(flight.campaign.timezone)
        today = since.astimezone(zone).date()
        clock = time(hours.from_minute // 60, hours.from_minute % 60)
        for number in range(8):
            opening = datetime.combine(today + timedelta(days=number), clock, zone).astimezone(UTC)
            if since < opening < min(until, since + _A_WEEK):
                found.add(opening)
    return sorted(found)
