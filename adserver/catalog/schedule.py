"""Who is booked where and when: what runs in a slot day by day, where nobody pays for it, and where too much is sold.

Pure. What is booked is judged by the rules of decisions themselves, so a sponsor that a slot blocks is not taken for
one that fills it. Days are those of each slot's site.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from adserver.catalog.overlaps import Places, over_sold
from adserver.decision.compiled_flight import CompiledFlight, FlightCompiler
from adserver.decision.eligibility import FIT_RULES, first_stop
from adserver.decision.question import Question
from adserver.decision.regulation import Regulation
from adserver.domain.catalog import Catalog, Slot, Tier
from adserver.domain.decisions import SlotRequest
from adserver.domain.ids import FlightId, PlaceId, SlotId, Topic

_WEEK_DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class Period:
    """Calendar days, both ends within. Immutable."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many they are."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Booking:
    """A flight in a slot, as far as it lies in the period. Immutable."""

    slot: SlotId
    flight: CompiledFlight
    first: date
    last: date
    runs: bool
    """False: it is paused, or has delivered its goal, and fills nothing."""


class GapKind(StrEnum):
    """What is left where nobody pays."""

    HOUSE = "house"
    """The publisher's own lines run."""
    EMPTY = "empty"
    """Nothing runs."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Days on which no sponsor is booked in a slot, wherever its pages are about. Immutable."""

    slot: SlotId
    kind: GapKind
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class OverBooked:
    """Sponsorships of one slot that all match the same page, with more than 100 % of it between them. Immutable."""

    slot: SlotId
    first: date
    last: date
    shares: tuple[tuple[FlightId, int], ...]
    """Each flight with its share, in the catalog's order."""
    place: PlaceId | None
    """Of such a page, the coarsest; None: one that names no place they are told apart by."""
    topic: Topic | None
    """Of such a page; None: none."""
    at: datetime
    """A moment at which it is so, aware UTC: with hours, not all of the days need be."""

    @property
    def percent(self) -> int:
        """What the shares add up to."""
        return sum(share for _, share in self.shares)


@dataclass(frozen=True, slots=True)
class Schedule:
    """What a period holds. Immutable."""

    period: Period
    bookings: tuple[Booking, ...]
    gaps: tuple[Gap, ...]
    over_booked: tuple[OverBooked, ...]


def make_schedule(
    catalog: Catalog, period: Period, places: Places, done: AbstractSet[FlightId] = frozenset()
) -> Schedule:
    """Return who is booked where in a period, the gaps, and what is over-booked.

    Args:
        catalog: as it is live.
        period: days of each slot's site.
        places: knows what the places of the catalog contain.
        done: flights that have delivered their goal, and so fill nothing any more.
    """
    flights = _compiled(catalog)
    zones = {site.id: ZoneInfo(site.timezone) for site in catalog.sites}
    bookings: list[Booking] = []
    gaps: list[Gap] = []
    over: list[OverBooked] = []
    for slot in catalog.slots:
        booked = list(_bookings(slot, flights, period, zones[slot.site], done))
        bookings += booked
        gaps += _gaps(slot, booked, period)
        over += _over_booked(slot, booked, period, zones[slot.site], places)
    return Schedule(period, tuple(bookings), tuple(gaps), tuple(over))


def _compiled(catalog: Catalog) -> list[CompiledFlight]:
    advertisers = {advertiser.id: advertiser for advertiser in catalog.advertisers}
    compiler, regulation = FlightCompiler(), Regulation(catalog.rules)
    return [
        compiler.compile(flight, campaign, owner, regulation.of(owner.categories))
        for campaign in catalog.campaigns
        for owner in (advertisers[campaign.advertiser],)
        for flight in campaign.flights
    ]


def _bookings(
    slot: Slot, flights: Sequence[CompiledFlight], period: Period, zone: ZoneInfo, done: AbstractSet[FlightId]
) -> Iterator[Booking]:
    begin, end = _instant(period.first, zone), _instant(period.last + timedelta(days=1), zone)
    question = Question(SlotRequest(slot.id), slot, begin, {})
    for flight in flights:
        named = flight.flight.slots
        if (named is not None and slot.id not in named) or flight.starts >= end or flight.ends <= begin:
            continue
        if first_stop(FIT_RULES, flight, question) is not None:  # the slot takes none of its lines, ever
            continue
        first = period.first if flight.starts <= begin else _day(flight.starts, zone)
        last = period.last if flight.ends >= end else _day(flight.ends - timedelta(microseconds=1), zone)
        yield Booking(slot.id, flight, first, last, runs=not flight.paused and flight.flight.id not in done)


def _gaps(slot: Slot, bookings: Sequence[Booking], period: Period) -> Iterator[Gap]:
    """Yield runs of days that no sponsor covers; a day is one bit, so that thousands of flights are no matter."""
    paid = house = 0
    for booking in bookings:
        if not booking.runs:
            continue
        days = _bits(booking, period)
        if booking.flight.flight.tier is Tier.HOUSE:
            house |= days
        else:
            paid |= days
    kinds = [None if paid >> day & 1 else _kind(house >> day & 1) for day in range(period.days)]
    start = 0
    for day in range(1, period.days + 1):
        if day < period.days and kinds[day] is kinds[start]:
            continue
        kind = kinds[start]
        if kind is not None:
            first, last = (period.first + timedelta(days=number) for number in (start, day - 1))
            yield Gap(slot.id, kind, first, last)
        start = day


def _kind(house: int) -> GapKind:
    return GapKind.HOUSE if house else GapKind.EMPTY


def _bits(booking: Booking, period: Period) -> int:
    """Return the days of the period on which a booking runs at some hour, the first the lowest bit."""
    first, last = (booking.first - period.first).days, (booking.last - period.first).days
    days = (1 << last + 1) - (1 << first)
    hours = booking.flight.flight.targeting.hours
    if hours is None or len(hours.days) == _WEEK_DAYS:
        return days
    began = period.first.weekday()
    return days & sum(1 << day for day in range(period.days) if (began + day) % _WEEK_DAYS in hours.days)


def _over_booked(
    slot: Slot, bookings: Sequence[Booking], period: Period, zone: ZoneInfo, places: Places
) -> Iterator[OverBooked]:
    sponsors = [one.flight for one in bookings if one.runs and one.flight.flight.tier is Tier.SPONSORSHIP]
    begin, end = _instant(period.first, zone), _instant(period.last + timedelta(days=1), zone)
    for sold in sorted(over_sold(slot, sponsors, begin, end, places), key=lambda sold: sold.since):
        shares = tuple((each.flight.id, each.part) for each in sponsors if each.flight.id in sold.flights)
        last = _day(sold.until - timedelta(microseconds=1), zone)
        yield OverBooked(slot.id, _day(sold.since, zone), last, shares, sold.place, sold.topic, sold.at)


def _instant(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def _day(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()
