"""Numbers, dates and targeting as people read them; pure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from adserver.domain.catalog import Campaign, CapScope, Flight, Price, Tier
from adserver.domain.hours import MINUTES_A_DAY, WEEKDAYS, Hours
from adserver.domain.ids import PlaceId
from adserver.domain.places import Circle

NameOf = Callable[[PlaceId], str]
"""Returns a place's name; the id itself where it has none."""

KILOMETRES_A_MILE: Final = 1.609344
_MOST_NAMED: Final = 12
_STATES: Final = {"goal_met": "goal met"}


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that a flight was sold with. Immutable."""

    title: str
    text: str


def grouped(number: float) -> str:
    """Return a number with its thousands apart: `12,345`."""
    return f"{number:,.0f}"


def percent(fraction: float) -> str:
    """Return a fraction as percent: `0.25 %`, `12.3 %`, `100 %`."""
    value = fraction * 100
    digits = 2 if 0 < value < 1 else 1 if 0 < value < 100 else 0
    return f"{value:.{digits}f} %"


def day(moment: date | None) -> str:
    """Return a day: `24 Nov 2026`; an open end as a dash."""
    return "open" if moment is None else f"{moment.day} {moment:%b %Y}"


def short_day(moment: date) -> str:
    """Return a day without its year: `24 Nov`."""
    return f"{moment.day} {moment:%b}"


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: `1 flight`, `1,200 flights`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def state_words(state: str) -> str:
    """Return a state in words."""
    return _STATES.get(state, state)


def days_left(number: int | None) -> str:
    """Return how long something still runs."""
    if number is None:
        return "no end"
    if number < 0:
        return "over"
    return {0: "ends today", 1: "ends tomorrow"}.get(number, f"ends in {number} days")


def part_words(flight: Flight) -> str:
    """Return what part of the decisions a flight was sold: `Sponsorship, 60 % of its pages`."""
    if flight.tier is Tier.SPONSORSHIP:
        return f"Sponsorship, {flight.share} % of its pages"
    return f"{flight.tier.capitalize()}, weight {flight.weight}"


def where_words(flight: Flight, name_of: NameOf) -> str:
    """Return where a flight runs, and where not."""
    target = flight.targeting
    inside = _listed([*sorted(map(name_of, target.places)), *(_circle(one, name_of) for one in target.near)])
    outside = _listed(
        [*sorted(map(name_of, target.exclude_places)), *(_circle(one, name_of) for one in target.exclude_near)]
    )
    return f"{inside or 'everywhere'}{f', but not in {outside}' if outside else ''}"


def hours_words(hours: Hours) -> str:
    """Return a window of the week: `Mon to Fri, 06:00 to 22:00`."""
    days = sorted(hours.days)
    names = [WEEKDAYS[number].capitalize() for number in days]
    if len(days) == len(WEEKDAYS):
        named = "every day"
    elif len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        named = f"{names[0]} to {names[-1]}"
    else:
        named = ", ".join(names)
    if (hours.from_minute, hours.to_minute) == (0, MINUTES_A_DAY):
        return f"{named}, all day"
    return f"{named}, {_clock(hours.from_minute)} to {_clock(hours.to_minute)}"


def terms_of(flight: Flight, campaign: Campaign, name_of: NameOf) -> tuple[Term, ...]:
    """Return all that a flight was sold with, but its dates."""
    return tuple(Term(title, text) for title, text in _terms(flight, campaign, name_of) if text)


def _terms(flight: Flight, campaign: Campaign, name_of: NameOf) -> Iterator[tuple[str, str]]:
    target = flight.targeting
    yield "Part", part_words(flight)
    yield "Slots", "every slot" if flight.slots is None else _listed(sorted(flight.slots))
    yield "Places", where_words(flight, name_of)
    topics = _listed(sorted(target.topics)) or "any"
    not_at = _listed(sorted(target.exclude_topics))
    yield "Topics", f"{topics}{f', but not {not_at}' if not_at else ''}"
    yield "Hours", f"{hours_words(target.hours)} ({campaign.timezone})" if target.hours else ""
    if flight.goal is not None:
        yield "Goal", f"{flight.goal.impressions:,} impressions, {flight.goal.pacing}"
    yield "Price", _price(flight.price)
    yield (
        "Caps",
        "; ".join(
            f"{cap.impressions:,} a {cap.per}{' for each reader' if cap.scope is CapScope.READER else ' in all'}"
            for cap in flight.caps
        ),
    )
    yield "Page", _page(flight)


def _page(flight: Flight) -> str:
    told = ("takes all of its slots or none" if flight.takeover else "", "may repeat" if flight.repeat else "")
    return ", ".join(filter(None, told))


def _price(price: Price | None) -> str:
    if price is None:
        return ""
    return (
        f"{price.cpm} {price.currency} a thousand" if price.cpm is not None else f"{price.flat} {price.currency} flat"
    )


def _circle(circle: Circle, name_of: NameOf) -> str:
    miles = circle.kilometres / KILOMETRES_A_MILE
    return f"{miles:.3g} miles ({circle.kilometres:.3g} km) around {name_of(circle.centre)}"


def _listed(words: Iterable[str]) -> str:
    all_of = list(words)
    more = len(all_of) - _MOST_NAMED
    return "; ".join(all_of[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
