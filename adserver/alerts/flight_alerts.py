"""What is amiss with flights: behind plan, a goal at risk, an end that is near. Pure."""

from collections.abc import Iterator
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from adserver.alerts.alert import SEVERITY_OF, Alert, AlertKind
from adserver.alerts.scene import Scene, WatchedFlight
from adserver.domain.catalog import Pacing

BEHIND_PERCENT: Final = 10
"""A flight so far behind plan is told of."""
CAUGHT_UP_PERCENT: Final = 5
"""One that was, until it is less than so far behind."""
LEAST_SHORT: Final = 10
"""Fewer impressions than so many are chance."""
SETTLED_SECONDS: Final = 3600.0
"""In its first hour a flight is not behind."""
RISK_PERCENT: Final = 5
"""A goal that will be missed by so much is at risk."""
SAFE_PERCENT: Final = 2
"""One that was, until it will be missed by less than that."""
SOON_DAYS: Final = 3
"""An end so near is told of, in days of the campaign's zone."""

_HOUR: Final = 3600.0


def find_flight_alerts(scene: Scene) -> Iterator[Alert]:
    """Yield what is amiss with the flights that run now."""
    zones: dict[str, date] = {}
    for flight in scene.flights:
        if flight.timezone not in zones:
            zones[flight.timezone] = scene.now.astimezone(ZoneInfo(flight.timezone)).date()
        today = zones[flight.timezone]
        if flight.first_day <= today and (flight.last_day is None or today <= flight.last_day):
            yield from _behind_plan(flight, scene)
            yield from _goal_at_risk(flight, scene)
            yield from _ending_soon(flight, scene, today)


def _behind_plan(flight: WatchedFlight, scene: Scene) -> Iterator[Alert]:
    """A flight whose plan says when how much is due, and that has less."""
    plan, now = flight.plan, scene.now.timestamp()
    if plan is None or plan.goal is None or plan.ends is None or plan.pacing is Pacing.ASAP:
        return
    if now - plan.starts < SETTLED_SECONDS:
        return
    delivered = scene.delivered.get(flight.id)
    if delivered is None:
        return
    due = int(plan.goal * plan.planned(now))
    short = due - delivered
    id_ = f"{AlertKind.BEHIND_PLAN}:{flight.id}"
    held = id_ in scene.held
    if short < (1 if held else LEAST_SHORT) or short * 100 < due * (CAUGHT_UP_PERCENT if held else BEHIND_PERCENT):
        return
    yield _alert(
        flight,
        AlertKind.BEHIND_PLAN,
        f"is {short * 100 // due} % behind plan",
        f"By now {due:,} of its {plan.goal:,} impressions are due; {delivered:,} are delivered, {short:,} too few. "
        f"Its last day is {flight.last_day}.",
        f"See who wins in its place with `adserver explain`, or under Explain in the console. More room: give flight "
        f"{flight.id} more weight or a higher tier, or more places, topics, hours or slots. If nobody asks for its "
        "slots, look at the pages. Else agree on a lower goal or a later end.",
    )


def _goal_at_risk(flight: WatchedFlight, scene: Scene) -> Iterator[Alert]:
    """A flight that will end short of its goal, if each reader still to come brings as much as those of late did."""
    plan, mark, now = flight.plan, scene.marks.get(flight.id), scene.now.timestamp()
    if plan is None or plan.goal is None or plan.ends is None or mark is None or now >= plan.ends:
        return
    delivered = scene.delivered.get(flight.id)
    watched = plan.curve.between(max(mark.at, plan.starts), now)
    if delivered is None or delivered >= plan.goal or watched <= 0:
        return
    to_come = (delivered - mark.delivered) / watched * plan.curve.between(now, plan.ends)
    likely = delivered + max(0, int(to_come))
    id_ = f"{AlertKind.GOAL_AT_RISK}:{flight.id}"
    missed = plan.goal - likely
    if missed < LEAST_SHORT or missed * 100 < plan.goal * (SAFE_PERCENT if id_ in scene.held else RISK_PERCENT):
        return
    hours = (now - max(mark.at, plan.starts)) / _HOUR
    yield _alert(
        flight,
        AlertKind.GOAL_AT_RISK,
        f"will miss its goal by {missed * 100 // plan.goal} %",
        f"At the speed of the last {hours:.0f} hours ({delivered - mark.delivered:,} impressions) it ends on "
        f"{flight.last_day} with about {likely:,} of {plan.goal:,} impressions.",
        f"Ask for a forecast of a wider flight {flight.id} (`adserver forecast`), then publish it: more places, "
        "topics, hours or slots, a higher tier, a later end. Or tell the advertiser now.",
    )


def _ending_soon(flight: WatchedFlight, scene: Scene, today: date) -> Iterator[Alert]:
    """A flight whose last day is near; not one that never runs for longer than that."""
    if flight.last_day is None:
        return
    left = (flight.last_day - today).days
    if left > SOON_DAYS or (flight.last_day - flight.first_day).days <= SOON_DAYS:
        return
    when = "today" if left == 0 else "tomorrow" if left == 1 else f"in {left} days"
    goal = flight.plan.goal if flight.plan is not None else None
    delivered = f"; {scene.delivered.get(flight.id, 0):,} of {goal:,} impressions are delivered" if goal else ""
    yield _alert(
        flight,
        AlertKind.ENDING_SOON,
        f"ends {when}",
        f"Its last day is {flight.last_day} ({flight.timezone}){delivered}.",
        "Renew it (a later `ends`), or book who comes after it: the schedule in the console shows what stays empty.",
    )


def _alert(flight: WatchedFlight, kind: AlertKind, what: str, text: str, advice: str) -> Alert:
    return Alert(
        id=f"{kind}:{flight.id}",
        kind=kind,
        severity=SEVERITY_OF[kind],
        title=f"{flight.campaign_name}: flight {flight.id} {what}",
        text=text,
        advice=advice,
        advertisers=(flight.advertiser,),
        campaign=flight.campaign,
        flight=flight.id,
    )
