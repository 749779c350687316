"""For a token that is bound to advertisers, nothing of others exists: no campaign, no number, no name."""

import json

import pytest
from bound_tokens import ACME, READER, Tokens
from catalog_bench import campaign, campaign_file, flight
from management_desk import Desk, desk, errors_of

from adserver.statistics.parsing import parse_query


@pytest.fixture
def one() -> Desk:
    """Return a desk with `spring` of qwiket and `autumn` of acme."""
    made = desk(Tokens())
    made.bench.publish_files(campaign_file(campaign("autumn"), advertiser="acme", name="Acme"))
    return made


def test_lists_only_its_own_campaigns(one: Desk) -> None:
    listed = json.loads(one.get("/v1/campaigns", ACME).data)["files"]
    assert [file["campaigns"][0]["id"] for file in listed] == ["autumn"]


def test_anothers_campaign_is_not_found_as_one_that_nobody_has(one: Desk) -> None:
    assert one.get("/v1/campaigns/autumn", ACME).status_code == 200
    anothers, nobodys = one.get("/v1/campaigns/spring", ACME), one.get("/v1/campaigns/winter", ACME)
    assert (anothers.status_code, anothers.data) == (404, nobodys.data)
    assert nobodys.status_code == 404


def test_uploads_of_its_own_advertiser_are_taken_under_its_name(one: Desk) -> None:
    answer = one.post(campaign_file(campaign("autumn", name="Leaves"), advertiser="acme", name="Acme"), headers=ACME)
    assert answer.status_code == 200
    assert json.loads(answer.data)["plan"]["change"] == [
        {"path": "campaigns.autumn.name", "from": "A campaign", "to": "Leaves"}
    ]
    assert one.bench.publisher.history()[0].author == "Ann of Acme"


@pytest.mark.parametrize("advertiser", ["qwiket", "nobody-yet"])
def test_uploads_about_another_advertiser_are_not_found_whether_there_is_one_or_not(one: Desk, advertiser: str) -> None:
    head = one.bench.store.head()
    answer = one.post(campaign_file(campaign("winter"), advertiser=advertiser), headers=ACME)
    assert answer.status_code == 404
    assert errors_of(answer) == [
        ("advertiser.id", "this token knows no such advertiser; it is bound to acme, acme-too")
    ]
    assert one.bench.store.head() == head


def test_one_foreign_file_among_its_own_refuses_all_of_them(one: Desk) -> None:
    files = [campaign_file(campaign("winter"), advertiser="acme", name="Acme"), campaign_file(campaign("summer"))]
    answer = one.post({"files": files}, headers=ACME)
    assert answer.status_code == 404
    assert [path for path, _ in errors_of(answer)] == ["files[1].advertiser.id"]
    assert one.bench.live_campaigns() == ["autumn", "spring"]


@pytest.mark.parametrize(
    "changed", [campaign("spring"), campaign("winter", flights=[flight("spring-flight")])], ids=["campaign", "flight"]
)
def test_an_id_that_another_holds_is_taken_by_nobody_in_particular(one: Desk, changed: dict[str, object]) -> None:
    answer = one.post(campaign_file(changed, advertiser="acme", name="Acme"), headers=ACME)
    assert answer.status_code == 409
    assert {message for _, message in errors_of(answer)} == {"this id is taken; choose another"}
    assert b"qwiket" not in answer.data
    assert b"spring" not in answer.data


def test_pruning_leaves_others_alone(one: Desk) -> None:
    new = campaign_file(campaign("winter"), advertiser="acme", name="Acme")
    answer = one.post(new, "?prune=true", headers=ACME)
    assert answer.status_code == 200
    assert json.loads(answer.data)["plan"] == {
        "add": ["campaigns.winter"],
        "change": [],
        "remove": ["campaigns.autumn"],
        "effects": [
            {"path": "campaigns.autumn.flights.autumn-flight", "effect": "stops at once"},
            {"path": "campaigns.winter.flights.winter-flight", "effect": "begins at once"},
        ],
    }
    assert one.bench.live_campaigns() == ["spring", "winter"]


def test_pruning_takes_no_id_that_another_holds(one: Desk) -> None:
    answer = one.post(campaign_file(campaign("spring"), advertiser="acme", name="Acme"), "?prune=true", headers=ACME)
    assert answer.status_code == 409
    assert one.bench.live_campaigns() == ["autumn", "spring"]


@pytest.mark.parametrize("path", ["/v1/revisions", "/v1/slots"])
def test_what_is_about_all_advertisers_is_forbidden(one: Desk, path: str) -> None:
    assert one.get(path, ACME).status_code == 403


def test_an_analyst_changes_nothing(one: Desk) -> None:
    own = campaign_file(campaign("autumn", name="Leaves"), advertiser="acme", name="Acme")
    assert one.post(own, headers=READER).status_code == 403


def test_a_query_is_about_its_own_advertisers_whatever_it_asks() -> None:
    asked = {"metrics": ["clicks"], "date_range": "day", "filters": [["is", "advertiser", ["qwiket"]]]}
    query = parse_query(asked).within({"b", "a"})
    assert query.filters[0] == parse_query(asked).filters[0]
    assert (query.filters[1].dimension, query.filters[1].values) == ("advertiser", ("a", "b"))  # type: ignore[union-attr]
