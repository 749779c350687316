"""Gaps and over-booked shares against asking the rules at every page, day and hour of a small world."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import product

from decision_worlds import CIRCLES, DAY, NODES, PLACES, TOPICS, Chance, place
from hypothesis import given, settings
from hypothesis import strategies as st

from adserver.catalog.schedule import Period, make_schedule
from adserver.decision.compiled_flight import CompiledFlight
from adserver.decision.eligibility import judge
from adserver.decision.question import Question
from adserver.decision.snapshot import Snapshot
from adserver.domain.catalog import Catalog, Slot, Tier
from adserver.domain.decisions import SlotRequest
from adserver.domain.ids import PlaceId, Topic
from adserver.domain.places import Place
from adserver.places.circles import lies_in

SEEDS = st.integers(0, 10**9)
PERIOD = Period(DAY - timedelta(days=4), DAY + timedelta(days=4))
HOURS = [
    datetime.combine(PERIOD.first, datetime.min.time(), UTC) + timedelta(hours=hour) for hour in range(24 * PERIOD.days)
]


@dataclass(frozen=True)
class SmallWorld:
    """The places of `decision_worlds`, as a gazetteer has them."""

    def get(self, place_id: PlaceId) -> Place | None:
        return place(place_id) if place_id in ("us", *NODES) else None

    def within(self, centre: Place, kilometres: float) -> frozenset[PlaceId]:
        [circle, *_] = [one for one in CIRCLES if (one.centre, one.kilometres) == (centre.id, kilometres)]
        return frozenset(id_ for id_ in PLACES if lies_in(place(id_), circle))


def world(seed: int) -> Catalog:
    """Return a small catalog, with states that rules name only where the little gazetteer has them."""
    catalog = Chance(seed).catalog(3)
    return replace(catalog, rules=tuple(replace(rule, allow_elsewhere=False) for rule in catalog.rules))


def sponsorships(catalog: Catalog) -> list[CompiledFlight]:
    """Return the sponsorships of a catalog, as if nothing was delivered yet."""
    flights = [each for each in Snapshot.build(catalog, 1).flights if each.flight.tier is Tier.SPONSORSHIP]
    return [replace(each, goal=None, flight=replace(each.flight, caps=(), takeover=False)) for each in flights]


def shares(
    flights: Sequence[CompiledFlight], slot: Slot, where: Place | None, topic: Topic | None, at: datetime
) -> dict[str, int]:
    """Return the share of each sponsorship that a page matches."""
    question = Question(SlotRequest(slot.id, where, (topic,) if topic else ()), slot, at, {})
    return {each.flight.flight.id: each.flight.part for each in judge(flights, question) if each.stop is None}


@settings(max_examples=40)
@given(SEEDS)
def test_over_booked_is_told_where_and_only_where_some_page_is(seed: int) -> None:
    catalog = world(seed)
    flights = sponsorships(catalog)
    schedule = make_schedule(catalog, PERIOD, SmallWorld())
    told = {one.slot for one in schedule.over_booked}
    pages = list(product([None, *map(place, PLACES)], [None, *TOPICS]))
    step = HOURS[:: 1 if any(each.flight.targeting.hours for each in flights) else 12]
    for slot in catalog.slots:
        found = any(
            sum(shares(flights, slot, where, topic, at).values()) > 100 for at in step for where, topic in pages
        )
        assert (slot.id in told) == found


@given(SEEDS)
def test_each_page_that_is_told_is_over_booked_by_just_those(seed: int) -> None:
    catalog = world(seed)
    flights = sponsorships(catalog)
    slots = {slot.id: slot for slot in catalog.slots}
    for one in make_schedule(catalog, PERIOD, SmallWorld()).over_booked:
        where = place(one.place) if one.place else None
        assert shares(flights, slots[one.slot], where, one.topic, one.at) == dict(one.shares)
        assert one.percent > 100
        assert PERIOD.first <= one.first <= one.last <= PERIOD.last


@given(SEEDS)
def test_a_day_is_in_a_gap_where_and_only_where_no_sponsor_runs_on_it(seed: int) -> None:
    catalog = world(seed)
    schedule = make_schedule(catalog, PERIOD, SmallWorld())
    for slot in catalog.slots:
        told: dict[date, str] = {}
        for gap in schedule.gaps:
            for number in range((gap.last - gap.first).days + 1 if gap.slot == slot.id else 0):
                assert gap.first + timedelta(days=number) not in told
                told[gap.first + timedelta(days=number)] = gap.kind.value
        for number in range(PERIOD.days):
            day = PERIOD.first + timedelta(days=number)
            tiers = {
                one.flight.flight.tier
                for one in schedule.bookings
                if one.slot == slot.id and one.runs and one.first <= day <= one.last
                if one.flight.flight.targeting.hours is None or day.weekday() in one.flight.flight.targeting.hours.days
            }
            due = None if tiers - {Tier.HOUSE} else "house" if tiers else "empty"
            assert told.get(day) == due
