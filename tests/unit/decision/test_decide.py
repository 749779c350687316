"""What a fill says, and what the slots of one page owe each other."""

from dataclasses import replace
from datetime import UTC, date, datetime
from random import Random

import pytest

from adserver.decision.decide import decide
from adserver.decision.page_call import decide_page
from adserver.decision.snapshot import Snapshot
from adserver.domain.catalog import (
    Advertiser,
    Campaign,
    Catalog,
    Creative,
    CreativeWeight,
    Flight,
    Site,
    Slot,
    Tier,
)
from adserver.domain.decisions import Decision, Fill, NoFill, SlotRequest
from adserver.domain.ids import AdvertiserId, CampaignId, CreativeId, FlightId, SiteId, SlotId
from adserver.domain.reasons import NoFillReason
from adserver.domain.variants import LENGTHS, Text, Variant, Variants

NOW = datetime(2026, 6, 15, tzinfo=UTC)
SITE = Site(SiteId("one"), "One", "https://one.example/", "America/Chicago")
SLOTS = tuple(Slot(SlotId(f"slot-{number}"), SITE.id, 140) for number in range(3))
NAME, SHORT, LONG = Text("QWIKET", 6, 6), Text("s" * 66, 66, 66), Text("l" * 131, 131, 131)


def advertiser(name: str, *labels: str) -> Advertiser:
    return Advertiser(AdvertiserId(name), name.title(), frozenset(), frozenset(labels))


def campaign(owner: Advertiser, *flights: Flight) -> Campaign:
    variants = Variants(NAME, SHORT, LONG)
    creative = Creative(CreativeId(f"{owner.id}-creative"), f"https://{owner.id}.example/", variants)
    own = tuple(replace(flight, creatives=(CreativeWeight(creative.id),)) for flight in flights)
    return Campaign(CampaignId(f"{owner.id}-campaign"), owner.id, "C", "UTC", date(2026, 1, 1), None, (creative,), own)


def flight(
    name: str, *, slots: tuple[int, ...] = (0, 1, 2), tier: Tier = Tier.STANDARD, repeat: bool = False
) -> Flight:
    return Flight(FlightId(name), (), slots=frozenset(SLOTS[number].id for number in slots), tier=tier, repeat=repeat)


def snapshot(*campaigns: Campaign, advertisers: tuple[Advertiser, ...], slots: tuple[Slot, ...] = SLOTS) -> Snapshot:
    return Snapshot.build(Catalog((SITE,), slots, advertisers, campaigns), 7)


def winners(decisions: tuple[Decision, ...]) -> list[str]:
    return [each.flight.id if isinstance(each, Fill) else each.reason.value for each in decisions]


def page(of: Snapshot, seed: int = 1) -> list[str]:
    requests = [SlotRequest(slot.id) for slot in SLOTS]
    return winners(decide_page(requests, of, {}, NOW, Random(seed)))


BANK, RIVAL, SHOP = advertiser("bank", "banks"), advertiser("rival", "banks", "loans"), advertiser("shop", "shops")


def test_a_fill_names_all_that_it_belongs_to() -> None:
    owned = campaign(BANK, flight("only"))
    request = SlotRequest(SLOTS[1].id)
    decision = decide(request, snapshot(owned, advertisers=(BANK,)), {}, NOW, Random(1))
    assert decision == Fill(
        request=request,
        site=SITE,
        slot=SLOTS[1],
        advertiser=BANK,
        campaign=replace(owned, creatives=(), flights=()),
        flight=owned.flights[0],
        creative=owned.creatives[0],
        variants=Variants(NAME, SHORT, LONG),
        shown=Variant.LONG,
    )


@pytest.mark.parametrize(
    ("asked", "limit", "held", "shown"),
    [
        (Variant.AUTO, None, {Variant.NAME, Variant.SHORT, Variant.LONG}, Variant.LONG),
        (Variant.AUTO, 131, {Variant.NAME, Variant.SHORT, Variant.LONG}, Variant.LONG),
        (Variant.AUTO, 130, {Variant.NAME, Variant.SHORT}, Variant.SHORT),
        (Variant.AUTO, 65, {Variant.NAME}, Variant.NAME),
        (Variant.AUTO, 9999, {Variant.NAME, Variant.SHORT, Variant.LONG}, Variant.LONG),
        (Variant.SHORT, None, {Variant.SHORT}, Variant.SHORT),
        (Variant.NAME, 6, {Variant.NAME}, Variant.NAME),
    ],
)
def test_a_fill_holds_the_lengths_within_all_limits(
    asked: Variant, limit: int | None, held: set[Variant], shown: Variant
) -> None:
    request = SlotRequest(SLOTS[0].id, variant=asked, max_chars=limit)
    decision = decide(request, snapshot(campaign(BANK, flight("f")), advertisers=(BANK,)), {}, NOW, Random(1))
    assert isinstance(decision, Fill)
    assert {length for length in LENGTHS if decision.variants.get(length)} == held
    assert decision.shown is shown


