"""How often each wins: fixed seeds, bounds of five standard deviations, so that only a wrong draw is out of them."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import pairwise
from math import sqrt
from random import Random

import pytest
from decision_worlds import FixedPaces

from adserver.decision.decide import decide
from adserver.decision.field import Field
from adserver.decision.lists import Pick, Ranks
from adserver.decision.paces import ODDS_WHOLE, Pace
from adserver.decision.page_call import decide_page
from adserver.decision.snapshot import Snapshot
from adserver.domain.catalog import (
    Advertiser,
    Campaign,
    Cap,
    CapPeriod,
    CapScope,
    Catalog,
    Creative,
    CreativeWeight,
    Flight,
    Goal,
    Site,
    Slot,
    Tier,
)
from adserver.domain.decisions import Fill, NoFill, SlotRequest
from adserver.domain.ids import AdvertiserId, CampaignId, CreativeId, FlightId, SiteId, SlotId
from adserver.domain.reasons import NoFillReason
from adserver.domain.variants import Text, Variant, Variants

DRAWS = 20_000
NOW = datetime(2026, 6, 15, tzinfo=UTC)
NAME, LONG = Text("Bank", 4, 4), Text("x" * 100, 100, 100)
CREATIVES = (
    Creative(CreativeId("a"), "https://bank.example/a", Variants(NAME, None, None)),
    Creative(CreativeId("b"), "https://bank.example/b", Variants(NAME, None, None)),
    Creative(CreativeId("wordy"), "https://bank.example/w", Variants(None, None, LONG)),
    Creative(CreativeId("paid"), "https://bank.example/p", Variants(NAME, None, None), disclosure="Paid for by Bank"),
)


@dataclass(frozen=True)
class Sold:
    """One flight of the draw; a goal that is met keeps it out of it."""

    name: str
    tier: Tier
    part: int
    met: bool = False
    goal: bool = False
    """Whether it has a goal that is far from met."""


def sponsor(name: str, share: int, *, met: bool = False) -> Sold:
    return Sold(name, Tier.SPONSORSHIP, share, met)


def standard(name: str, weight: int = 1, *, met: bool = False) -> Sold:
    return Sold(name, Tier.STANDARD, weight, met)


def house(name: str, weight: int = 1, *, met: bool = False) -> Sold:
    return Sold(name, Tier.HOUSE, weight, met)


def build(*flights: Flight) -> Snapshot:
    slot = Slot(SlotId("masthead"), SiteId("one"), 140, allow_disclosure=False)
    bank = Advertiser(AdvertiserId("bank"), "Bank")
    starts = date(2026, 1, 1)
    campaign = Campaign(CampaignId("all"), bank.id, "All", "UTC", starts, None, CREATIVES, flights)
    site = Site(SiteId("one"), "One", "https://one.example/", "UTC")
    return Snapshot.build(Catalog((site,), (slot,), (bank,), (campaign,)), 1)


def as_flight(sold: Sold) -> Flight:
    return Flight(
        FlightId(sold.name),
        (CreativeWeight(CreativeId("a")),),
        tier=sold.tier,
        share=sold.part if sold.tier is Tier.SPONSORSHIP else 100,
        weight=1 if sold.tier is Tier.SPONSORSHIP else sold.part,
        goal=Goal(0) if sold.met else Goal(10**9) if sold.goal else None,
    )


def wins(*sold: Sold) -> Counter[str]:
    """Hold the draw `DRAWS` times, and count who won; a no fill counts under its reason."""
    snapshot, rng = build(*map(as_flight, sold)), Random(20261124)
    request = SlotRequest(SlotId("masthead"))
    decisions = (decide(request, snapshot, {}, NOW, rng) for _ in range(DRAWS))
    return Counter(each.flight.id if isinstance(each, Fill) else each.reason.value for each in decisions)


def assert_parts(counts: Counter[str], expected: dict[str, float]) -> None:
    """Check each part of the draws, fractions of one, within five standard deviations; nobody else wins at all."""
    assert set(counts) == {name for name, part in expected.items() if part}
    for name, part in expected.items():
        spread = 5 * sqrt(DRAWS * part * (1 - part))
        assert abs(counts[name] - DRAWS * part) <= spread, (name, counts[name], DRAWS * part)


@pytest.mark.parametrize(
    ("sold", "expected"),
    [
        pytest.param((standard("a"), standard("b")), {"a": 1 / 2, "b": 1 / 2}, id="equal weights serve equally"),
        pytest.param((standard("a", 3), standard("b", 1)), {"a": 3 / 4, "b": 1 / 4}, id="weights serve in proportion"),
        pytest.param(tuple(standard(n) for n in "abcde"), dict.fromkeys("abcde", 1 / 5), id="five equals"),
        pytest.param((house("a"), house("b", 2)), {"a": 1 / 3, "b": 2 / 3}, id="house lines by weight"),
        pytest.param((standard("a"), house("h", 99)), {"a": 1}, id="house waits for standard"),
        pytest.param((sponsor("s", 100), standard("a", 99)), {"s": 1}, id="a whole sponsorship leaves nothing"),
        pytest.param(
            (sponsor("s", 30), standard("a"), house("h")), {"s": 0.3, "a": 0.7}, id="the rest falls to standard"
        ),
        pytest.param((sponsor("s", 30), house("h")), {"s": 0.3, "h": 0.7}, id="the rest falls on to house"),
        pytest.param((sponsor("s", 30),), {"s": 0.3, "lost_draw": 0.7}, id="the rest falls to nobody"),
        pytest.param((sponsor("s", 1), house("h")), {"s": 0.01, "h": 0.99}, id="one percent is one percent"),
        pytest.param(
            (sponsor("s", 20), sponsor("t", 50), standard("a")), {"s": 0.2, "t": 0.5, "a": 0.3}, id="two shares"
        ),
        pytest.param(
            (sponsor("s", 100), sponsor("t", 50), standard("a")), {"s": 2 / 3, "t": 1 / 3}, id="over 100 by their sum"
        ),
        pytest.param(
            (sponsor("s", 60, met=True), sponsor("t", 40), standard("a")),
            {"t": 0.4, "a": 0.6},
            id="an ineligible share is not handed on",
        ),
        pytest.param(
            (sponsor("s", 100, met=True), sponsor("t", 100)), {"t": 1}, id="an ineligible share does not crowd others"
        ),
        pytest.param(
            (standard("a", 50, met=True), standard("b", 3), standard("c", 1)),
            {"b": 3 / 4, "c": 1 / 4},
            id="without the heaviest, the others keep their proportions",
        ),
        pytest.param(
            (standard("a", met=True), house("b")), {"b": 1}, id="a tier where nobody may run falls to the next"
        ),
        pytest.param((standard("a", met=True), house("b", met=True)), {"goal_met": 1}, id="nobody may run"),
        pytest.param(
            (standard("a", 99), replace(standard("b"), goal=True), replace(standard("c", 3), goal=True)),
            {"b": 1 / 4, "c": 3 / 4},
            id="those with a goal go first, by weight",
        ),
        pytest.param((house("a"), replace(house("b"), goal=True)), {"a": 1 / 2, "b": 1 / 2}, id="but not in house"),
    ],
)
def test_who_wins_how_often(sold: tuple[Sold, ...], expected: dict[str, float]) -> None:
    assert_parts(wins(*sold), expected)


def test_the_order_of_the_catalog_gives_nobody_more() -> None:
    forward, backward = wins(standard("a"), standard("b", 2)), wins(standard("b", 2), standard("a"))
    assert_parts(forward, {"a": 1 / 3, "b": 2 / 3})
    assert_parts(backward, {"a": 1 / 3, "b": 2 / 3})


def test_draws_are_independent_of_the_one_before() -> None:
    snapshot, rng = build(as_flight(standard("a")), as_flight(standard("b"))), Random(7)
    decisions = [decide(SlotRequest(SlotId("masthead")), snapshot, {}, NOW, rng) for _ in range(DRAWS)]
    winners = [each.flight.id for each in decisions if isinstance(each, Fill)]
    assert_parts(
        Counter(f"{one}{two}" for one, two in pairwise(winners)), dict.fromkeys(("aa", "ab", "ba", "bb"), 1 / 4)
    )


def test_a_winner_by_weight_is_found_without_asking_all(monkeypatch: pytest.MonkeyPatch) -> None:
    of = build(*(as_flight(standard(f"f{number}")) for number in range(100)))
    asked: list[Pick] = []
    lets_in = Field.lets_in

    def counted(field: Field, ranks: Ranks, pick: Pick) -> bool:
        asked.append(pick)
        return lets_in(field, ranks, pick)

    monkeypatch.setattr(Field, "lets_in", counted)
    assert isinstance(decide(SlotRequest(SlotId("masthead")), of, {}, NOW, Random(1)), Fill)
    assert len(asked) == 1


def test_that_sponsorships_fill_all_of_a_draw_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    of = build(*(as_flight(sponsor(f"f{number}", 2)) for number in range(80)))
    asked: list[Pick] = []
    lets_in = Field.lets_in

    def counted(field: Field, ranks: Ranks, pick: Pick) -> bool:
        asked.append(pick)
        return lets_in(field, ranks, pick)

    monkeypatch.setattr(Field, "lets_in", counted)
    for number in range(20):
        assert isinstance(decide(SlotRequest(SlotId("masthead")), of, {}, NOW, Random(number)), Fill)
    assert len(asked) == 50 + 20


def test_flights_that_are_over_are_passed_by_without_asking_them_again() -> None:
    over = [replace(as_flight(standard(f"f{number}")), ends=date(2026, 1, 2)) for number in range(200)]
    of = build(*over, as_flight(standard("runs")))
    rng = Random(1)
    for _ in range(3):
        decision = decide(SlotRequest(SlotId("masthead")), of, {}, NOW, rng)
        assert isinstance(decision, Fill)
        assert decision.flight.id == "runs"
    then = decide(SlotRequest(SlotId("masthead")), of, {}, datetime(2026, 1, 1, 12, tzinfo=UTC), rng)
    assert isinstance(then, Fill)
    assert then.flight.id != "runs"


def creatives_shown(flight: Flight, request: SlotRequest) -> Counter[str]:
    snapshot, rng = build(flight), Random(20261124)
    decisions = (decide(request, snapshot, {}, NOW, rng) for _ in range(DRAWS))
    return Counter(each.creative.id for each in decisions if isinstance(each, Fill))


ALL_CREATIVES = Flight(
    FlightId("rotation"),
    (
        CreativeWeight(CreativeId("a"), 1),
        CreativeWeight(CreativeId("wordy"), 4),
        CreativeWeight(CreativeId("b"), 3),
        CreativeWeight(CreativeId("paid"), 99),
    ),
)


def test_creatives_rotate_by_weight_without_the_one_whose_disclosure_the_slot_refuses() -> None:
    shown = creatives_shown(ALL_CREATIVES, SlotRequest(SlotId("masthead")))
    assert_parts(shown, {"a": 1 / 8, "wordy": 4 / 8, "b": 3 / 8})


def test_only_creatives_that_fit_take_part_in_the_rotation() -> None:
    shown = creatives_shown(ALL_CREATIVES, SlotRequest(SlotId("masthead"), max_chars=99))
    assert_parts(shown, {"a": 1 / 4, "b": 3 / 4})
    only_long = creatives_shown(ALL_CREATIVES, SlotRequest(SlotId("masthead"), variant=Variant.LONG))
    assert_parts(only_long, {"wordy": 1})


def test_odds_are_the_part_of_decisions_in_which_a_flight_is_drawn_from() -> None:
    """What it leaves goes on to those behind it; it was asked every time, and says so."""
    snapshot = build(as_flight(replace(standard("paced"), goal=True)), as_flight(standard("other")))
    paces, rng = FixedPaces({FlightId("paced"): Pace(ODDS_WHOLE // 5, 1)}), Random(1)
    decisions = [decide(SlotRequest(SlotId("masthead")), snapshot, {}, NOW, rng, paces=paces) for _ in range(DRAWS)]
    assert_parts(Counter(each.flight.id for each in decisions if isinstance(each, Fill)), {"paced": 0.2, "other": 0.8})
    assert {each.asked for each in decisions} == {("paced",)}


def test_a_no_fill_says_who_was_asked() -> None:
    snapshot = build(as_flight(replace(standard("paced"), goal=True)))
    paces = FixedPaces({FlightId("paced"): Pace(0, 1)})
    request = SlotRequest(SlotId("masthead"))
    assert decide(request, snapshot, {}, NOW, Random(1), paces=paces) == NoFill(
        request, NoFillReason.PACING, (FlightId("paced"),)
    )


def test_within_a_call_for_a_page_a_reader_cap_counts_what_the_call_shows() -> None:
    caps = (Cap(2, CapPeriod.PAGE, CapScope.READER),)
    snapshot = build(replace(as_flight(standard("capped")), caps=caps, repeat=True))
    decisions = decide_page([SlotRequest(SlotId("masthead"))] * 3, snapshot, {}, NOW, Random(1))
    assert [isinstance(each, Fill) or each.reason for each in decisions] == [True, True, NoFillReason.CAP]
