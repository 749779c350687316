"""A schedule as a page shows it: slots, and in each a line a booking, with where it stands on the weeks; pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from adserver.catalog.schedule import Booking, Gap, OverBooked, Period, Schedule
from adserver.domain.catalog import Catalog, Slot, Tier
from adserver.domain.hours import Hours
from adserver.domain.ids import PlaceId
from adserver.web.console.words import NameOf, hours_words, part_words, where_words

WEEK: Final = timedelta(days=7)
MOST_LINES: Final = 40
"""Of a slot, before they are cut; one slot alone shows `MOST_LINES_ALONE`."""
MOST_LINES_ALONE: Final = 500
_TIERS: Final = tuple(Tier)


@dataclass(frozen=True, slots=True)
class Line:
    """A booking, and its place on the weeks: both in days. Immutable."""

    booking: Booking
    part: str
    where: str
    topics: str
    hours: str
    x: int
    width: int


@dataclass(frozen=True, slots=True)
class SlotLines:
    """All of one slot. Immutable."""

    slot: Slot
    site: str
    lines: tuple[Line, ...]
    more: int
    """Lines that are not shown."""
    gaps: tuple[Gap, ...]
    over: tuple[OverBooked, ...]


def read_period(query: Mapping[str, str], today: date, weeks_offered: Sequence[int]) -> Period:
    """Return whole weeks from a Monday: those asked for, else from this one on, the first number of weeks offered."""
    try:
        first = date.fromisoformat(query.get("from", ""))
    except ValueError:
        first = today
    asked = query.get("weeks", "")
    weeks = next((number for number in weeks_offered if str(number) == asked), weeks_offered[0])
    first = min(max(first, date(2000, 1, 1)), date(2999, 1, 1))
    monday = first - timedelta(days=first.weekday())
    return Period(monday, monday + weeks * WEEK - timedelta(days=1))


def weeks_of(period: Period) -> list[date]:
    """Return the Mondays of a period."""
    return [period.first + number * WEEK for number in range(period.days // WEEK.days)]


def slot_lines(
    schedule: Schedule,
    catalog: Catalog,
    only: str,
    sees: Callable[[str], bool],
    name_of: NameOf,
    *,
    is_bound: bool,
) -> Iterator[SlotLines]:
    """Yield what a caller sees of each slot.

    A gap tells of all advertisers, and shares of each that has one: they are for those who see all of these.

    Args:
        schedule: of all.
        catalog: what it was made of.
        only: the one slot that is asked for; empty: all.
        sees: tells whether an advertiser's things exist for the caller.
        name_of: returns a place's name.
        is_bound: whether some advertisers' do not.
    """
    sites = {site.id: site.name for site in catalog.sites}
    owners = {flight.id: campaign.advertiser for campaign in catalog.campaigns for flight in campaign.flights}
    most = MOST_LINES_ALONE if only else MOST_LINES
    for slot in catalog.slots:
        if only not in ("", slot.id):
            continue
        booked = [one for one in schedule.bookings if one.slot == slot.id and sees(one.flight.advertiser.id)]
        booked.sort(key=lambda one: (_TIERS.index(one.flight.flight.tier), one.first, one.flight.flight.id))
        yield SlotLines(
            slot,
            sites[slot.site],
            tuple(_line(one, schedule.period, name_of) for one in booked[:most]),
            max(0, len(booked) - most),
            () if is_bound else tuple(gap for gap in schedule.gaps if gap.slot == slot.id),
            tuple(
                one
                for one in schedule.over_booked
                if one.slot == slot.id and all(sees(owners[flight]) for flight, _ in one.shares)
            ),
        )


def over_words(one: OverBooked, name_of: Callable[[PlaceId], str]) -> str:
    """Return which pages are over-booked: `pages about Minnesota, at topic sports`."""
    where = f"pages about {name_of(one.place)}" if one.place is not None else "pages about any place"
    return f"{where}{f' at topic {one.topic}' if one.topic is not None else ''}"


def _line(one: Booking, period: Period, name_of: NameOf) -> Line:
    flight = one.flight.flight
    hours: Hours | None = flight.targeting.hours
    return Line(
        one,
        part_words(flight),
        where_words(flight, name_of),
        ", ".join(sorted(flight.targeting.topics)),
        hours_words(hours) if hours else "",
        (one.first - period.first).days,
        (one.last - one.first).days + 1,
    )
