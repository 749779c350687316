"""What is forecast is what the same traffic gives: by weight, within target, up to the goal, and the same each time."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from adserver.decision.coming_traffic import PastTraffic
from adserver.decision.forecasting import Outlook, forecast
from adserver.decision.snapshot import Snapshot
from adserver.domain.catalog import (
    Advertiser,
    Campaign,
    Catalog,
    Creative,
    CreativeWeight,
    Flight,
    Goal,
    Site,
    Slot,
    Targeting,
    Tier,
)
from adserver.domain.ids import AdvertiserId, CampaignId, CreativeId, FlightId, SiteId, SlotId, Topic
from adserver.domain.variants import Text, Variants

NOW = datetime(2026, 6, 15, tzinfo=UTC)
HOURS = {NOW - timedelta(hours=back): 10 for back in range(1, 28 * 24 + 1)}
MASTHEAD, FOOTER, SPORTS = SlotId("masthead"), SlotId("footer"), Topic("sports")
TRAFFIC = PastTraffic(
    places={(MASTHEAD, None): 3, (FOOTER, None): 1},
    topics={(MASTHEAD, SPORTS): 1, (MASTHEAD, None): 1},
    hours=HOURS,
    seen=0.5,
)
WEEK = 10 * 24 * 7


def flight(name: str, **fields: object) -> Flight:
    return Flight(FlightId(name), (CreativeWeight(CreativeId(name)),), **fields)  # type: ignore[arg-type]  # by name


def snapshot(*flights: Flight) -> Snapshot:
    text = Variants(Text("x", 1, 1), None, None)
    campaigns = tuple(
        Campaign(
            CampaignId(each.id), AdvertiserId(each.id), "C", "UTC", date(2026, 6, 1), date(2026, 6, 21),
            (Creative(CreativeId(each.id), "https://e.example/", text),), (each,),
        )
        for each in flights
    )  # fmt: skip
    return Snapshot.build(
        Catalog(
            (Site(SiteId("one"), "One", "https://one.example/", "UTC"),),
            (Slot(MASTHEAD, SiteId("one"), 140), Slot(FOOTER, SiteId("one"), 140)),
            tuple(Advertiser(AdvertiserId(each.id), each.id) for each in flights),
            campaigns,
        ),
        1,
    )


def outlook(draft: Flight, *others: Flight, traffic: PastTraffic = TRAFFIC, seed: int = 1) -> Outlook:
    return forecast(draft.id, snapshot(*others, draft), snapshot(*others), traffic, {}, NOW, Random(seed))


def test_alone_it_gets_all_that_is_seen_of_its_slot_and_takes_it_from_nobody() -> None:
    found = outlook(flight("draft", slots=frozenset({MASTHEAD})))
    assert found.matching == pytest.approx(WEEK * 3 / 4, rel=0.05)
    assert found.impressions == pytest.approx(WEEK * 3 / 4 / 2, rel=0.05)
    assert found.low <= found.impressions <= found.high
    assert found.takes_from == {None: pytest.approx(found.impressions)}


def test_beside_another_it_gets_its_weight_and_takes_that_from_it() -> None:
    found = outlook(flight("draft", weight=3), flight("other"))
    assert found.matching == pytest.approx(WEEK)
    assert found.impressions == pytest.approx(WEEK * 3 / 4 / 2, rel=0.05)
    assert found.takes_from == {FlightId("other"): pytest.approx(found.impressions)}


def test_beneath_a_sponsorship_it_gets_nothing_though_it_matches() -> None:
    found = outlook(flight("draft"), flight("sponsor", tier=Tier.SPONSORSHIP))
    assert found.matching == pytest.approx(WEEK)
    assert found.impressions == 0
    assert not found.takes_from


def test_a_topic_matches_its_part_of_the_slots_that_pages_name_it_in() -> None:
    found = outlook(flight("draft", targeting=Targeting(topics=frozenset({SPORTS}))))
    assert found.matching == pytest.approx(WEEK * 3 / 8, rel=0.1)


def test_never_more_than_the_goal_is_likely() -> None:
    found = outlook(flight("draft", goal=Goal(50)), flight("other"))
    assert (found.low, found.impressions, found.high) == (49, 50, 50)
    assert sum(found.takes_from.values()) == pytest.approx(50)


def test_days_that_differ_widen_the_range() -> None:
    uneven = dict.fromkeys(HOURS, 1) | {hour: 100 for hour in HOURS if hour.day % 4 == 0}
    steady, swinging = (
        outlook(flight("draft"), traffic=PastTraffic(TRAFFIC.places, {}, hours, 1.0)) for hours in (HOURS, uneven)
    )
    assert steady.high / steady.low < 1.1
    assert swinging.high / swinging.low > 2


def test_a_seed_gives_the_same_again_and_no_traffic_gives_nothing() -> None:
    draft = flight("draft", slots=frozenset({MASTHEAD}))
    again = outlook(draft, flight("other"))
    assert again.impressions == outlook(draft, flight("other")).impressions
    assert again.impressions != outlook(draft, flight("other"), seed=2).impressions
    assert outlook(draft, traffic=PastTraffic({}, {}, {}, 1.0)).impressions == 0
    assert not Counter(outlook(draft, traffic=PastTraffic({}, {}, {}, 1.0)).takes_from)
