"""Campaign sheets over the API: the same plan as the same words in YAML, faults with sheet, row and column."""

import json

import pytest
from bound_tokens import ACME, Tokens
from management_desk import YAML, desk
from sheets import csv_bytes, row, xlsx_bytes
from werkzeug.test import TestResponse

from adserver.web.bodies import CSV_TYPE, XLSX_TYPE

ROW = row(slots="masthead", share=50, tier="sponsorship")
AS_YAML = b"""
advertiser: {id: shop, name: The Shop}
campaigns:
  - id: shop-winter
    name: Winter
    starts: 2026-01-01
    ends: 2027-12-31
    timezone: America/Chicago
    creatives: [{id: boots, click_url: "https://shop.example/", variants: {name: The Shop}}]
    flights: [{id: shop-flight, slots: [masthead], tier: sponsorship, share: 50, creatives: [boots]}]
"""
SHEETS = [(CSV_TYPE, csv_bytes), (f"{CSV_TYPE}; charset=utf-8", csv_bytes), (XLSX_TYPE, xlsx_bytes)]


def errors(answer: TestResponse) -> list[dict[str, object]]:
    assert answer.status_code == 422, answer.data
    listed: list[dict[str, object]] = json.loads(answer.data)["errors"]
    return listed


@pytest.mark.parametrize(("content_type", "write"), SHEETS)
def test_has_the_plan_of_the_same_words_in_yaml(content_type: str, write: type) -> None:
    as_yaml = desk().post(AS_YAML, "?dry_run=true", YAML)
    as_sheet = desk().post(write(ROW), "?dry_run=true", content_type)
    assert as_sheet.status_code == 200
    assert as_sheet.data == as_yaml.data


def test_published_as_a_sheet_and_sent_again_as_yaml_changes_nothing() -> None:
    api = desk()
    assert api.post(xlsx_bytes(ROW), content_type=XLSX_TYPE).status_code == 200
    again = json.loads(api.post(AS_YAML, content_type=YAML).data)
    assert again["plan"] == {"add": [], "change": [], "remove": [], "effects": []}


@pytest.mark.parametrize(("content_type", "write"), SHEETS)
def test_a_fault_that_only_the_whole_tells_has_its_row_and_column(content_type: str, write: type) -> None:
    other = row("c", campaign_id="shop-summer", slots="masthead")
    rows = [row("a", slots="masthead"), row("b", slots="mast-head"), other]
    found = errors(desk().post(write(*rows), content_type=content_type))
    sheet = {"sheet": "Campaigns"} if content_type == XLSX_TYPE else {}
    assert [{**one, "message": ""} for one in found] == [
        {"path": "slots", "message": "", **sheet, "line": 3, "column": 12},
        {"path": "creative_id", "message": "", **sheet, "line": 4, "column": 7},
    ]
    assert found[1]["message"] == (
        "the creative id `boots` stands already at row 2 of upload; ids are unique in the whole catalog"
    )


def test_a_half_valid_one_is_refused_whole_with_every_fault() -> None:
    api = desk()
    other = row("c", advertiser_id="cafe", advertiser_name="Cafe", campaign_id="cafe-c", creative_id="cup", tier="x")
    found = errors(api.post(csv_bytes(row("a", weight=0), row("b"), other), content_type=CSV_TYPE))
    assert [(one["line"], one["path"]) for one in found] == [(2, "weight"), (4, "tier")]
    assert api.bench.live_campaigns() == ["spring"]


def test_an_id_of_another_campaign_is_409_with_its_row() -> None:
    answer = desk().post(csv_bytes(row("spring-flight")), content_type=CSV_TYPE)
    assert answer.status_code == 409
    [fault] = json.loads(answer.data)["errors"]
    assert (fault["path"], fault["line"], fault["column"]) == ("flight_id", 2, 10)


class TestWhatIsNotTaken:
    @pytest.mark.parametrize(
        ("data", "content_type"),
        [
            (xlsx_bytes(ROW), CSV_TYPE),
            (xlsx_bytes(ROW), YAML),
            (xlsx_bytes(ROW), "application/zip"),
            (xlsx_bytes(ROW), "application/vnd.ms-excel"),
            (csv_bytes(ROW), XLSX_TYPE),
            (b"\x1f\x8b rest", CSV_TYPE),
            (b"<svg/>", CSV_TYPE),
            (b"<svg/>", XLSX_TYPE),
        ],
    )
    def test_by_its_content_type_is_415(self, data: bytes, content_type: str) -> None:
        answer = desk().post(data, content_type=content_type)
        assert answer.status_code == 415
        assert "text/csv" in json.loads(answer.data)["detail"]

    @pytest.mark.parametrize("kind", ["slots", "rules"])
    def test_as_slots_or_rules_is_415(self, kind: str) -> None:
        sent = desk().client.put(
            f"/v1/{kind}", data=csv_bytes(ROW), content_type=CSV_TYPE, headers={"Authorization": "Bearer admin"}
        )
        assert sent.status_code == 415

    @pytest.mark.parametrize(
        ("data", "content_type"),
        [(b"PK\x03\x04 rest", XLSX_TYPE), ("a;b".encode("utf-16"), CSV_TYPE), (b"a\n\xff", CSV_TYPE)],
    )
    def test_because_it_cannot_be_read_is_400(self, data: bytes, content_type: str) -> None:
        answer = desk().post(data, content_type=content_type)
        assert (answer.status_code, answer.content_type) == (400, "application/problem+json")

    def test_because_it_is_too_large_is_413(self) -> None:
        answer = desk().post(b"PK\x03\x04" + bytes(10_000_000), content_type=XLSX_TYPE)
        assert answer.status_code == 413

    def test_of_another_advertiser_is_404_for_a_bound_token_and_says_in_which_row(self) -> None:
        answer = desk(Tokens()).post(csv_bytes(ROW), content_type=CSV_TYPE, headers=ACME)
        assert answer.status_code == 404
        [fault] = json.loads(answer.data)["errors"]
        assert (fault["path"], fault["line"], fault["column"]) == ("advertiser_id", 2, 1)
