"""One scene a reason: a flight that would fill, but for the one thing that the scene changes."""

from dataclasses import replace
from datetime import UTC, date, datetime
from random import Random

import pytest
from decision_worlds import FixedPaces
from reason_scenes import (
    AMES_60,
    AMES_600,
    ANYWHERE,
    BANK,
    CASS,
    COUNTRY,
    CREATIVE,
    IOWA,
    MINNESOTA,
    NO_PACES,
    OPEN,
    POLITICS,
    REQUEST,
    RIVAL,
    SPORTS,
    Scene,
    capped,
    disclosed,
    flight,
    regulated,
    request,
    slot,
    targeting,
    text,
)

from adserver.decision.decide import decide
from adserver.decision.eligibility import (
    ORDER_BY_COUNTS,
    ORDER_BY_FIT,
    ORDER_BY_PAGE,
    ORDER_BY_TARGET,
    RULES,
    Stop,
    furthest,
    judge,
    settle,
)
from adserver.decision.paces import ODDS_WHOLE, Pace, Shown
from adserver.decision.page import PageSoFar
from adserver.decision.snapshot import Snapshot
from adserver.domain.catalog import (
    Catalog,
    CreativeWeight,
    Flight,
    Site,
    Status,
    Targeting,
    Tier,
)
from adserver.domain.decisions import Fill, NoFill
from adserver.domain.hours import Hours
from adserver.domain.ids import CreativeId, FlightId, PlaceId, SiteId, SlotId
from adserver.domain.places import Place, PlaceLevel
from adserver.domain.reasons import NoFillReason
from adserver.domain.rules import CategoryRule, StateRule
from adserver.domain.variants import Variant, Variants