def test_a_slot_limits_a_request_that_asks_for_more() -> None:
    small = replace(SLOTS[0], max_chars=100, variants=frozenset({Variant.NAME, Variant.LONG}))
    of = snapshot(campaign(BANK, flight("f")), advertisers=(BANK,), slots=(small,))
    decision = decide(SlotRequest(small.id, max_chars=200), of, {}, NOW, Random(1))
    assert isinstance(decision, Fill)
    assert decision.variants == Variants(NAME, None, None)


def test_the_same_chance_gives_the_same_decision() -> None:
    of = snapshot(campaign(BANK, flight("a"), flight("b"), flight("c")), advertisers=(BANK,))
    again = snapshot(campaign(BANK, flight("a"), flight("b"), flight("c")), advertisers=(BANK,))
    request = SlotRequest(SLOTS[0].id)
    for seed in range(20):
        first = decide(request, of, {}, NOW, Random(seed))
        assert decide(request, of, {}, NOW, Random(seed)) == first
        assert decide(request, again, {}, NOW, Random(seed)) == first


def test_one_sponsor_is_shown_once_in_a_call() -> None:
    of = snapshot(campaign(BANK, flight("a"), flight("b")), advertisers=(BANK,))
    assert {tuple(page(of, seed)) for seed in range(20)} == {
        ("a", "same_sponsor", "same_sponsor"),
        ("b", "same_sponsor", "same_sponsor"),
    }


def test_a_flight_that_may_repeat_fills_every_slot() -> None:
    assert page(snapshot(campaign(BANK, flight("a", repeat=True)), advertisers=(BANK,))) == ["a", "a", "a"]


def test_repeating_does_not_help_other_flights_of_the_sponsor() -> None:
    of = snapshot(campaign(BANK, flight("a", slots=(0, 2), repeat=True), flight("b", slots=(1,))), advertisers=(BANK,))
    assert page(of) == ["a", "same_sponsor", "a"]


def test_competitors_are_never_in_one_call() -> None:
    of = snapshot(
        campaign(BANK, flight("bank", slots=(0,))),
        campaign(RIVAL, flight("rival", slots=(1,))),
        campaign(SHOP, flight("shop", slots=(2,))),
        advertisers=(BANK, RIVAL, SHOP),
    )
    assert page(of) == ["bank", "competitor", "shop"]


def test_a_repeating_sponsor_is_no_competitor_of_itself() -> None:
    of = snapshot(
        campaign(BANK, flight("bank", repeat=True)),
        campaign(RIVAL, flight("rival", slots=(1, 2))),
        advertisers=(BANK, RIVAL),
    )
    assert {tuple(page(of, seed)) for seed in range(20)} == {("bank", "bank", "bank")}


def test_one_sponsorship_goes_before_any_number_of_others() -> None:
    of = snapshot(
        campaign(BANK, flight("bank", repeat=True)),
        campaign(RIVAL, flight("rival", slots=(1, 2), tier=Tier.SPONSORSHIP)),
        advertisers=(BANK, RIVAL),
    )
    assert page(of) == ["competitor", "rival", "same_sponsor"]


def test_a_sponsor_stands_where_it_leaves_most_to_others() -> None:
    of = snapshot(
        campaign(BANK, flight("bank", slots=(0, 1))),
        campaign(RIVAL, flight("rival", slots=(1, 2))),
        campaign(SHOP, flight("shop", slots=(0,), tier=Tier.HOUSE)),
        advertisers=(BANK, RIVAL, SHOP),
    )
    assert {tuple(page(of, seed)) for seed in range(40)} == {
        ("bank", "competitor", "competitor"),
        ("shop", "bank", "competitor"),
        ("shop", "rival", "same_sponsor"),
    } - {("bank", "competitor", "competitor")}


