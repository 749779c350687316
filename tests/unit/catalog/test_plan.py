"""Plans: what would be added, changed and removed, by ids."""

from collections.abc import Callable

import pytest

from adserver.catalog.documents import Documents, JsonObject, JsonValue
from adserver.catalog.plan import Change, Plan, make_plan


def creative(**fields: JsonValue) -> JsonObject:
    return {"id": "elevate", "click_url": "https://qwiket.com/", "variants": {"name": "QWIKET"}, **fields}


def flight(id_: str = "minnesota", **fields: JsonValue) -> JsonObject:
    return {"id": id_, **fields}


def campaign(id_: str = "season", *flights: JsonObject, **fields: JsonValue) -> JsonObject:
    base: JsonObject = {"id": id_, "name": "Season", "starts": "2025-06-01", "timezone": "America/Chicago"}
    return {**base, "creatives": [creative()], "flights": list[JsonValue](flights), **fields}


def documents(
    *campaigns: JsonObject, advertiser: str = "qwiket", name: str = "a.yaml", **slots: JsonValue
) -> Documents:
    content: JsonObject = {"advertiser": {"id": advertiser, "name": "X"}, "campaigns": list[JsonValue](campaigns)}
    site: JsonObject = {"id": "one", "name": "ONE", "home": "https://one.example/", "timezone": "UTC"}
    slot: JsonObject = {"id": "masthead", "site": "one", **slots}
    return Documents({name: content}, {"sites": [site], "slots": [slot]})


def changes(old: JsonObject, new: JsonObject) -> tuple[Change, ...]:
    plan = make_plan(documents(campaign("season", old)), documents(campaign("season", new)))
    assert not plan.add
    assert not plan.remove
    return plan.change


def test_the_first_plan_adds_everything_once_by_its_whole() -> None:
    plan = make_plan(None, documents(campaign("season", flight())))
    assert plan == Plan(add=("sites.one", "slots.masthead", "advertisers.qwiket", "campaigns.season"))
    assert len(plan) == 4


def test_nothing_differs_from_itself() -> None:
    plan = make_plan(documents(campaign("season", flight())), documents(campaign("season", flight())))
    assert not plan
    assert len(plan) == 0
    assert plan.to_json() == {"add": [], "change": [], "remove": []}


def test_a_change_names_the_field_by_ids_with_both_values() -> None:
    assert changes(flight(weight=2), flight(weight=3)) == (Change("campaigns.season.flights.minnesota.weight", 2, 3),)


def test_a_plan_is_json_as_the_api_shows_it() -> None:
    old, new = documents(campaign("season", flight("a"))), documents(campaign("season", flight("b")), max_chars=90)
    assert make_plan(old, new).to_json() == {
        "add": ["campaigns.season.flights.b"],
        "change": [{"path": "slots.masthead.max_chars", "from": 1_000, "to": 90}],
        "remove": ["campaigns.season.flights.a"],
    }


def test_what_is_left_out_counts_as_its_default() -> None:
    written = flight(status="active", tier="standard", weight=1, goal=None, targeting={"places": []})
    assert not changes(flight(), written)
    assert changes(flight(), flight(weight=2)) == (Change("campaigns.season.flights.minnesota.weight", 1, 2),)


def test_what_appears_or_goes_is_a_change_from_or_to_null() -> None:
    path = "campaigns.season.flights.minnesota.goal.impressions"
    assert changes(flight(), flight(goal={"impressions": 5})) == (Change(path, None, 5),)
    assert changes(flight(goal={"impressions": 5}), flight()) == (Change(path, 5, None),)


def test_the_order_of_lists_does_not_count_but_their_items_do() -> None:
    path = "campaigns.season.flights.minnesota.slots"
    assert not changes(flight(slots=["a", "b"]), flight(slots=["b", "a"]))
    assert changes(flight(slots=["b", "a"]), flight(slots=["c", "a"])) == (Change(path, ["a", "b"], ["a", "c"]),)


def test_a_creative_of_weight_1_is_the_same_as_its_id_alone() -> None:
    assert not changes(flight(creatives=["elevate"]), flight(creatives=[{"id": "elevate", "weight": 1}]))
    assert changes(flight(creatives=["elevate"]), flight(creatives=[{"id": "elevate", "weight": 2}]))


def test_the_same_amount_of_money_is_no_change() -> None:
    assert not changes(
        flight(price={"cpm": "12.00", "currency": "USD"}), flight(price={"currency": "USD", "cpm": "12.00"})
    )


def test_a_campaign_that_moves_to_another_file_does_not_change() -> None:
    assert not make_plan(documents(campaign(), name="a.yaml"), documents(campaign(), name="b.yaml"))


def test_a_campaign_of_another_advertiser_changes_hands() -> None:
    plan = make_plan(documents(campaign()), documents(campaign(), advertiser="rival"))
    assert plan.add == ("advertisers.rival",)
    assert plan.remove == ("advertisers.qwiket",)
    assert plan.change == (Change("campaigns.season.advertiser", "qwiket", "rival"),)


@pytest.mark.parametrize(
    ("edit", "path"),
    [
        (lambda one: one | {"name": "Other"}, "campaigns.season.name"),
        (lambda one: one | {"ends": "2027-01-31"}, "campaigns.season.ends"),
        (lambda one: one | {"creatives": [creative(disclosure="x")]}, "campaigns.season.creatives.elevate.disclosure"),
        (
            lambda one: one | {"creatives": [creative(variants={"name": "Q"})]},
            "campaigns.season.creatives.elevate.variants.name",
        ),
        (
            lambda one: one | {"flights": [flight(targeting={"places": ["MN"]})]},
            "campaigns.season.flights.minnesota.targeting.places",
        ),
    ],
)
def test_every_field_of_a_campaign_is_compared(edit: Callable[[JsonObject], JsonObject], path: str) -> None:
    old = campaign("season", flight())
    plan = make_plan(documents(old), documents(edit(old)))
    assert [change.path for change in plan.change] == [path]


def test_a_removed_campaign_is_removed_once_by_its_whole() -> None:
    assert make_plan(documents(campaign("season", flight())), documents()).remove == ("campaigns.season",)
