"""What stopped whom in a call that was answered: the rules afterwards, and what the answer itself proves."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from random import Random

import pytest
from decision_worlds import Chance, FixedPaces
from hypothesis import given, settings
from hypothesis import strategies as st
from reason_scenes import (
    ADVERTISER,
    CAMPAIGN,
    CREATIVE,
    FLIGHT,
    OPEN,
    REMER,
    RIVAL,
    Scene,
    capped,
)

from adserver.decision.explaining import explain
from adserver.decision.judging import AnsweredCall, Outcome, Witness
from adserver.decision.paces import ODDS_WHOLE, Pace
from adserver.decision.page_call import decide_page
from adserver.decision.question import Question
from adserver.decision.snapshot import Snapshot
from adserver.domain.catalog import Advertiser, Campaign, Catalog, Flight, Site, Slot, Targeting, Tier
from adserver.domain.decisions import Decision, Fill, SlotRequest
from adserver.domain.ids import CampaignId, CreativeId, FlightId, SiteId, SlotId
from adserver.domain.reasons import NoFillReason as Reason

SITE = Site(SiteId("one"), "One", "https://one.example/", "America/Chicago")
SLOTS = tuple(Slot(SlotId(name), SiteId("one"), 140) for name in ("masthead", "footer"))
OTHER = FlightId("other")


def outcome(decision: Decision) -> Outcome:
    won = decision.flight.id if isinstance(decision, Fill) else None
    return Outcome(decision.request, won, frozenset(decision.asked))


def judged(
    scene: Scene, decision: Outcome, paces: FixedPaces | None = None, *, capped: Sequence[FlightId] = (), seed: int = 1
) -> dict[FlightId, Reason | None]:
    snapshot = scene.snapshot
    witness = Witness(scene.now, {scene.flight.id: scene.delivered}, paces, frozenset(capped))
    call = AnsweredCall(snapshot, [decision], witness)
    return dict(call.reasons(0, snapshot.flights, Random(seed)))


@settings(max_examples=200)
@given(st.integers(0, 2**32), st.integers(1, 6))
def test_without_paces_reasons_are_those_of_the_explanation(seed: int, campaigns: int) -> None:
    chance = Chance(seed)
    catalog = chance.catalog(campaigns)
    snapshot, request, now, delivered = (
        Snapshot.build(catalog, 1), chance.request(), chance.moment(), chance.delivered(catalog)
    )  # fmt: skip
    slot = snapshot.slot(request.slot)
    assert slot is not None
    explained = explain(Question(request, slot, now, delivered), snapshot, Random(seed))
    call = AnsweredCall(snapshot, [outcome(explained.decision)], Witness(now, delivered, None, frozenset()))

    expected = {each.flight.flight.id: each.reason for each in explained.accounts}
    takeovers = {
        f.id for c in catalog.campaigns for f in c.flights if f.takeover and f.slots == frozenset({request.slot})
    }
    found = dict(call.reasons(0, snapshot.flights, Random(seed)))
    assert found.keys() == expected.keys()
    assert {f: r for f, r in found.items() if f not in takeovers} == {
        f: r for f, r in expected.items() if f not in takeovers
    }


def test_whom_production_had_win_has_won_whatever_the_rules_say_by_now() -> None:
    scene = replace(OPEN, delivered=100)
    assert judged(scene, Outcome(scene.request, FLIGHT.id, frozenset())) == {FLIGHT.id: None}
    assert judged(scene, Outcome(scene.request, None, frozenset())) == {FLIGHT.id: Reason.GOAL_MET}


HOUSE = replace(FLIGHT, id=OTHER, goal=None, tier=Tier.HOUSE)
SAME_DRAW = replace(FLIGHT, id=OTHER)


@pytest.mark.parametrize(
    ("other", "asked", "pace", "reason"),
    [
        pytest.param(HOUSE, False, Pace(ODDS_WHOLE, 5), Reason.PACING, id="nothing left, for a later draw was held"),
        pytest.param(HOUSE, True, Pace(ODDS_WHOLE // 2, 0), Reason.PACING, id="kept out, for a later draw was held"),
        pytest.param(SAME_DRAW, True, Pace(ODDS_WHOLE, 0), Reason.LOST_DRAW, id="some left then, none by now"),
        pytest.param(SAME_DRAW, True, Pace(0, 5), Reason.PACING, id="odds of none keep it out"),
        pytest.param(SAME_DRAW, False, Pace(ODDS_WHOLE, 0), Reason.PACING, id="nobody asked it, and nothing is left"),
        pytest.param(SAME_DRAW, False, Pace(ODDS_WHOLE, 5), Reason.LOST_DRAW, id="nobody asked it, and some is left"),
    ],
)  # fmt: skip
def test_what_a_pace_did_follows_from_who_won(other: Flight, asked: bool, pace: Pace, reason: Reason) -> None:
    scene = replace(OPEN, others=(other,))
    known = frozenset({FLIGHT.id} if asked else ())
    paces = FixedPaces({FLIGHT.id: pace, OTHER: Pace(ODDS_WHOLE, 5)})
    assert judged(scene, Outcome(scene.request, OTHER, known), paces)[FLIGHT.id] is reason


def test_where_odds_may_have_kept_it_out_they_did_so_as_often_as_they_do() -> None:
    scene = replace(OPEN, others=(SAME_DRAW,))
    paces = FixedPaces({FLIGHT.id: Pace(ODDS_WHOLE // 4, 5), OTHER: Pace(ODDS_WHOLE, 5)})
    won = Outcome(scene.request, OTHER, frozenset({FLIGHT.id, OTHER}))
    # An explanation gives it a fifth of the draws; of the other four fifths it was kept out of 0.75 / 0.8.
    counts = Counter(judged(scene, won, paces, seed=seed)[FLIGHT.id] for seed in range(200))
    assert counts.keys() == {Reason.PACING, Reason.LOST_DRAW}
    assert 175 <= counts[Reason.PACING] <= 197


def test_a_reader_who_had_seen_enough_is_a_cap_and_nobody_else_is() -> None:
    scene = capped("visit", "reader", goal=None)
    nobody = Outcome(scene.request, None, frozenset())
    assert judged(scene, nobody, capped=[scene.flight.id]) == {FLIGHT.id: Reason.CAP}
    assert judged(scene, nobody) == {FLIGHT.id: Reason.LOST_DRAW}


def two_sponsors(**changes: object) -> Snapshot:
    """Return a catalog of the bank, of a rival of it, and of the rival's second line, in two slots."""
    plain = replace(FLIGHT, slots=None, goal=None, targeting=Targeting())
    line = replace(CREATIVE, id=CreativeId("rival-line"))
    rival = Advertiser(RIVAL, "Rival", frozenset(), frozenset({"banks"}))
    flights = tuple(
        replace(plain, id=FlightId(id_), creatives=(replace(plain.creatives[0], creative=line.id),), **changes)  # type: ignore[arg-type]  # fields by name
        for id_ in ("rival-one", "rival-two")
    )
    season = replace(CAMPAIGN, creatives=(CREATIVE,), flights=(plain,))
    other = Campaign(CampaignId("other"), RIVAL, "Other", "America/Chicago", date(2026, 6, 1), None, (line,), flights)
    return Snapshot.build(Catalog((SITE,), SLOTS, (ADVERTISER, rival), (season, other)), 1)