def test_of_pages_alike_the_one_that_fills_earlier_slots_is_shown() -> None:
    of = snapshot(campaign(BANK, flight("bank", slots=(1, 2))), advertisers=(BANK,))
    assert {tuple(page(of, seed)) for seed in range(20)} == {("slot", "bank", "same_sponsor")}


def test_a_takeover_has_all_of_its_slots() -> None:
    taker = replace(flight("taker", slots=(0, 2)), takeover=True)
    of = snapshot(campaign(BANK, taker), campaign(SHOP, flight("shop", tier=Tier.HOUSE)), advertisers=(BANK, SHOP))
    assert page(of) == ["taker", "shop", "taker"]


def test_a_takeover_has_none_where_one_of_its_slots_is_not_to_be_had() -> None:
    taker = replace(flight("taker", slots=(0, 2)), takeover=True)
    blocked = replace(SLOTS[2], max_chars=5)
    of = snapshot(campaign(BANK, taker), advertisers=(BANK,), slots=(*SLOTS[:2], blocked))
    assert page(of) == ["takeover", "slot", "variant"]


def test_a_takeover_has_none_where_not_all_of_its_slots_are_asked_for() -> None:
    taker = replace(flight("taker", slots=(0, 2)), takeover=True)
    of = snapshot(campaign(BANK, taker), advertisers=(BANK,))
    requests = [SlotRequest(SLOTS[0].id), SlotRequest(SLOTS[1].id)]
    assert winners(decide_page(requests, of, {}, NOW, Random(1))) == ["takeover", "slot"]
    assert winners((decide(requests[0], of, {}, NOW, Random(1)),)) == ["takeover"]


def test_a_takeover_gives_way_to_a_better_tier_in_one_of_its_slots() -> None:
    taker = replace(flight("taker", slots=(0, 1, 2)), takeover=True)
    of = snapshot(
        campaign(BANK, taker),
        campaign(SHOP, flight("shop", slots=(1,), tier=Tier.SPONSORSHIP)),
        advertisers=(BANK, SHOP),
    )
    assert page(of) == ["takeover", "shop", "takeover"]


def test_two_takeovers_share_their_slots_by_turns_of_the_draw() -> None:
    takers = [replace(flight(name), takeover=True) for name in ("one", "two")]
    of = snapshot(campaign(BANK, takers[0]), campaign(SHOP, takers[1]), advertisers=(BANK, SHOP))
    assert {tuple(page(of, seed)) for seed in range(40)} == {("one",) * 3, ("two",) * 3}


def test_a_slot_without_fill_leaves_the_page_as_it_was() -> None:
    of = snapshot(campaign(BANK, flight("bank", slots=(1,))), advertisers=(BANK,))
    assert page(of) == ["slot", "bank", "slot"]


def test_calls_know_nothing_of_each_other() -> None:
    of = snapshot(campaign(BANK, flight("bank", slots=(0,))), advertisers=(BANK,))
    assert [page(of), page(of)] == [["bank", "slot", "slot"]] * 2


def test_a_call_for_nothing_is_answered_with_nothing() -> None:
    assert decide_page([], snapshot(advertisers=()), {}, NOW, Random(1)) == ()


def test_an_unknown_slot_in_a_call_does_not_harm_the_others() -> None:
    of = snapshot(campaign(BANK, flight("bank")), advertisers=(BANK,))
    requests = [SlotRequest(SlotId("nowhere")), SlotRequest(SLOTS[0].id)]
    decisions = decide_page(requests, of, {}, NOW, Random(1))
    assert decisions[0] == NoFill(requests[0], NoFillReason.UNKNOWN_SLOT)
    assert winners(decisions) == ["unknown_slot", "bank"]


def test_an_overbooked_share_that_is_passed_on_comes_to_what_was_sold() -> None:
    def sponsorship(name: str, share: int, *slots: int) -> Flight:
        return replace(flight(name, slots=slots, tier=Tier.SPONSORSHIP), share=share)

    of = snapshot(
        campaign(BANK, sponsorship("first", 100, 0), sponsorship("second", 100, 1)),
        campaign(SHOP, sponsorship("half", 50, 1)),
        campaign(advertiser("other"), flight("rest", slots=(1,))),
        advertisers=(BANK, SHOP, advertiser("other")),
    )
    pages = [page(of, seed)[:2] for seed in range(2_000)]
    assert {first for first, _ in pages} == {"first"}
    assert 900 < sum(second == "half" for _, second in pages) < 1_100
    assert {second for _, second in pages} == {"half", "rest"}
