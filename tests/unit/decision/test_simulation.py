"""Goals over simulated flights, in the code of production: met, never passed, and hardly anything shown beyond them."""

from collections.abc import Callable
from datetime import date
from math import pi, sin
from random import Random

import pytest

from adserver.decision.pacing import PERIOD_SECONDS
from adserver.decision.plan import PacedFlight
from adserver.decision.simulation import DAY_SECONDS, FlightResult, World, simulate
from adserver.decision.snapshot import Snapshot
from adserver.decision.traffic import UNIFORM, WEEK_HOURS, WeekCurve
from adserver.domain.catalog import (
    Advertiser,
    Campaign,
    Catalog,
    Creative,
    CreativeWeight,
    Flight,
    Goal,
    Pacing,
    Site,
    Slot,
)
from adserver.domain.decisions import SlotRequest
from adserver.domain.ids import AdvertiserId, CampaignId, CreativeId, FlightId, SiteId, SlotId
from adserver.domain.variants import Text, Variants

START = 1_780_272_000.0  # 2026-06-01, midnight UTC
CURVE = WeekCurve([1 + 0.9 * sin((hour - 9) / 24 * 2 * pi) for hour in range(WEEK_HOURS)])
"""Ten times as many readers in the afternoon as in the small hours."""


def catalog(goal: Goal) -> Snapshot:
    """Return a flight with a goal, and one without that has ninety-nine times its weight."""
    line = Creative(CreativeId("line"), "https://bank.example/", Variants(Text("Bank", 4, 4), None, None))
    flights = (
        Flight(FlightId("sold"), (CreativeWeight(line.id),), goal=goal),
        Flight(FlightId("other"), (CreativeWeight(line.id),), weight=99),
    )
    bank = Advertiser(AdvertiserId("bank"), "Bank")
    campaign = Campaign(CampaignId("all"), bank.id, "All", "UTC", date(2026, 1, 1), None, (line,), flights)
    site = Site(SiteId("one"), "One", "https://one.example/", "UTC")
    return Snapshot.build(Catalog((site,), (Slot(SlotId("masthead"), site.id, 140),), (bank,), (campaign,)), 1)


def readers(a_day: float, change: float, middle: float) -> Callable[[float, float], int]:
    """Return who comes: so many a day, by chance along the curve, from the middle on `change` times as many."""
    rng = Random(7)

    def come(first: float, last: float) -> int:
        mean = CURVE.between(first, last) / 24 * a_day * (change if first >= middle else 1)
        whole = int(mean)
        spread = sum(rng.random() < 0.5 for _ in range(2 * whole)) if whole < 500 else whole
        return spread + (rng.random() < mean - whole)

    return come


def run(
    goal: int,
    days: float,
    a_day: float,
    change: float = 1.0,
    pacing: Pacing = Pacing.EVEN,
    curve: WeekCurve = CURVE,
    step: float = 10.0,
) -> FlightResult:
    ends = START + days * DAY_SECONDS
    world = World(
        snapshot=catalog(Goal(goal, pacing)),
        flights=[PacedFlight(FlightId("sold"), START, ends, goal, pacing, curve)],
        ask=lambda _rng: SlotRequest(SlotId("masthead")),
        readers=readers(a_day, change, (START + ends) / 2),
        starts=START,
        ends=ends,
        step_seconds=step,
    )
    (result,) = simulate(world, seed=11)
    return result


def assert_met(result: FlightResult) -> None:
    goal = result.flight.goal
    assert goal is not None
    assert result.delivered <= goal
    assert result.missing <= max(1, goal / 100), result.missing
    assert result.over <= max(1, goal / 1000), result.over


@pytest.mark.parametrize("change", [0.5, 1, 2])
@pytest.mark.parametrize(
    ("goal", "days", "a_day", "step"),
    [
        pytest.param(50, 2 / 24, 40_000, 10, id="50 in two hours"),
        pytest.param(2_000, 2 / 24, 400_000, 2, id="2,000 in two hours"),
        pytest.param(50, 1, 3_000, 10, id="50 in a day"),
        pytest.param(3_000, 1, 14_000, 10, id="3,000 in a day"),
    ],
)
def test_a_goal_is_met_and_not_passed(goal: int, days: float, a_day: float, step: float, change: float) -> None:
    assert_met(run(goal, days, a_day, change, step=step))


@pytest.mark.parametrize("change", [0.5, 2])
def test_thirty_days_go_along_the_plan_day_by_day(change: float) -> None:
    result = run(6_000, 30, 1_000, change, step=PERIOD_SECONDS)
    assert_met(result)
    worst = max(abs(deviation) for _, deviation in result.deviations())
    print(
        f"traffic x {change} from the middle on: {worst:.2%} of the goal is the furthest from the plan at a day's end"
    )
    assert worst < 0.02


@pytest.mark.parametrize("pacing", [Pacing.FRONTLOADED, Pacing.ASAP])
def test_the_other_pacings_meet_it_too(pacing: Pacing) -> None:
    result = run(2_000, 1, 12_000, pacing=pacing)
    assert_met(result)


def test_without_a_past_a_day_is_met_by_the_clock() -> None:
    assert_met(run(2_000, 1, 12_000, curve=UNIFORM))


def test_the_same_seed_gives_the_same_flight() -> None:
    first, second = run(50, 2 / 24, 40_000), run(50, 2 / 24, 40_000)
    assert (first.fills, first.days) == (second.fills, second.days)


def test_what_a_plan_does_not_want_goes_to_the_others() -> None:
    """The flight with a goal is drawn from first, and still takes no more than its plan."""
    result = run(100, 1, 8_000)
    assert result.fills < 250