R = NoFillReason
STOPPED = [
    (R.SLOT, flight(slots=frozenset({SlotId("footer")}))),
    (R.PAUSED, flight(status=Status.PAUSED)),
    (R.PAUSED, replace(OPEN, campaign=replace(OPEN.campaign, status=Status.PAUSED))),
    (R.NOT_STARTED, replace(OPEN, now=datetime(2026, 6, 1, 4, 59, 59, 999999, tzinfo=UTC))),
    (R.NOT_STARTED, flight(starts=date(2026, 6, 16))),
    (R.ENDED, replace(OPEN, now=datetime(2026, 7, 1, 5, tzinfo=UTC))),
    (R.ENDED, flight(ends=date(2026, 6, 13))),
    (R.HOURS, targeting(hours=Hours(frozenset({0})))),
    (R.HOURS, targeting(hours=Hours(from_minute=6 * 60, to_minute=18 * 60 + 59))),
    (R.PLACE, targeting(places=frozenset({IOWA}))),
    (R.PLACE, targeting(places=frozenset({IOWA}), near=(AMES_60,))),
    (R.PLACE, targeting(places=frozenset(), near=(AMES_60,))),
    (R.PLACE_EXCLUDED, targeting(exclude_places=frozenset({CASS}))),
    (R.PLACE_EXCLUDED, targeting(places=frozenset(), exclude_places=frozenset({CASS}))),
    (R.PLACE_EXCLUDED, targeting(places=frozenset(), exclude_near=(AMES_600,))),
    (R.PLACE_UNKNOWN, request(place=None)),
    (R.PLACE_UNKNOWN, replace(targeting(places=frozenset(), near=(AMES_600,)), request=replace(REQUEST, place=None))),
    (R.REGULATED, regulated(OPEN)),
    (R.REGULATED, regulated(OPEN, StateRule(MINNESOTA, False), elsewhere=True)),
    (R.REGULATED, regulated(OPEN, StateRule(IOWA, True))),
    (R.REGULATED, regulated(replace(ANYWHERE, request=request(place=None).request), elsewhere=True)),
    (R.REGULATED, regulated(replace(ANYWHERE, request=request(place=COUNTRY).request), elsewhere=True)),
    (R.REGULATED, regulated(regulated(OPEN, StateRule(MINNESOTA, True)), elsewhere=False)),
    (R.TOPIC, request(topics=())),
    (R.TOPIC, request(topics=(POLITICS,))),
    (R.TOPIC_EXCLUDED, targeting(exclude_topics=frozenset({SPORTS}))),
    (R.TOPIC_EXCLUDED, targeting(topics=frozenset(), exclude_topics=frozenset({SPORTS}))),
    (R.VARIANT, slot(max_chars=5)),
    (R.VARIANT, request(max_chars=5)),
    (R.VARIANT, request(max_chars=129, variant=Variant.LONG)),
    (R.VARIANT, replace(slot(variants=frozenset({Variant.NAME})), request=request(variant=Variant.SHORT).request)),
    (
        R.VARIANT,
        replace(OPEN, slot=slot(variants=frozenset({Variant.LONG})).slot, request=request(max_chars=60).request),
    ),
    (R.DISCLOSURE, disclosed(slot(allow_disclosure=False))),
    (R.DISCLOSURE, regulated(slot(allow_disclosure=False), StateRule(MINNESOTA, True, "21+"))),
    (R.CATEGORY_BLOCKED, slot(blocked_categories=frozenset({"alcohol", "finance"}))),
    (R.GOAL_MET, replace(OPEN, delivered=100)),
    (R.GOAL_MET, replace(OPEN, delivered=101)),
    (R.PACING, replace(OPEN, paces=NO_PACES)),
    (R.PACING, replace(OPEN, paces=FixedPaces({FlightId("flight"): Pace(ODDS_WHOLE, 0)}))),
    (R.TAKEOVER, flight(takeover=True)),
    (R.TAKEOVER, replace(flight(takeover=True), page=PageSoFar(takeovers=frozenset({FlightId("other")})))),
    (R.CAP, replace(capped("visit", "reader"), shown={FlightId("flight"): Shown(visit=2, page=0)})),
    (R.CAP, replace(capped("page", "reader"), shown={FlightId("flight"): Shown(visit=2, page=2)})),
    (R.CAP, replace(capped("hour", "flight", goal=None), paces=NO_PACES)),
    (R.CAP, replace(capped("day", "flight"), paces=FixedPaces({FlightId("flight"): Pace(ODDS_WHOLE, 0, True)}))),
    (R.COMPETITOR, replace(OPEN, page=PageSoFar(frozenset({RIVAL}), frozenset({"banks"})))),
    (R.SAME_SPONSOR, replace(OPEN, page=PageSoFar(frozenset({BANK}), frozenset({"banks"})))),
    (R.EXCLUDED, request(exclude=frozenset({"bank"}))),
    (R.EXCLUDED, request(exclude=frozenset({"finance"}))),
    (R.EXCLUDED, request(exclude=frozenset({"banks"}))),
    (R.UNKNOWN_SLOT, request(slot=SlotId("nowhere"))),
]

