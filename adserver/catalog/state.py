"""What a campaign comes to just now: its status, dates and goals as one word. Pure."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from adserver.domain.catalog import Campaign, Flight, Status
from adserver.domain.ids import FlightId


class CampaignState(StrEnum):
    """What the API calls `state`."""

    SCHEDULED = "scheduled"
    LIVE = "live"
    PAUSED = "paused"
    ENDED = "ended"
    GOAL_MET = "goal_met"


_BEST_FIRST: Final = (
    CampaignState.LIVE,
    CampaignState.SCHEDULED,
    CampaignState.GOAL_MET,
    CampaignState.PAUSED,
    CampaignState.ENDED,
)
"""A campaign is what the best of its flights is."""


def campaign_state(campaign: Campaign, delivered: Mapping[FlightId, int], now: datetime) -> CampaignState:
    """Return a campaign's state.

    Args:
        campaign: as it is live.
        delivered: net impressions by flight; one that is not in it has none.
        now: aware UTC; days are the campaign's zone's.
    """
    today = now.astimezone(ZoneInfo(campaign.timezone)).date()
    own = _state(campaign.status, campaign.starts, campaign.ends, today)
    if own is not CampaignState.LIVE or not campaign.flights:
        return own
    states = {_own_state(campaign, flight, delivered.get(flight.id, 0), today) for flight in campaign.flights}
    return next(state for state in _BEST_FIRST if state in states)


def campaign_goal(campaign: Campaign) -> int | None:
    """Return the impressions that the campaign's flights were sold with, None where none has a goal."""
    goals = [flight.goal.impressions for flight in campaign.flights if flight.goal is not None]
    return sum(goals) if goals else None


def flight_state(campaign: Campaign, flight: Flight, delivered: int, now: datetime) -> CampaignState:
    """Return the state of one flight, within its campaign's.

    Args:
        campaign: as it is live, or would be.
        flight: one of its flights.
        delivered: its net impressions.
        now: aware UTC; days are the campaign's zone's.
    """
    today = now.astimezone(ZoneInfo(campaign.timezone)).date()
    own = _state(campaign.status, campaign.starts, campaign.ends, today)
    return own if own is not CampaignState.LIVE else _own_state(campaign, flight, delivered, today)


def _own_state(campaign: Campaign, flight: Flight, delivered: int, today: date) -> CampaignState:
    state = _state(flight.status, flight.starts or campaign.starts, flight.ends or campaign.ends, today)
    met = flight.goal is not None and delivered >= flight.goal.impressions
    return CampaignState.GOAL_MET if met and state is CampaignState.LIVE else state


def _state(status: Status, starts: date, ends: date | None, today: date) -> CampaignState:
    if ends is not None and today > ends:
        return CampaignState.ENDED
    if status is Status.PAUSED:
        return CampaignState.PAUSED
    return CampaignState.SCHEDULED if today < starts else CampaignState.LIVE
