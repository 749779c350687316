"""A flight of the catalog as its pace sees it: what was sold, when, and along which traffic."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from adserver.decision.compiled_flight import ALWAYS, NEVER, CompiledFlight
from adserver.decision.hours import is_within
from adserver.decision.plan import PacedFlight
from adserver.decision.traffic import HOUR_SECONDS, WEEK_HOURS, WeekCurve
from adserver.domain.catalog import Pacing, is_capped_for_all

_OLDEST: Final = 0.0
_QUARTERS: Final = (0, 900, 1800, 2700)


def is_paced(each: CompiledFlight) -> bool:
    """Return whether a flight that is not paused has a goal, or a cap of all its readers."""
    return not each.paused and (each.flight.goal is not None or is_capped_for_all(each.flight))


def paced_flight(each: CompiledFlight, curve: WeekCurve, now: datetime) -> PacedFlight:
    """Return a flight as the controller looks at it, with the past traffic of its slots; `now` is aware."""
    goal = each.flight.goal
    return PacedFlight(
        id=each.flight.id,
        starts=_OLDEST if each.starts == ALWAYS else each.starts.timestamp(),
        ends=None if each.ends == NEVER else each.ends.timestamp(),
        goal=goal.impressions if goal else None,
        pacing=goal.pacing if goal else Pacing.ASAP,
        curve=within_hours(curve, each, now),
    )


def within_hours(curve: WeekCurve, each: CompiledFlight, now: datetime) -> WeekCurve:
    """Return the traffic that a flight's hours leave of a week, as its zone's clocks stand in the week of `now`."""
    hours = each.flight.targeting.hours
    if hours is None:
        return curve
    zone = ZoneInfo(each.campaign.timezone)
    week = int(now.timestamp() // HOUR_SECONDS // WEEK_HOURS) * WEEK_HOURS
    shape = [
        curve.hours[hour]
        * sum(
            is_within(hours, datetime.fromtimestamp((week + hour) * HOUR_SECONDS + quarter, zone))
            for quarter in _QUARTERS
        )
        for hour in range(WEEK_HOURS)
    ]
    return WeekCurve(shape) if any(shape) else curve