STILL_OPEN = [
    replace(flight(takeover=True), page=PageSoFar(takeovers=frozenset({FlightId("flight")}))),
    OPEN,
    flight(slots=None),
    replace(OPEN, now=datetime(2026, 6, 1, 5, tzinfo=UTC)),
    replace(OPEN, now=datetime(2026, 7, 1, 4, 59, 59, 999999, tzinfo=UTC)),
    replace(OPEN, campaign=replace(OPEN.campaign, ends=None), now=datetime(2999, 1, 1, tzinfo=UTC)),
    flight(starts=date(2026, 6, 14), ends=date(2026, 6, 14)),
    targeting(places=frozenset({CASS, IOWA}), exclude_places=frozenset({IOWA})),
    replace(targeting(places=frozenset()), request=request(place=None).request),
    replace(targeting(places=frozenset(), exclude_places=frozenset({CASS})), request=request(place=None).request),
    targeting(hours=Hours(frozenset({6}), 19 * 60, 19 * 60 + 1)),
    targeting(hours=Hours(frozenset({5}), 22 * 60, 19 * 60 + 1)),
    targeting(places=frozenset({IOWA}), near=(AMES_600,)),
    targeting(places=frozenset(), near=(AMES_60, AMES_600)),
    targeting(exclude_near=(AMES_60,)),
    replace(targeting(places=frozenset(), exclude_near=(AMES_600,)), request=request(place=None).request),
    request(topics=(POLITICS, SPORTS)),
    targeting(topics=frozenset(), exclude_topics=frozenset({POLITICS})),
    slot(max_chars=6),
    request(max_chars=130, variant=Variant.LONG),
    disclosed(OPEN),
    regulated(OPEN, elsewhere=True),
    regulated(OPEN, StateRule(MINNESOTA, True, "21+")),
    regulated(slot(allow_disclosure=False), StateRule(MINNESOTA, True), StateRule(IOWA, True, "21+")),
    slot(allow_disclosure=False),
    slot(blocked_categories=frozenset({"alcohol"})),
    replace(flight(goal=None), delivered=10**9),
    replace(OPEN, paces=FixedPaces({FlightId("flight"): Pace(ODDS_WHOLE, 1)})),
    replace(flight(goal=None), paces=NO_PACES),
    replace(capped("visit", "reader"), shown={FlightId("flight"): Shown(visit=1, page=9)}),
    replace(capped("page", "reader"), shown={FlightId("flight"): Shown(visit=9, page=1)}),
    replace(capped("visit", "reader"), shown={FlightId("other"): Shown(visit=9, page=9)}),
    capped("day", "flight"),
    replace(OPEN, page=PageSoFar(frozenset({RIVAL}), frozenset({"shops"}))),
    replace(flight(repeat=True), page=PageSoFar(frozenset({BANK}), frozenset({"banks"}))),
    request(exclude=frozenset({"rival", "betting", "masthead", "flight", "season"})),
]


@pytest.mark.parametrize(
    ("reason", "scene"), STOPPED, ids=[f"{number}-{reason}" for number, (reason, _) in enumerate(STOPPED)]
)
def test_a_flight_is_stopped_by_its_one_fault(reason: NoFillReason, scene: Scene) -> None:
    assert scene.decide() == NoFill(scene.request, reason)


@pytest.mark.parametrize(("reason", "scene"), [case for case in STOPPED if case[0] is not R.UNKNOWN_SLOT])
def test_the_plain_scan_names_the_same_fault_and_says_more(reason: NoFillReason, scene: Scene) -> None:
    (verdict,) = judge(scene.snapshot.flights, scene.question)
    assert verdict.stop is not None
    assert verdict.stop.reason is reason
    assert verdict.stop.detail


@pytest.mark.parametrize("scene", STILL_OPEN)
def test_what_is_just_within_every_rule_fills(scene: Scene) -> None:
    assert isinstance(scene.decide(), Fill)
    assert [verdict.stop for verdict in judge(scene.snapshot.flights, scene.question)] == [None]


def test_a_share_that_falls_through_to_nobody_is_a_lost_draw() -> None:
    scene = flight(tier=Tier.SPONSORSHIP, share=1)
    decisions = [scene.decide(Random(seed)) for seed in range(50)]
    assert NoFill(scene.request, NoFillReason.LOST_DRAW) in decisions


def test_a_catalog_without_flights_reports_slot() -> None:
    site = Site(SiteId("one"), "One", "https://one.example/", "America/Chicago")
    empty = Snapshot.build(Catalog((site,), (OPEN.slot,)), 1)
    assert decide(OPEN.request, empty, {}, OPEN.now, Random(1)) == NoFill(OPEN.request, NoFillReason.SLOT)
    assert furthest([]) is NoFillReason.SLOT


