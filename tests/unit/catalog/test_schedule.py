"""Who is booked where and when: what fills a slot's days, where nobody pays, and where too much is sold."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from adserver.catalog.schedule import Gap, GapKind, OverBooked, Period, make_schedule
from adserver.domain.catalog import (
    Advertiser,
    Campaign,
    Catalog,
    Creative,
    CreativeWeight,
    Flight,
    Site,
    Slot,
    Status,
    Targeting,
    Tier,
)
from adserver.domain.hours import Hours
from adserver.domain.ids import AdvertiserId, CampaignId, CreativeId, FlightId, PlaceId, SiteId, SlotId, Topic
from adserver.domain.places import Circle, Place, PlaceLevel
from adserver.domain.rules import CategoryRule, StateRule
from adserver.domain.variants import Text, Variants
from adserver.places.circles import lies_in

TOWNS = {"remer": (47.06, -93.91), "longville": (46.99, -94.21), "ames": (42.03, -93.63)}
STATES = {"remer": "us-mn", "longville": "us-mn", "ames": "us-ia"}
JUNE = Period(date(2026, 6, 1), date(2026, 6, 30))
MASTHEAD = SlotId("masthead")


def town(name: str) -> Place:
    ids = tuple(map(PlaceId, (f"{STATES[name]}-{name}", STATES[name], "us")))
    return Place(ids[0], name, PlaceLevel.TOWN, ids, *TOWNS[name])


def state(id_: str) -> Place:
    return Place(PlaceId(id_), id_, PlaceLevel.STATE, (PlaceId(id_), PlaceId("us")), 45.0, -93.0)


@dataclass(frozen=True)
class FewPlaces:
    """A gazetteer of three towns in two states."""

    places: tuple[Place, ...] = (*map(town, TOWNS), state("us-mn"), state("us-ia"))

    def get(self, place_id: PlaceId) -> Place | None:
        return next((place for place in self.places if place.id == place_id), None)

    def within(self, centre: Place, kilometres: float) -> frozenset[PlaceId]:
        circle = around(centre.name, kilometres)
        return frozenset(place.id for place in self.places if lies_in(place, circle))


def around(name: str, kilometres: float) -> Circle:
    return Circle(town(name).id, *TOWNS[name], kilometres)


def flight(id_: str, tier: Tier = Tier.SPONSORSHIP, **fields: object) -> Flight:
    plain = Flight(FlightId(id_), (CreativeWeight(CreativeId("line")),), tier=tier)
    return replace(plain, **fields)  # type: ignore[arg-type]  # of the field's type, or the test fails


def at(*places: str, **fields: object) -> Targeting:
    return replace(Targeting(places=frozenset(map(PlaceId, places))), **fields)  # type: ignore[arg-type]


def catalog(
    *flights: Flight, slot: Slot | None = None, categories: Iterable[str] = (), rules: tuple[CategoryRule, ...] = ()
) -> Catalog:
    line = Creative(CreativeId("line"), "https://a.example/", Variants(Text("A line", 6, 6), None, None))
    owner = Advertiser(AdvertiserId("acme"), "Acme", frozenset(categories))
    campaign = Campaign(
        CampaignId("season"), owner.id, "Season", "America/Chicago", date(2026, 1, 1), None, (line,), flights
    )
    site = Site(SiteId("one"), "One", "https://one.example/", "America/Chicago")
    return Catalog((site,), (slot or Slot(MASTHEAD, site.id, 140),), (owner,), (campaign,), rules)


def gaps(*flights: Flight, period: Period = JUNE, slot: Slot | None = None) -> list[tuple[str, int, int]]:
    found = make_schedule(catalog(*flights, slot=slot), period, FewPlaces()).gaps
    return [(gap.kind.value, gap.first.day, gap.last.day) for gap in found]


def over(*flights: Flight, period: Period = JUNE, **fields: object) -> tuple[OverBooked, ...]:
    return make_schedule(catalog(*flights, **fields), period, FewPlaces()).over_booked  # type: ignore[arg-type]


def june(day: int) -> date:
    return date(2026, 6, day)


class TestGaps:
    def test_a_slot_without_a_flight_is_one_gap(self) -> None:
        schedule = make_schedule(catalog(), JUNE, FewPlaces())
        assert schedule.gaps == (Gap(MASTHEAD, GapKind.EMPTY, june(1), june(30)),)

    def test_house_lines_leave_a_gap_of_their_own_kind(self) -> None:
        paid = flight("paid", Tier.STANDARD, starts=june(10), ends=june(20))
        house = flight("house", Tier.HOUSE, starts=june(5))
        assert gaps(paid, house) == [("empty", 1, 4), ("house", 5, 9), ("house", 21, 30)]

    def test_days_that_no_hours_fall_on_are_gaps(self) -> None:
        weekdays = Targeting(hours=Hours(frozenset(range(5)), 360, 1320))
        week = Period(june(1), june(8))  # the first is a Monday
        assert gaps(flight("office", targeting=weekdays), period=week) == [("empty", 6, 7)]

    def test_what_is_paused_or_may_never_show_there_fills_nothing(self) -> None:
        narrow = Slot(MASTHEAD, SiteId("one"), 3)
        assert gaps(flight("paused", status=Status.PAUSED)) == [("empty", 1, 30)]
        assert gaps(flight("too-long"), slot=narrow) == [("empty", 1, 30)]
        assert gaps(flight("elsewhere", slots=frozenset({SlotId("footer")}))) == [("empty", 1, 30)]

    def test_what_has_delivered_its_goal_fills_nothing(self) -> None:
        schedule = make_schedule(catalog(flight("met")), JUNE, FewPlaces(), frozenset({FlightId("met")}))
        assert [gap.kind for gap in schedule.gaps] == [GapKind.EMPTY]
        assert [booking.runs for booking in schedule.bookings] == [False]


class TestBookings:
    def test_a_booking_is_cut_to_the_period(self) -> None:
        flights = (
            flight("long"),
            flight("short", starts=june(3), ends=june(4)),
            flight("before", ends=date(2026, 5, 31)),
        )
        found = make_schedule(catalog(*flights), JUNE, FewPlaces()).bookings
        assert [(one.flight.flight.id, one.first.day, one.last.day) for one in found] == [
            ("long", 1, 30),
            ("short", 3, 4),
        ]


class TestOverBooked:
    def test_shares_of_the_same_pages_that_pass_the_whole_are_told(self) -> None:
        [found] = over(flight("a", share=60, ends=june(20)), flight("b", share=50, starts=june(11)))
        assert (found.percent, found.first, found.last) == (110, june(11), june(20))
        assert found.shares == (("a", 60), ("b", 50))
        assert (found.place, found.topic) == (None, None)

    def test_exactly_the_whole_is_none_too_many(self) -> None:
        assert over(flight("a", share=60), flight("b", share=40)) == ()

    def test_other_tiers_have_no_shares(self) -> None:
        assert over(flight("a"), flight("b", Tier.STANDARD), flight("c", Tier.HOUSE)) == ()

    def test_flights_one_after_the_other_share_nothing(self) -> None:
        assert over(flight("a", ends=june(10)), flight("b", starts=june(11))) == ()

    def test_places_beside_each_other_share_nothing_and_one_within_the_other_does(self) -> None:
        assert over(flight("a", targeting=at("us-mn")), flight("b", targeting=at("us-ia"))) == ()
        [found] = over(flight("a", targeting=at("us-mn")), flight("b", targeting=at("us-mn-remer")))
        assert found.place == "us-mn-remer"

    def test_what_a_place_excludes_is_no_overlap(self) -> None:
        elsewhere = at("us-mn", exclude_places=frozenset({PlaceId("us-mn-remer")}))
        assert over(flight("a", targeting=elsewhere), flight("b", targeting=at("us-mn-remer"))) == ()

    def test_circles_that_share_a_town_overlap(self) -> None:
        north, west = around("remer", 30), around("longville", 30)
        [found] = over(flight("a", targeting=Targeting(near=(north,))), flight("b", targeting=Targeting(near=(west,))))
        assert found.place in ("us-mn-remer", "us-mn-longville")
        far = Targeting(near=(around("ames", 30),))
        assert over(flight("a", targeting=Targeting(near=(north,))), flight("b", targeting=far)) == ()

    def test_a_town_that_a_circle_leaves_out_is_no_overlap(self) -> None:
        all_but = Targeting(near=(around("remer", 30),), exclude_near=(around("remer", 1),))
        assert over(flight("a", targeting=all_but), flight("b", targeting=at("us-mn-remer"))) == ()

    def test_topics_overlap_where_one_page_of_one_topic_has_both(self) -> None:
        sports, politics = (Targeting(topics=frozenset({Topic(one)})) for one in ("sports", "politics"))
        assert over(flight("a", targeting=sports), flight("b", targeting=politics)) == ()
        [found] = over(flight("a", targeting=sports), flight("b"))
        assert found.topic == "sports"

    def test_hours_overlap_where_one_moment_is_in_both(self) -> None:
        morning, noon, evening = (
            Targeting(hours=Hours(frozenset(range(7)), first * 60, last * 60))
            for first, last in ((6, 12), (11, 13), (18, 22))
        )
        assert over(flight("a", targeting=morning), flight("b", targeting=evening)) == ()
        [found] = over(flight("a", targeting=morning), flight("b", targeting=noon))
        assert found.at == datetime(2026, 6, 1, 16, tzinfo=UTC)  # 11 in Chicago

    def test_rules_are_kept_to(self) -> None:
        only_iowa = CategoryRule("betting", june(1), "law", states=(StateRule(PlaceId("us-ia"), allow=True),))
        flights = (flight("a"), flight("b"))
        [found] = over(*flights, categories=["betting"], rules=(only_iowa,))
        assert found.place == "us-ia"
        minnesota = flight("b", targeting=at("us-mn"))
        assert over(flight("a"), minnesota, categories=["betting"], rules=(only_iowa,)) == ()

    def test_who_is_over_booked_everywhere_is_told_once(self) -> None:
        [found] = over(flight("a", share=70), flight("b", share=70), flight("c", share=30, targeting=at("us-mn")))
        assert [id_ for id_, _ in found.shares] == ["a", "b"]

    def test_two_that_have_nothing_to_do_with_each_other_are_two(self) -> None:
        found = over(*(flight(f"{where}-{n}", targeting=at(where)) for where in ("us-mn", "us-ia") for n in (1, 2)))
        assert [one.place for one in found] == ["us-ia", "us-mn"]

    def test_a_third_that_comes_and_goes_is_told_for_its_days(self) -> None:
        found = over(flight("a", share=50), flight("b", share=50), flight("c", share=10, starts=june(5), ends=june(6)))
        assert [(one.first.day, one.last.day, one.percent) for one in found] == [(5, 6, 110)]

    @pytest.mark.parametrize("fields", [{"status": Status.PAUSED}, {"slots": frozenset({SlotId("footer")})}])
    def test_what_does_not_run_takes_no_share(self, fields: dict[str, Any]) -> None:
        assert over(flight("a"), flight("b", **fields)) == ()
