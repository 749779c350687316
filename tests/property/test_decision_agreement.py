"""The lists, the gate and the draw decide as the plain rules do, in any catalog at any moment."""

from dataclasses import replace
from datetime import timedelta
from random import Random
from unittest.mock import patch

from decision_worlds import NOW, Chance, ask_plainly, outcome
from examples import examples
from hypothesis import event, given, settings
from hypothesis import strategies as st

from adserver.decision import compiling
from adserver.decision.decide import decide
from adserver.decision.paces import ODDS_WHOLE
from adserver.decision.page_call import decide_page
from adserver.decision.question import Question
from adserver.decision.snapshot import Snapshot
from adserver.domain.catalog import Catalog
from adserver.domain.decisions import Fill, NoFill
from adserver.domain.ids import FlightId
from adserver.domain.variants import LENGTHS, Variant

st_seeds = st.integers(0, 2**32)
st_campaigns = st.integers(0, 8)
st_lists = st.sampled_from((1, 3, 2_000))


def compiled(catalog: Catalog, lists: int) -> Snapshot:
    """Return a snapshot in which a flight stands in so many lists at most, and is asked for the rest."""
    with patch.object(compiling, "MOST_LISTS_A_FLIGHT", lists):
        return Snapshot.build(catalog, 1)


@settings(max_examples=examples(1_000))
@given(st_seeds, st_campaigns, st_lists)
def test_decisions_agree_with_the_plain_scan(seed: int, campaigns: int, lists: int) -> None:
    chance = Chance(seed)
    catalog = chance.catalog(campaigns)
    snapshot, counts = compiled(catalog, lists), chance.delivered(catalog)
    paces, shown = chance.paces(catalog, ODDS_WHOLE), chance.shown(catalog)
    asked = [(chance.request(), chance.moment(), chance.page()) for _ in range(8)]
    later = [
        (request, now + timedelta(minutes=chance.rng.choice((0, 0, 20, 400))), page) for request, now, page in asked
    ]
    for number, (request, now, page) in enumerate(asked + later):  # the second time from memory
        slot = snapshot.slot(request.slot)
        assert slot is not None
        plain = ask_plainly(snapshot, Question(request, slot, now, counts, page, paces, shown))
        decision = decide(request, snapshot, counts, now, Random(seed + number), page, paces=paces, shown=shown)
        if isinstance(decision, Fill):
            assert outcome(decision) in plain.chances
        else:
            assert sum(plain.chances.values()) < 1
            assert decision.reason in plain.reasons
        event(decision.reason if isinstance(decision, NoFill) else f"fill by {decision.flight.tier}")


@given(st_seeds, st_campaigns)
def test_no_call_shows_competitors_or_a_sponsor_twice_unasked(seed: int, campaigns: int) -> None:
    chance = Chance(seed)
    catalog = chance.catalog(campaigns)
    requests = [replace(chance.request(), exclude=frozenset()) for _ in range(6)]
    counts, rng = chance.delivered(catalog), Random(seed)
    decisions = decide_page(requests, Snapshot.build(catalog, 1), counts, NOW, rng)
    assert [decision.request for decision in decisions] == requests
    fills = [decision for decision in decisions if isinstance(decision, Fill)]
    for at, later in enumerate(fills):
        for earlier in fills[:at]:
            if earlier.advertiser == later.advertiser:
                taken_over = later.flight.takeover and later.flight.id == earlier.flight.id
                assert taken_over or (earlier.flight.repeat and later.flight.repeat)
            else:
                assert not earlier.advertiser.competes_with & later.advertiser.competes_with
    event(f"{len(fills)} fills")


@given(st_seeds, st_campaigns)
def test_every_fill_keeps_every_limit(seed: int, campaigns: int) -> None:
    chance = Chance(seed)
    catalog = chance.catalog(campaigns)
    snapshot, counts = Snapshot.build(catalog, 1), chance.delivered(catalog)
    decisions = [decide(chance.request(), snapshot, counts, NOW, chance.rng) for _ in range(20)]
    for fill in decisions:
        if isinstance(fill, Fill):
            assert_within_limits(fill, counts)


def assert_within_limits(fill: Fill, counts: dict[FlightId, int]) -> None:
    slot, flight, request = fill.slot, fill.flight, fill.request
    held = {length: text for length in LENGTHS if (text := fill.variants.get(length))}
    assert fill.shown == max(held, key=lambda length: length.code)
    assert held.keys() <= slot.variants & ({request.variant} if request.variant is not Variant.AUTO else set(LENGTHS))
    assert all(text.graphemes <= min(slot.max_chars, request.max_chars or 99) for text in held.values())
    assert slot.allow_disclosure or fill.disclosure is None
    assert fill.creative.id in {entry.creative for entry in flight.creatives}
    assert flight.goal is None or counts.get(flight.id, 0) < flight.goal.impressions
    assert flight.slots is None or slot.id in flight.slots
    assert not request.exclude & {fill.advertiser.id, *fill.advertiser.categories, *fill.advertiser.competes_with}
