"""What is forecast is what the simulation then brings: goals, paces and weights of several flights together."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from math import pi, sin
from random import Random

import pytest

from adserver.decision.coming_traffic import PastTraffic
from adserver.decision.forecasting import Outlook, forecast
from adserver.decision.paced import paced_flight
from adserver.decision.simulation import World, simulate
from adserver.decision.snapshot import Snapshot
from adserver.decision.traffic import WEEK_HOURS, WeekCurve
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
    Targeting,
)
from adserver.domain.decisions import SlotRequest
from adserver.domain.hours import Hours
from adserver.domain.ids import AdvertiserId, CampaignId, CreativeId, FlightId, SiteId, SlotId
from adserver.domain.variants import Text, Variants

NOW = datetime(2026, 6, 15, tzinfo=UTC)
CURVE = WeekCurve([1 + 0.9 * sin((hour - 9) / 24 * 2 * pi) for hour in range(WEEK_HOURS)])
A_DAY = 2_000
SEEN = 0.6
SLOTS = (SlotId("masthead"), SlotId("footer"))
DRAFT = FlightId("draft")
"""1,200 impressions a day are to be had, half of them in each slot."""


def flight(name: str, **fields: object) -> Flight:
    return Flight(FlightId(name), (CreativeWeight(CreativeId("line")),), **fields)  # type: ignore[arg-type]  # by name


def snapshot(*flights: Flight) -> Snapshot:
    line = Creative(CreativeId("line"), "https://bank.example/", Variants(Text("Bank", 4, 4), None, None))
    bank, site = Advertiser(AdvertiserId("bank"), "Bank"), Site(SiteId("one"), "One", "https://one.example/", "UTC")
    days = date(2026, 6, 1), date(2026, 6, 15)  # today is the last
    campaign = Campaign(CampaignId("all"), bank.id, "All", "UTC", *days, (line,), flights)
    return Snapshot.build(Catalog((site,), tuple(Slot(slot, site.id, 140) for slot in SLOTS), (bank,), (campaign,)), 1)


def readers(seed: int) -> Callable[[float, float], int]:
    rng = Random(seed)

    def come(first: float, last: float) -> int:
        mean = CURVE.between(first, last) / 24 * A_DAY
        whole = int(mean)
        return sum(rng.random() < 0.5 for _ in range(2 * whole)) + (rng.random() < mean - whole)

    return come


def forecast_of(*flights: Flight) -> Outlook:
    past = (NOW - timedelta(hours=back) for back in range(1, 28 * 24 + 1))
    hours = {hour: round(CURVE.between(hour.timestamp(), hour.timestamp() + 3600) / 24 * A_DAY) for hour in past}
    traffic = PastTraffic({(slot, None): 1 for slot in SLOTS}, {}, hours, SEEN)
    drafted, live = snapshot(*flights), snapshot(*(each for each in flights if each.id != DRAFT))
    return forecast(DRAFT, drafted, live, traffic, {}, NOW, Random(1))


def simulated(seed: int, *flights: Flight) -> dict[str, int]:
    """Return the impressions of each flight."""
    drafted = snapshot(*flights)
    followed = [paced_flight(each, CURVE, NOW) for each in drafted.flights]
    world = World(
        snapshot=drafted,
        flights=followed,
        ask=lambda rng: SlotRequest(rng.choice(SLOTS)),
        readers=readers(seed),
        starts=NOW.timestamp(),
        ends=NOW.timestamp() + 86_400,
        seen_part=SEEN,
        step_seconds=30.0,
    )
    return {result.flight.id: result.delivered for result in simulate(world, seed)}


MIXES = {
    "an even goal before one without": (flight("draft", goal=Goal(300)), flight("other", weight=99)),
    "without a goal, behind one of 500": (flight("draft"), flight("sold", goal=Goal(500))),
    "two goals that do not fit": (flight("draft", goal=Goal(1_000)), flight("sold", goal=Goal(1_000))),
    "as soon as can be, beside an even one": (
        flight("draft", goal=Goal(250, Pacing.ASAP)),
        flight("sold", goal=Goal(700)),
    ),
    "frontloaded, in one of two slots": (
        flight("draft", goal=Goal(400, Pacing.FRONTLOADED), slots=frozenset(SLOTS[:1])),
        flight("sold", goal=Goal(200)),
    ),
    "in the evening only": (
        flight("draft", goal=Goal(300), targeting=Targeting(hours=Hours(frozenset(range(7)), 18 * 60, 24 * 60))),
        flight("sold", goal=Goal(330)),
    ),
}


@pytest.mark.parametrize("mix", MIXES)
def test_the_range_of_a_forecast_holds_what_is_then_delivered(mix: str) -> None:
    found = forecast_of(*MIXES[mix])
    brought = sorted(simulated(seed, *MIXES[mix])[DRAFT] for seed in (1, 2, 3))
    print(f"{mix}: {found.low:.0f} to {found.high:.0f}, likely {found.impressions:.0f}; simulated {brought}")
    assert found.low <= brought[1] <= found.high
    assert found.high - found.low < 0.25 * A_DAY * SEEN, "a range that holds everything says nothing"


def test_a_goal_that_is_met_all_the_same_loses_nothing_to_a_draft_and_what_it_takes_comes_from_the_others() -> None:
    found = forecast_of(flight("draft", goal=Goal(200)), flight("sold", goal=Goal(300)), flight("other"))
    assert found.takes_from.get(FlightId("sold"), 0) < 10
    assert found.takes_from[FlightId("other")] > 180
    assert sum(found.takes_from.values()) == pytest.approx(found.impressions)
