"""What is explained is what is decided: odds, reasons and winners agree with the definition and with production."""

from collections import defaultdict
from fractions import Fraction
from random import Random

from decision_worlds import Chance, ask_plainly
from hypothesis import event, given, settings
from hypothesis import strategies as st

from adserver.decision.eligibility import furthest
from adserver.decision.explaining import explain, explain_winner
from adserver.decision.question import Question
from adserver.decision.snapshot import Snapshot
from adserver.domain.decisions import Fill
from adserver.domain.reasons import NoFillReason

st_seeds = st.integers(0, 2**32)
st_campaigns = st.integers(0, 6)
LOST = {NoFillReason.LOST_DRAW, NoFillReason.LOWER_TIER}


@settings(max_examples=300)
@given(st_seeds, st_campaigns)
def test_odds_are_the_chances_by_definition_and_reasons_those_of_the_decision(seed: int, campaigns: int) -> None:
    chance = Chance(seed)
    catalog = chance.catalog(campaigns)
    snapshot, request = Snapshot.build(catalog, 1), chance.request()
    slot = snapshot.slot(request.slot)
    assert slot is not None
    question = Question(request, slot, chance.moment(), chance.delivered(catalog), chance.page())
    explanation = explain(question, snapshot, Random(seed))

    assert explanation.decision == Snapshot.build(catalog, 1).choose(question, Random(seed))
    chances: dict[str, Fraction] = defaultdict(Fraction)
    plain = ask_plainly(snapshot, question)
    for (flight, _), part in plain.chances.items():
        chances[flight] += part
    odds = {account.flight.flight.id: account.odds for account in explanation.accounts}
    assert {flight: each for flight, each in odds.items() if each} == chances
    assert explanation.odds_of_nobody == 1 - sum(chances.values())
    won = [account.flight.flight.id for account in explanation.accounts if account.reason is None]
    decision = explanation.decision
    assert won == ([decision.flight.id] if isinstance(decision, Fill) else [])
    for account in explanation.accounts:
        assert account.detail
        assert not account.odds or account.reason is None or account.reason in LOST
    if not isinstance(decision, Fill) and explanation.accounts:
        assert decision.reason is furthest(account.reason for account in explanation.accounts if account.reason)
    event("fill" if won else "no fill")


@settings(max_examples=200)
@given(st_seeds, st.integers(1, 6))
def test_a_decision_that_was_made_is_explained_with_its_own_winner(seed: int, campaigns: int) -> None:
    chance = Chance(seed)
    catalog = chance.catalog(campaigns)
    snapshot, request = Snapshot.build(catalog, 1), chance.request()
    slot = snapshot.slot(request.slot)
    assert slot is not None
    question = Question(request, slot, chance.moment(), chance.delivered(catalog))
    decision = snapshot.choose(question, Random(seed))
    if not isinstance(decision, Fill):
        return
    later = dict.fromkeys((flight.id for campaign in catalog.campaigns for flight in campaign.flights), 1_000)
    explanation = explain_winner(question._replace(delivered=later), snapshot, decision.flight.id, decision.creative.id)
    assert explanation is not None
    assert explanation.decision == decision
    assert [one.flight.flight.id for one in explanation.accounts if one.reason is None] == [decision.flight.id]