def test_a_no_fill_reports_the_flight_that_came_furthest() -> None:
    reasons = [R.SLOT, R.PAUSED, R.PLACE, R.TOPIC, R.VARIANT, R.EXCLUDED]
    base = replace(OPEN.flight, goal=None)
    flights = (
        replace(base, id=FlightId("a"), slots=frozenset({SlotId("footer")})),
        replace(base, id=FlightId("b"), status=Status.PAUSED),
        replace(base, id=FlightId("c"), targeting=Targeting(places=frozenset({IOWA}))),
        replace(base, id=FlightId("d"), targeting=Targeting(topics=frozenset({POLITICS}))),
        replace(base, id=FlightId("e"), creatives=(CreativeWeight(CreativeId("wordy")),)),
        replace(base, id=FlightId("f")),
    )
    wordy = replace(CREATIVE, id=CreativeId("wordy"), variants=Variants(text(200), None, None))
    asked = replace(OPEN.request, exclude=frozenset({"bank"}))
    for count in range(1, len(flights) + 1):
        scene = replace(OPEN, flight=flights[0], others=flights[1:count], creatives=(CREATIVE, wordy), request=asked)
        assert scene.decide() == NoFill(asked, reasons[count - 1])


def test_a_flight_is_stopped_by_the_rule_that_its_best_creative_reached() -> None:
    wordy = replace(CREATIVE, id=CreativeId("wordy"), variants=Variants(text(200), None, None))
    refused = replace(CREATIVE, id=CreativeId("refused"), disclosure="Paid for by Bank")
    both = (CreativeWeight(wordy.id), CreativeWeight(refused.id))
    scene = replace(flight(creatives=both), creatives=(wordy, refused))
    assert isinstance(scene.decide(), Fill)
    closed = replace(scene, slot=replace(scene.slot, allow_disclosure=False))
    assert closed.decide() == NoFill(closed.request, NoFillReason.DISCLOSURE)


def test_a_flight_that_fails_two_rules_reports_the_first() -> None:
    scene = replace(request(place=None, exclude=frozenset({"bank"})), delivered=100)
    (verdict,) = judge(scene.snapshot.flights, scene.question)
    assert verdict.stop == Stop(NoFillReason.PLACE_UNKNOWN, "runs in us-mn only, and the page names no known place")


def test_hours_circles_and_rules_are_told_in_words() -> None:
    for scene, words in (
        (
            targeting(hours=Hours(frozenset({0, 4}), 360, 1320)),
            "runs mon fri, 06:00 to 22:00, and in America/Chicago it is Sunday 19:00",
        ),
        (
            targeting(places=frozenset(), near=(AMES_60,)),
            "runs in 60 km around us-ia-ames, which do not contain us-mn-remer",
        ),
        (regulated(OPEN), "finance may not run in us-mn, by the rule of 2026-01-01 (a book)"),
        (
            regulated(replace(ANYWHERE, request=request(place=None).request)),
            "finance may not run where the state is not known, by the rule of 2026-01-01 (a book)",
        ),
    ):
        (verdict,) = judge(scene.snapshot.flights, scene.question)
        assert verdict.stop is not None
        assert verdict.stop.detail == words


@pytest.mark.parametrize(("reason", "scene"), [case for case in STOPPED if case[0] is not R.UNKNOWN_SLOT])
def test_no_other_rule_would_stop_a_scene(reason: NoFillReason, scene: Scene) -> None:
    (stopped,) = scene.snapshot.flights
    stops = [rule.reason for rule in RULES if rule.check(stopped, scene.question) is not None]
    if reason is R.VARIANT:  # a disclosure is asked of creatives that fit, and here none does
        stops.remove(R.DISCLOSURE)
    assert stops == [reason]


def test_every_reason_of_a_rule_has_its_scene() -> None:
    assert {reason for reason, _ in STOPPED} == set(NoFillReason) - {R.LOWER_TIER, R.LOST_DRAW}


