"""A plan says what it does to delivery, in words, by the clock and by what is delivered."""

import pytest
from catalog_bench import Bench, NoPlaces, campaign, campaign_file, campaigns, creative, flight

from adserver.catalog.merging import Extent
from adserver.catalog.publish import Publisher
from adserver.domain.ids import FlightId

ENDS = "2027-01-31"
IN_CHICAGO = "in America/Chicago"


class Desk:
    """One campaign, `spring`, live at noon of 2026-11-24 (UTC), and what its flights have delivered. One test."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.bench.publish_slots()
        self.delivered: dict[FlightId, int] = {}
        self.publisher = Publisher(
            self.bench.store, NoPlaces(), lambda: self.bench.now, delivered=lambda: self.delivered
        )

    def put(self, **fields: object) -> list[tuple[str, str]]:
        """Publish the campaign with these fields; return the effects."""
        return self.publish(campaign_file(campaign("spring", **fields)))

    def publish(self, *files: dict[str, object], dry_run: bool = False) -> list[tuple[str, str]]:
        """Publish these files as all campaigns; return the effects."""
        published = self.publisher.publish(campaigns(*files), extent=Extent.CAMPAIGNS, author="kim", dry_run=dry_run)
        return [(effect.path, effect.words) for effect in published.effects]


def one(*flights: dict[str, object], **fields: object) -> dict[str, object]:
    return {"flights": list(flights), **fields}


def goal(impressions: int, **fields: object) -> dict[str, object]:
    return flight("f", goal={"impressions": impressions, "pacing": "asap"}, **fields)


PATH = "campaigns.spring.flights.f"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (one(flight("f")), "begins at once"),
        (one(flight("f"), ends=ENDS), f"begins at once, and runs to the end of {ENDS} {IN_CHICAGO}"),
        (one(flight("f", starts="2026-12-01")), f"starts on 2026-12-01 {IN_CHICAGO}"),
        (one(flight("f"), starts="2026-12-01"), f"starts on 2026-12-01 {IN_CHICAGO}"),
        (one(flight("f", status="paused")), "does not run: it is paused"),
        (one(flight("f"), status="paused"), "does not run: its campaign is paused"),
        (one(flight("f", ends="2026-11-23")), f"does not run: its last day was 2026-11-23 {IN_CHICAGO}"),
        (one(goal(100)), "begins at once"),
    ],
)
def test_a_new_flight(fields: dict[str, object], words: str) -> None:
    assert Desk().put(**fields) == [(PATH, words)]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (flight("f"), flight("f", status="paused"), "stops at once: it is paused"),
        (flight("f", status="paused"), flight("f"), "begins again at once"),
        (
            flight("f"),
            flight("f", starts="2026-12-01"),
            f"stops at once, and starts on 2026-12-01 {IN_CHICAGO}",
        ),
        (
            flight("f", starts="2026-12-01"),
            flight("f", starts="2026-12-05"),
            f"starts on 2026-12-05 {IN_CHICAGO}",
        ),
        (flight("f", starts="2026-12-01"), flight("f"), "begins at once"),
        (
            flight("f"),
            flight("f", ends="2026-11-01"),
            f"stops at once: its last day was 2026-11-01 {IN_CHICAGO}",
        ),
        (flight("f"), flight("f", ends=ENDS), f"runs to the end of {ENDS} {IN_CHICAGO}"),
        (flight("f", ends=ENDS), flight("f"), "runs on without an end"),
        (flight("f"), flight("f", weight=3), "runs on as changed, at once"),
        (flight("f"), flight("f", slots=["masthead"]), "runs on as changed, at once"),
        (flight("f"), flight("f", price={"cpm": "1.00", "currency": "USD"}), "runs on as before, at another price"),
        (
            flight("f"),
            flight("f", ends=ENDS, weight=2),
            f"runs to the end of {ENDS} {IN_CHICAGO}; runs on as changed, at once",
        ),
        (goal(80_000), goal(50_000), "goal of 50,000 falls below the 61,200 delivered: ends at once"),
        (goal(80_000), goal(61_200), "goal of 61,200 is met by the 61,200 delivered: ends at once"),
        (goal(60_000), goal(70_000), "begins again at once"),
        (goal(80_000), goal(70_000), "goal of 70,000: 8,800 to go after the 61,200 delivered"),
        (goal(80_000), flight("f"), "runs on without a goal"),
        (goal(50_000, status="paused"), goal(50_000), "goal of 50,000 falls below the 61,200 delivered: does not run"),
    ],
)
def test_a_changed_flight(before: dict[str, object], after: dict[str, object], words: str) -> None:
    desk = Desk()
    desk.put(flights=[before])
    desk.delivered = {FlightId("f"): 61_200}
    assert desk.put(flights=[after]) == [(PATH, words)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (flight("f"), flight("f", status="active")),
        (flight("f", status="paused"), flight("f", status="paused", weight=3)),
        (flight("f", starts="2026-12-01"), flight("f", starts="2026-12-01", weight=3)),
        (goal(60_000), goal(50_000)),
    ],
)
def test_a_flight_that_does_not_run_and_will_not_has_no_line(
    before: dict[str, object], after: dict[str, object]
) -> None:
    desk = Desk()
    desk.put(flights=[before])
    desk.delivered = {FlightId("f"): 61_200}
    assert desk.put(flights=[after]) == []


def test_what_is_delivered_is_left_out_where_it_is_not_known() -> None:
    desk = Desk()
    desk.put(flights=[goal(80_000)])
    assert desk.put(flights=[goal(70_000)]) == [(PATH, "goal of 70,000")]


def test_a_removed_flight_stops_and_one_that_never_ran_will_not() -> None:
    desk = Desk()
    desk.put(flights=[flight("f"), flight("g", starts="2026-12-01"), flight("h")])
    assert desk.put(flights=[flight("h")]) == [
        (PATH, "stops at once"),
        ("campaigns.spring.flights.g", "will not run"),
    ]


def test_flights_of_a_campaign_that_fare_alike_have_one_line() -> None:
    desk = Desk()
    flights = [flight("f"), flight("g")]
    assert desk.put(flights=flights) == [("campaigns.spring", "begins at once")]
    assert desk.put(flights=flights, status="paused") == [("campaigns.spring", "stops at once: its campaign is paused")]
    desk.put(flights=flights)
    assert desk.publish(campaign_file(campaign("other"))) == [
        ("campaigns.spring", "stops at once"),
        ("campaigns.other.flights.other-flight", "begins at once"),
    ]


def test_a_changed_creative_shows_in_the_flights_that_have_it_and_a_name_in_none() -> None:
    desk = Desk()
    texts = [creative("a"), creative("b")]
    flights = [flight("f", creatives=["a"]), flight("g", creatives=["b"])]
    desk.put(creatives=texts, flights=flights)
    changed = [creative("a", variants={"name": "QWIKET!"}), creative("b")]
    assert desk.put(creatives=changed, flights=flights) == [(PATH, "runs on as changed, at once")]
    assert desk.put(creatives=changed, flights=flights, name="Another name") == []


def test_days_are_those_of_the_campaigns_zone() -> None:
    desk = Desk()
    desk.bench.pass_time(hours=14)  # 2026-11-25 02:00 in UTC, the evening before in Chicago
    assert desk.put(flights=[flight("f", starts="2026-11-25")]) == [(PATH, f"starts on 2026-11-25 {IN_CHICAGO}")]
    assert desk.put(flights=[flight("f", starts="2026-11-25")], timezone="Asia/Tokyo") == [(PATH, "begins at once")]


def test_a_dry_run_says_the_same_as_what_follows_it() -> None:
    desk = Desk()
    file = campaign_file(campaign("spring"))
    assert desk.publish(file, dry_run=True) == desk.publish(file) != []
    assert desk.publish(file) == []