def page(snapshot: Snapshot, *slots: str, seed: int = 1) -> tuple[AnsweredCall, tuple[Decision, ...]]:
    requests = [SlotRequest(SlotId(slot), REMER) for slot in slots]
    decisions = decide_page(requests, snapshot, {}, OPEN.now, Random(seed))
    witness = Witness(OPEN.now, {}, None, frozenset())
    return AnsweredCall(snapshot, list(map(outcome, decisions)), witness), decisions


def test_a_page_is_judged_as_it_became() -> None:
    snapshot = two_sponsors()
    for seed in range(20):
        call, decisions = page(snapshot, "masthead", "footer", seed=seed)
        by_seat = [dict(call.reasons(seat, snapshot.flights, Random(seed))) for seat in (0, 1)]
        winners = [each.flight.id if isinstance(each, Fill) else None for each in decisions]
        assert winners.count(None) == 1, "competitors do not stand together, nor a sponsor twice"
        winner = next(each for each in winners if each is not None)
        empty, full = by_seat[winners.index(None)], by_seat[winners.index(winner)]
        assert full[winner] is None
        assert empty[winner] is Reason.SAME_SPONSOR
        rivals = [FLIGHT.id] if winner != FLIGHT.id else [FlightId("rival-one"), FlightId("rival-two")]
        assert {empty[rival] for rival in rivals} == {Reason.COMPETITOR}
        assert {full[rival] for rival in rivals} == {Reason.LOST_DRAW}


def test_a_takeover_is_stopped_where_its_slots_are_not_all_asked_for() -> None:
    snapshot = two_sponsors(takeover=True, slots=frozenset(slot.id for slot in SLOTS))
    call, _ = page(snapshot, "masthead")
    alone = dict(call.reasons(0, snapshot.flights, Random(1)))
    assert {alone[FlightId(id_)] for id_ in ("rival-one", "rival-two")} == {Reason.TAKEOVER}

    call, decisions = page(snapshot, "masthead", "footer", seed=3)
    together = dict(call.reasons(0, snapshot.flights, Random(1)))
    assert Reason.TAKEOVER not in together.values()
    assert isinstance(decisions[0], Fill)


def test_a_slot_that_is_gone_says_nothing() -> None:
    gone = Outcome(SlotRequest(SlotId("gone")), None, frozenset())
    assert judged(OPEN, gone) == {}