def test_every_reason_has_its_place_in_the_order_and_only_the_unbuilt_have_no_rule() -> None:
    order = ORDER_BY_TARGET + ORDER_BY_FIT + ORDER_BY_COUNTS + ORDER_BY_PAGE
    outcomes = {R.UNKNOWN_SLOT, R.LOWER_TIER, R.LOST_DRAW}
    assert [reason for reason, _ in order] == [reason for reason in NoFillReason if reason not in outcomes]
    assert {reason for reason, check in order if check is None} == set()


def test_those_who_could_run_and_did_not_win_lost_the_draw_or_are_in_a_lower_tier() -> None:
    def other(name: str, tier: Tier, slots: frozenset[SlotId] | None = None) -> Flight:
        return replace(OPEN.flight, id=FlightId(name), tier=tier, slots=slots)

    scene = replace(
        OPEN,
        others=(
            other("sponsor", Tier.SPONSORSHIP),
            other("peer", Tier.STANDARD),
            other("house", Tier.HOUSE),
            other("elsewhere", Tier.HOUSE, frozenset({SlotId("footer")})),
        ),
    )
    snapshot = scene.snapshot
    verdicts = settle(judge(snapshot.flights, scene.question), snapshot.flight(scene.flight.id))
    assert {each.flight.flight.id: each.stop and each.stop.reason for each in verdicts} == {
        "flight": None,
        "sponsor": NoFillReason.LOST_DRAW,
        "peer": NoFillReason.LOST_DRAW,
        "house": NoFillReason.LOWER_TIER,
        "elsewhere": NoFillReason.SLOT,
    }


def test_without_a_winner_all_who_could_run_lost_the_draw() -> None:
    scene = flight(tier=Tier.SPONSORSHIP, share=1)
    (verdict,) = settle(judge(scene.snapshot.flights, scene.question), None)
    assert verdict.stop is not None
    assert verdict.stop.reason is NoFillReason.LOST_DRAW


def test_a_fill_shows_the_creatives_disclosure_and_then_those_of_the_rules_of_its_state() -> None:
    scene = regulated(disclosed(OPEN), StateRule(MINNESOTA, True, "21+"), StateRule(IOWA, True, "18+"))
    fill = scene.decide()
    assert isinstance(fill, Fill)
    assert fill.disclosures == ("Paid for by Bank", "21+")
    assert fill.disclosure == "Paid for by Bank\n21+"
    other = CategoryRule(
        "banks-and-loans", date(2026, 1, 1), "a book", states=(StateRule(MINNESOTA, True, "Loans cost."),)
    )
    twice = replace(OPEN.advertiser, categories=frozenset({"finance", "banks-and-loans"}))
    same = replace(other, category="zoos", states=(StateRule(MINNESOTA, True, "21+"),))
    both = replace(
        scene, advertiser=replace(twice, categories=twice.categories | {"zoos"}), rules=(*scene.rules, same, other)
    )
    fill = both.decide()
    assert isinstance(fill, Fill)
    assert fill.disclosures == ("Paid for by Bank", "Loans cost.", "21+")


def test_an_unknown_place_shares_no_memory_with_a_state_that_no_rule_names() -> None:
    chain = (PlaceId("us-wy-yoder"), PlaceId("us-wy"), PlaceId("us"))
    yoder = Place(chain[0], "Yoder, WY", PlaceLevel.TOWN, chain, 41.9, -104.3)
    scene = regulated(ANYWHERE, elsewhere=True)
    snapshot, counts = scene.snapshot, {scene.flight.id: scene.delivered}
    places = (None, yoder, None, yoder)
    asked = [replace(scene.request, place=place) for place in places]
    fills = [isinstance(decide(one, snapshot, counts, scene.now, Random(1)), Fill) for one in asked]
    assert fills == [False, True, False, True]
