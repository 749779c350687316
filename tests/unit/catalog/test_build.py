"""What only the whole can tell: ids, references, dates; and that every fault of it is listed."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

import pytest

from adserver.catalog import unique
from adserver.catalog.build import build_catalog
from adserver.catalog.documents import Documents, JsonObject, JsonValue
from adserver.domain.catalog import (
    Cap,
    CapPeriod,
    CapScope,
    CreativeWeight,
    Goal,
    Pacing,
    Price,
    Status,
    Targeting,
    Tier,
)
from adserver.domain.errors import InputRefused
from adserver.domain.ids import AdvertiserId, CreativeId, IdHash, Kind, PlaceId, SlotId, Topic
from adserver.domain.places import Place, PlaceLevel
from adserver.domain.rules import CategoryRule, StateRule
from adserver.domain.variants import Variant
from adserver.places.errors import PlaceAmbiguous, PlaceNotFound


class FewPlaces:
    """Knows Remer and Minnesota, and two Springfields."""

    def find(self, text: str) -> Place:
        if text == "Springfield":
            raise PlaceAmbiguous(text, ("Springfield, IL", "Springfield, MA"))
        ids = {"Remer, MN": "us-mn-remer", "MN": "us-mn"}
        if text not in ids:
            raise PlaceNotFound(text, ("Remer, MN",))
        return Place(PlaceId(ids[text]), text, PlaceLevel.TOWN, (PlaceId(ids[text]),), 0.0, 0.0)


SITE: Final[JsonObject] = {"id": "one", "name": "ONE", "home": "https://one.example/", "timezone": "America/Chicago"}
SLOTS: Final[JsonObject] = {
    "sites": [SITE],
    "slots": [{"id": "masthead", "site": "one", "max_chars": 140}, {"id": "footer", "site": "one"}],
}


def creative(id_: str = "elevate", **fields: JsonValue) -> JsonObject:
    return {"id": id_, "click_url": "https://qwiket.com/", "variants": {"name": "QWIKET"}, **fields}


def campaign(id_: str = "season", **fields: JsonValue) -> JsonObject:
    base: JsonObject = {"id": id_, "name": "Season", "starts": "2025-06-01", "timezone": "America/Chicago"}
    return {**base, "creatives": [creative(f"{id_}-creative")], "flights": [{"id": f"{id_}-flight"}], **fields}


def campaign_file(*campaigns: JsonObject, **advertiser: JsonValue) -> JsonObject:
    return {"advertiser": {"id": "qwiket", "name": "QWIKET", **advertiser}, "campaigns": list[JsonValue](campaigns)}


def documents(*files: JsonObject, slots: JsonObject | None = SLOTS, rules: JsonObject | None = None) -> Documents:
    return Documents({f"{index}.yaml": file for index, file in enumerate(files)}, slots, rules)


def faults_of(given: Documents) -> Mapping[str, str]:
    with pytest.raises(InputRefused) as caught:
        build_catalog(given, FewPlaces())
    return {f"{fault.file}: {fault.path}": fault.message for fault in caught.value.faults}


def faults_of_flight(campaign_fields: JsonObject | None = None, **fields: JsonValue) -> Mapping[str, str]:
    flights: JsonValue = [{"id": "f", **fields}]
    faults = faults_of(documents(campaign_file({**campaign(flights=flights), **(campaign_fields or {})})))
    return {path.removeprefix("0.yaml: campaigns[0].flights[0]").lstrip("."): text for path, text in faults.items()}


def test_a_whole_campaign_is_built() -> None:
    fields: JsonObject = {
        "ends": "2027-01-31",
        "status": "paused",
        "creatives": [
            creative("a", utm={"source": "one", "medium": "sponsor"}, disclosure="Paid for by …"),
            creative("b", variants={"name": "B", "short": "Be", "long": None}),
        ],
        "flights": [
            {
                "id": "f",
                "slots": ["masthead"],
                "status": "paused",
                "tier": "sponsorship",
                "share": 50,
                "goal": {"impressions": 5},
                "price": {"cpm": "12.00", "currency": "USD"},
                "starts": "2025-07-01",
                "ends": "2026-01-31",
                "repeat": True,
                "takeover": False,
                "targeting": {
                    "places": ["MN"],
                    "exclude_places": ["Remer, MN"],
                    "topics": ["sports"],
                    "exclude_topics": ["obituaries"],
                },
                "creatives": ["a", {"id": "b", "weight": 2}],
            }
        ],
    }
    catalog = build_catalog(documents(campaign_file({**campaign(), **fields}, categories=["betting"])), FewPlaces())
    (advertiser,), (built,) = catalog.advertisers, catalog.campaigns
    assert (advertiser.id, advertiser.name, advertiser.categories) == (
        AdvertiserId("qwiket"),
        "QWIKET",
        frozenset({"betting"}),
    )
    assert (built.advertiser, built.timezone, built.status) == ("qwiket", "America/Chicago", Status.PAUSED)
    assert (built.starts, built.ends) == (date(2025, 6, 1), date(2027, 1, 31))
    assert built.creatives[0].utm == (("source", "one"), ("medium", "sponsor"))
    assert built.creatives[0].disclosure == "Paid for by …"
    assert [built.creatives[1].variants.get(length) is None for length in (Variant.SHORT, Variant.LONG)] == [
        False,
        True,
    ]
    (flight,) = built.flights
    assert flight.creatives == (CreativeWeight(CreativeId("a"), 1), CreativeWeight(CreativeId("b"), 2))
    assert (flight.slots, flight.status) == (frozenset({SlotId("masthead")}), Status.PAUSED)
    assert (flight.tier, flight.share) == (Tier.SPONSORSHIP, 50)
    assert flight.price == Price("USD", cpm=Decimal("12.00"))
    assert (flight.starts, flight.ends, flight.repeat) == (date(2025, 7, 1), date(2026, 1, 31), True)
    assert flight.targeting == Targeting(
        frozenset({PlaceId("us-mn")}),
        frozenset({PlaceId("us-mn-remer")}),
        frozenset({Topic("sports")}),
        frozenset({Topic("obituaries")}),
    )


def test_what_is_left_out_has_its_default() -> None:
    catalog = build_catalog(documents(campaign_file(campaign())), FewPlaces())
    (flight,) = catalog.campaigns[0].flights
    assert flight.creatives == (CreativeWeight(CreativeId("season-creative")),)
    assert flight.slots is None
    assert (flight.status, flight.tier, flight.weight, flight.goal) == (Status.ACTIVE, Tier.STANDARD, 1, None)
    assert catalog.campaigns[0].ends is None
    masthead, footer = catalog.slots
    assert (masthead.id, masthead.site, masthead.max_chars, footer.max_chars) == ("masthead", "one", 140, 1_000)
    assert footer.variants == {Variant.NAME, Variant.SHORT, Variant.LONG}
    assert footer.allow_disclosure
    (site,) = catalog.sites
    assert (site.label, site.lang, site.origins) == ("Sponsor", "en", ())


def test_a_goal_is_spread_evenly_until_its_flight_ends_and_serves_at_once_where_it_has_no_end() -> None:
    flights: JsonValue = [
        {"id": "f", "goal": {"impressions": 5}},
        {"id": "g", "goal": {"impressions": 6}, "ends": "2027-01-01"},
        {"id": "h", "goal": {"impressions": 7, "pacing": "asap"}, "ends": "2027-01-01"},
        {"id": "i", "goal": {"impressions": 8, "pacing": "frontloaded"}, "ends": "2027-01-01"},
    ]
    catalog = build_catalog(documents(campaign_file(campaign(flights=flights))), FewPlaces())
    goals = [flight.goal for flight in catalog.campaigns[0].flights]
    assert goals == [
        Goal(5, Pacing.ASAP),
        Goal(6, Pacing.EVEN),
        Goal(7, Pacing.ASAP),
        Goal(8, Pacing.FRONTLOADED),
    ]


@pytest.mark.parametrize("pacing", ["even", "frontloaded"])
def test_without_an_end_there_is_nothing_to_spread_a_goal_over(pacing: str) -> None:
    flights: JsonValue = [{"id": "f", "goal": {"impressions": 5, "pacing": pacing}}]
    faults = faults_of(documents(campaign_file(campaign(flights=flights))))
    assert faults == {
        "0.yaml: campaigns[0].flights[0].goal.pacing": (
            f"`{pacing}` spreads a goal until the flight ends; give it `ends`, or write asap"
        )
    }


def test_caps_are_taken_as_written() -> None:
    caps: JsonValue = [{"impressions": 900, "per": "day", "scope": "flight"}]
    catalog = build_catalog(documents(campaign_file(campaign(flights=[{"id": "f", "caps": caps}]))), FewPlaces())
    assert catalog.campaigns[0].flights[0].caps == (Cap(900, CapPeriod.DAY, CapScope.FLIGHT),)


def test_no_campaigns_are_a_catalog_too() -> None:
    assert not build_catalog(documents(), FewPlaces()).campaigns


def test_without_slots_nothing_is_published_and_no_slot_is_called_unknown() -> None:
    flights: JsonValue = [{"id": "f", "slots": ["masthead"]}]
    faults = faults_of(documents(campaign_file(campaign(flights=flights)), slots=None))
    assert faults == {"slots.yaml: ": "is missing; without slots nothing can be published"}


def test_rules_are_part_of_the_catalog() -> None:
    assert build_catalog(documents(), FewPlaces()).rules == ()
    own: JsonObject = {"IA": {"allow": True, "disclosure": "21+"}, "MN": {"allow": False}}
    rule: JsonObject = {"category": "betting", "as_of": "2026-11-01", "source": "x"}
    rules: JsonValue = [{**rule, "states": own}, {**rule, "category": "alcohol", "default": "allow"}]
    states = (StateRule(PlaceId("us-ia"), True, "21+"), StateRule(PlaceId("us-mn"), False))
    assert build_catalog(documents(rules={"rules": rules}), FewPlaces()).rules == (
        CategoryRule("betting", date(2026, 11, 1), "x", False, states),
        CategoryRule("alcohol", date(2026, 11, 1), "x", True),
    )


def test_a_category_has_one_rule() -> None:
    rule: JsonObject = {"category": "betting", "as_of": "2026-11-01", "source": "x"}
    assert faults_of(documents(rules={"rules": [rule, rule]})) == {
        "rules.yaml: rules[1].category": "`betting` has a rule already at rules[0]; keep one of them"
    }


@pytest.mark.parametrize(
    ("kind", "first", "again", "path"),
    [
        ("campaign", campaign("a"), campaign("a", creatives=[creative("x")], flights=[]), ""),
        (
            "creative",
            campaign("a", creatives=[creative("x")]),
            campaign("b", creatives=[creative("x")]),
            "creatives[0].",
        ),
        ("flight", campaign("a", flights=[{"id": "x"}]), campaign("b", flights=[{"id": "x"}]), "flights[0]."),
    ],
)
def test_an_id_twice_is_a_fault_within_a_file_and_across_files(
    kind: str, first: JsonObject, again: JsonObject, path: str
) -> None:
    within = faults_of(documents(campaign_file(first, again)))
    across = faults_of(documents(campaign_file(first), campaign_file(again)))
    assert list(within) == [f"0.yaml: campaigns[1].{path}id"]
    assert list(across) == [f"1.yaml: campaigns[0].{path}id"]
    assert f"the {kind} id" in next(iter(across.values()))
    assert f"stands already at campaigns[0].{path}id of 0.yaml" in next(iter(across.values()))


def test_an_id_may_stand_for_things_of_different_kinds() -> None:
    same = campaign("x", creatives=[creative("x")], flights=[{"id": "x"}])
    assert build_catalog(documents(campaign_file(same, id="x")), FewPlaces()).campaigns


def test_sites_and_slots_stand_once_and_a_slot_has_a_site() -> None:
    slot: JsonObject = {"id": "masthead", "site": "two"}
    faults = faults_of(documents(slots={"sites": [SITE, SITE], "slots": [slot, slot]}))
    assert list(faults) == [
        "slots.yaml: sites[1].id",
        "slots.yaml: slots[0].site",
        "slots.yaml: slots[1].id",
        "slots.yaml: slots[1].site",
    ]
    assert faults["slots.yaml: slots[0].site"] == "there is no site `two`; there are one"


def colliding(kind: Kind, id_: str) -> IdHash:
    """Hash every id of a kind alike."""
    return IdHash(bytes(kind.size_bytes))


@pytest.mark.parametrize(
    ("given", "paths"),
    [
        (documents(), ["slots.yaml: slots[1].id"]),
        (
            documents(
                campaign_file(
                    campaign(
                        creatives=[creative("a"), creative("b")],
                        flights=[
                            {"id": "c"},
                            {"id": "d", "targeting": {"topics": ["e"], "exclude_topics": ["f", "e"]}},
                        ],
                    )
                ),
                slots={"sites": [SITE], "slots": []},
            ),
            [
                "0.yaml: campaigns[0].creatives[1].id",
                "0.yaml: campaigns[0].flights[1].id",
                "0.yaml: campaigns[0].flights[1].targeting.exclude_topics[0]",
            ],
        ),
    ],
)
def test_two_ids_of_a_kind_with_the_same_hash_are_refused(
    monkeypatch: pytest.MonkeyPatch, given: Documents, paths: list[str]
) -> None:
    monkeypatch.setattr(unique, "id_hash", colliding)
    assert list(faults_of(given)) == paths


def test_an_unknown_slot_is_refused_and_the_known_ones_named() -> None:
    faults = faults_of_flight(slots=["masthead", "mastfoot"])
    assert faults == {"slots[1]": "there is no slot `mastfoot`; there are footer, masthead"}


def test_an_unknown_creative_is_refused_even_where_another_campaign_has_it() -> None:
    flights: JsonValue = [{"id": "f", "creatives": ["season-creative", {"id": "other-creative"}]}]
    faults = faults_of(documents(campaign_file(campaign("other"), campaign(flights=flights))))
    assert faults == {
        "0.yaml: campaigns[1].flights[0].creatives[1]": (
            "the campaign has no creative `other-creative`; there are season-creative"
        )
    }


def test_a_creative_named_twice_in_a_flight_is_refused() -> None:
    creatives: JsonValue = ["season-creative", {"id": "season-creative", "weight": 2}]
    assert list(faults_of_flight(creatives=creatives)) == ["creatives[1]"]


def test_a_flight_needs_a_creative() -> None:
    assert "has no creative" in faults_of_flight({"creatives": []})[""]


def test_a_place_that_is_not_found_or_ambiguous_is_a_fault_in_the_gazetteers_words() -> None:
    faults = faults_of_flight(targeting={"places": ["MN", "Reamer, MN"], "exclude_places": ["Springfield"]})
    assert faults == {
        "targeting.places[1]": "there is no place 'Reamer, MN'; did you mean 'Remer, MN'?",
        "targeting.exclude_places[0]": (
            "'Springfield' may be 'Springfield, IL' or 'Springfield, MA'; write one of these"
        ),
    }


def test_a_campaign_does_not_end_before_it_starts() -> None:
    faults = faults_of(documents(campaign_file(campaign(ends="2025-05-31", flights=[]))))
    assert faults == {"0.yaml: campaigns[0].ends": "must not be before the start, 2025-06-01"}


def test_a_campaign_of_one_day_is_right() -> None:
    assert build_catalog(documents(campaign_file(campaign(ends="2025-06-01"))), FewPlaces()).campaigns


@pytest.mark.parametrize(
    ("days", "fields"),
    [
        ({"starts": "2025-05-31"}, ["starts"]),
        ({"ends": "2026-07-01"}, ["ends"]),
        ({"starts": "2026-07-01"}, ["starts"]),
        ({"ends": "2025-05-31"}, ["ends"]),
        ({"starts": "2025-08-02", "ends": "2025-08-01"}, ["ends"]),
        ({"starts": "2025-05-01", "ends": "2026-08-01"}, ["starts", "ends"]),
    ],
)
def test_a_flight_runs_within_its_campaign(days: JsonObject, fields: list[str]) -> None:
    assert list(faults_of_flight({"ends": "2026-06-30"}, **days)) == fields


@pytest.mark.parametrize(
    "days", [{"starts": "2025-06-01", "ends": "2026-06-30"}, {"starts": "2026-06-30"}, {"ends": "2025-06-01"}]
)
def test_a_flight_may_run_to_the_edges_of_its_campaign(days: JsonObject) -> None:
    flights: JsonValue = [{"id": "f", **days}]
    assert build_catalog(documents(campaign_file(campaign(ends="2026-06-30", flights=flights))), FewPlaces()).campaigns


def test_a_flight_may_end_where_its_campaign_is_open() -> None:
    flights: JsonValue = [{"id": "f", "ends": "2031-01-01"}]
    assert build_catalog(documents(campaign_file(campaign(flights=flights))), FewPlaces()).campaigns


def test_an_advertiser_in_several_files_is_one_if_the_words_are_the_same() -> None:
    catalog = build_catalog(documents(campaign_file(campaign("a")), campaign_file(campaign("b"))), FewPlaces())
    assert [advertiser.id for advertiser in catalog.advertisers] == [AdvertiserId("qwiket")]
    assert [one.id for one in catalog.campaigns] == ["a", "b"]


def test_an_advertiser_with_other_words_in_another_file_is_a_fault_by_field() -> None:
    given = documents(campaign_file(), campaign_file(name="Qwiket", categories=["betting"]))
    assert faults_of(given) == {
        "1.yaml: advertiser.name": "the advertiser `qwiket` has another name in 0.yaml",
        "1.yaml: advertiser.categories": "the advertiser `qwiket` has another categories in 0.yaml",
    }


def test_all_faults_of_all_files_are_listed_at_once() -> None:
    bad = campaign(ends="2020-01-01", flights=[{"id": "f", "slots": ["x"], "targeting": {"places": ["y"]}}])
    faults = faults_of(documents(campaign_file(bad), campaign_file(bad, name="Other")))
    assert {path.split(": ")[0] for path in faults} == {"0.yaml", "1.yaml"}
    assert len(faults) == 10


def test_documents_of_another_version_are_refused_not_half_read() -> None:
    faults = faults_of(documents(campaign_file(campaign(flights=[{"id": "f", "wares": []}]))))
    assert "another version" in faults["0.yaml: "]


def test_the_slots_of_a_flight_are_those_it_names() -> None:
    flights: JsonValue = [{"id": "f", "slots": ["footer", "masthead"]}]
    catalog = build_catalog(documents(campaign_file(campaign(flights=flights))), FewPlaces())
    assert catalog.campaigns[0].flights[0].slots == frozenset({SlotId("footer"), SlotId("masthead")})
