"""A campaign's state is what its status, dates and goals come to."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from catalog_bench import NOON, Bench, campaign, campaign_file, flight

from adserver.catalog.state import CampaignState, campaign_goal, campaign_state
from adserver.domain.catalog import Campaign
from adserver.domain.ids import FlightId


def built(**fields: object) -> Campaign:
    bench = Bench()
    bench.push(campaign_file(campaign("spring", **fields)))
    [made] = bench.publisher.catalog(bench.publisher.live()).campaigns
    return made


def goal_flight(id_: str, impressions: int = 10) -> dict[str, object]:
    return flight(id_, goal={"impressions": impressions, "pacing": "asap"})


@pytest.mark.parametrize(
    ("fields", "delivered", "state"),
    [
        ({}, {}, "live"),
        ({"status": "paused"}, {}, "paused"),
        ({"starts": "2026-11-25"}, {}, "scheduled"),
        ({"starts": "2026-11-24"}, {}, "live"),
        ({"ends": "2026-11-24"}, {}, "live"),
        ({"ends": "2026-11-23"}, {}, "ended"),
        ({"ends": "2026-11-23", "status": "paused"}, {}, "ended"),
        ({"starts": "2026-11-25", "status": "paused"}, {}, "paused"),
        ({"flights": [flight("f", status="paused")]}, {}, "paused"),
        ({"flights": [flight("f", starts="2026-12-01")]}, {}, "scheduled"),
        ({"flights": [flight("f", ends="2026-11-01")]}, {}, "ended"),
        ({"flights": [flight("f", ends="2026-11-01"), flight("g", starts="2026-12-01")]}, {}, "scheduled"),
        ({"flights": [flight("f", ends="2026-11-01"), flight("g", status="paused")]}, {}, "paused"),
        ({"flights": [flight("f", ends="2026-11-01"), flight("g")]}, {}, "live"),
        ({"flights": [goal_flight("f")]}, {"f": 9}, "live"),
        ({"flights": [goal_flight("f")]}, {"f": 10}, "goal_met"),
        ({"flights": [goal_flight("f"), flight("g")]}, {"f": 10}, "live"),
        ({"flights": [goal_flight("f"), flight("g", status="paused")]}, {"f": 10}, "goal_met"),
        ({"flights": [goal_flight("f"), flight("g", starts="2026-12-01")]}, {"f": 10}, "scheduled"),
        ({"flights": []}, {}, "live"),
    ],
)
def test_a_state_is_that_of_the_best_of_the_flights(
    fields: dict[str, object], delivered: Mapping[FlightId, int], state: str
) -> None:
    assert campaign_state(built(**fields), delivered, NOON) is CampaignState(state)


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (datetime(2026, 11, 25, 5, 59, tzinfo=UTC), "scheduled"),
        (datetime(2026, 11, 25, 6, 0, tzinfo=UTC), "live"),
        (datetime(2026, 11, 27, 5, 59, tzinfo=UTC), "live"),
        (datetime(2026, 11, 27, 6, 0, tzinfo=UTC), "ended"),
    ],
)
def test_a_state_turns_at_midnight_of_the_campaigns_zone(now: datetime, state: str) -> None:
    assert campaign_state(built(starts="2026-11-25", ends="2026-11-26"), {}, now) is CampaignState(state)


def test_a_goal_is_the_sum_of_those_that_flights_have() -> None:
    assert campaign_goal(built(flights=[goal_flight("f", 100), goal_flight("g", 50), flight("h")])) == 150
    assert campaign_goal(built()) is None
