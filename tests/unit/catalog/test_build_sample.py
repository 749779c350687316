"""The sample publisher in `campaigns/`: right, never blank, and its first masthead sold to QWIKET alone."""

from datetime import UTC, date, datetime
from random import Random

import pytest
from sample import copy_sample

from adserver.catalog.build import build_catalog
from adserver.catalog.documents import Documents
from adserver.catalog.folder import read_folder
from adserver.catalog.notices import list_notices
from adserver.decision.decide import decide
from adserver.decision.snapshot import Snapshot
from adserver.domain.catalog import Catalog, Flight, Tier
from adserver.domain.decisions import Fill, SlotRequest
from adserver.domain.ids import SlotId, Topic
from adserver.domain.places import Place
from adserver.domain.variants import Variant
from adserver.places.gazetteer import Gazetteer

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer.load()


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Documents:
    return read_folder(copy_sample(tmp_path_factory.mktemp("campaigns")))


@pytest.fixture(scope="module")
def catalog(documents: Documents, gazetteer: Gazetteer) -> Catalog:
    return build_catalog(documents, gazetteer)


def may_run(flight: Flight, slot: str, place: Place) -> bool:
    """Tell whether a flight's slots and places let it run there, in the plainest way."""
    here = set(place.chain)
    targeted = not flight.targeting.places or flight.targeting.places & here
    return (
        (flight.slots is None or slot in flight.slots) and bool(targeted) and not flight.targeting.exclude_places & here
    )


def test_nothing_in_it_is_worth_a_word(documents: Documents) -> None:
    assert list_notices(documents, date(2026, 11, 24)) == ()


@pytest.mark.parametrize(
    ("town", "runs"), [("Dubuque, IA", True), ("Iowa", True), ("Remer, MN", False), ("Fargo, ND", False), (None, False)]
)
def test_the_betting_operator_runs_in_iowa_and_not_in_minnesota(
    catalog: Catalog, gazetteer: Gazetteer, town: str | None, runs: bool
) -> None:
    snapshot = Snapshot.build(catalog, 1)
    place = gazetteer.find(town) if town else None
    request = SlotRequest(SlotId("article-middle"), place, (Topic("sports"),))
    decisions = [decide(request, snapshot, {}, NOW, Random(seed)) for seed in range(40)]
    fills = [one for one in decisions if isinstance(one, Fill)]
    assert len(fills) == len(decisions)
    shown = {one.disclosure for one in fills if one.advertiser.id == "three-rivers-sportsbook"}
    lines = "Operated by Three Rivers Gaming, Dubuque.\n21+. Gambling problem? Call 1-800-BETS-OFF."
    assert shown == ({lines} if runs else set())


def test_qwiket_alone_sponsors_the_masthead_at_remer(catalog: Catalog, gazetteer: Gazetteer) -> None:
    remer = gazetteer.find("Remer, MN")
    runs = [flight for one in catalog.campaigns for flight in one.flights if may_run(flight, "masthead", remer)]
    (flight,) = runs
    assert (flight.id, flight.tier, flight.share, flight.repeat) == ("qwiket-remer", Tier.SPONSORSHIP, 100, True)
    assert not flight.targeting.topics


def test_qwiket_says_its_own_words(catalog: Catalog) -> None:
    (qwiket,) = (one for one in catalog.campaigns if one.advertiser == "qwiket")
    (creative,) = qwiket.creatives
    short = "QWIKET: Elevate your fantasy game! Interactive Sports Knowledge."
    rest = " and Reasoning Support for Fantasy Sports and Betting Enthusiasts."
    texts = [
        text.value if (text := creative.variants.get(length)) else None
        for length in (Variant.NAME, Variant.SHORT, Variant.LONG)
    ]
    assert texts == ["QWIKET", short, short.removesuffix(".") + rest]


def test_the_masthead_takes_all_three_lengths_of_140_characters(catalog: Catalog) -> None:
    (masthead,) = (slot for slot in catalog.slots if slot.id == "masthead")
    assert masthead.max_chars == 140
    assert masthead.variants == {Variant.NAME, Variant.SHORT, Variant.LONG}


def test_nothing_ends_so_that_the_demo_never_goes_blank(catalog: Catalog) -> None:
    assert all(one.ends is None and all(flight.ends is None for flight in one.flights) for one in catalog.campaigns)


def test_six_sponsors_and_the_house_run_in_several_states(catalog: Catalog) -> None:
    house = [one for one in catalog.campaigns if all(flight.tier is Tier.HOUSE for flight in one.flights)]
    assert len(house) == 1
    assert len(catalog.advertisers) >= 7
    places = {place for one in catalog.campaigns for flight in one.flights for place in flight.targeting.places}
    assert len({place.split("-")[1] for place in places}) >= 5


def test_every_creative_has_all_three_lengths_and_each_fits_a_slot(catalog: Catalog) -> None:
    for one in catalog.campaigns:
        for creative in one.creatives:
            assert None not in (creative.variants.name, creative.variants.short, creative.variants.long)
            assert creative.variants.within(140) == creative.variants


def test_every_slot_has_a_house_line_somewhere(catalog: Catalog) -> None:
    house = {
        slot
        for one in catalog.campaigns
        for flight in one.flights
        if flight.tier is Tier.HOUSE
        for slot in flight.slots or ()
    }
    assert house == {slot.id for slot in catalog.slots}
