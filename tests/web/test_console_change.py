"""A campaign's form: it loses nothing, changes what was changed, and shows each fault at its input."""

import re
from pathlib import Path
from typing import Any

import pytest
from change_stand import ChangeStand, Visitor, form_of, text_of
from sample import CAMPAIGN_FILES
from werkzeug.test import TestResponse

from adserver.access.tokens import Role
from adserver.catalog.documents import objects
from adserver.catalog.upload import Format, read_campaigns
from adserver.web.console.campaign_form import read_form, view_of

NEW = "/console/campaigns/new"
QWIKET = "/console/campaigns/qwiket-season/edit"
EVERYTHING = Path(__file__).resolve().parents[2] / "docs/campaigns.md"


@pytest.fixture
def stand(tmp_path: Path) -> ChangeStand:
    return ChangeStand(tmp_path)


def send(visitor: Visitor, path: str, page: TestResponse, do: str = "check", **changes: str) -> TestResponse:
    return visitor.post(path, {**form_of(page, path), **changes, "do": do})


def changed(visitor: Visitor, path: str, page: TestResponse, inputs: dict[str, Any], do: str = "check") -> TestResponse:
    return visitor.post(path, {**form_of(page, path), **inputs, "do": do})


class TestRoundTrip:
    @pytest.mark.parametrize("file", CAMPAIGN_FILES)
    def test_each_campaign_of_the_sample_comes_back_unchanged(self, stand: ChangeStand, file: str) -> None:
        visitor = stand.visitor()
        content = stand.publisher.live().documents.campaign_files[file]
        for campaign in objects(content, "campaigns"):
            path = f"/console/campaigns/{campaign['id']}/edit"
            page = send(visitor, path, visitor.get(path))
            assert page.status_code == 200, text_of(page)
            assert "Nothing would change" in text_of(page)

    def test_a_campaign_with_everything_that_a_file_may_hold_comes_back_word_for_word(self) -> None:
        [text] = re.findall(r"^```yaml campaigns/\S+\n(.*?)^```", EVERYTHING.read_text(), re.MULTILINE | re.DOTALL)[:1]
        file = read_campaigns(text.encode(), Format.YAML).campaign_files["upload"]
        view = view_of(file)
        inputs = {name: list(values) for name, values in view.values.items()}
        for kind, count in (("creatives", view.creatives), ("flights", view.flights)):
            inputs.update({f"{kind}[{index}].was": [str(index)] for index in range(count)})
        assert read_form(file, tuple(inputs), lambda name: inputs.get(name, ())) == file

    def test_what_the_form_does_not_know_stays(self) -> None:
        file: Any = {
            "advertiser": {"id": "a", "name": "A", "later": 1},
            "campaigns": [
                {"id": "c", "later": [1], "creatives": [{"id": "x", "later": {}}], "flights": [{"later": None}]}
            ],
        }
        inputs = {"name": ["C"], "creatives[0].was": ["0"], "flights[0].was": ["0"], "flights[0].id": ["f"]}
        made: Any = read_form(file, tuple(inputs), lambda name: inputs.get(name, ()))
        assert made["advertiser"] == file["advertiser"]
        assert made["campaigns"] == [
            {
                "id": "c",
                "later": [1],
                "name": "C",
                "creatives": [{"id": "x", "later": {}}],
                "flights": [{"later": None, "id": "f"}],
            }
        ]


class TestChanging:
    def test_what_was_changed_and_nothing_else_stands_in_the_plan_and_is_published(self, stand: ChangeStand) -> None:
        visitor = stand.visitor()
        inputs = {
            "flights[0].share": "40",
            "flights[1].goal.impressions": "50,000",
            "flights[1].targeting.places": "MN\r\n60 miles around Fargo, ND",
            "flights[1].caps.impressions": ["3", ""],
            "flights[1].caps.per": ["visit reader", "visit reader"],
            "flights[1].targeting.hours.from": "06:00",
        }
        page = changed(visitor, QWIKET, visitor.get(QWIKET), inputs)
        read = text_of(page)
        for line in (
            "share 100 40",
            "goal \u203a impressions left out 50000",
            "hours \u203a from left out 06:00",
            "7 changed",
        ):
            assert line in read
        assert "MN, 60 miles around Fargo, ND" in read
        assert "caps left out 3 a visit for each reader" in read
        assert "days left out mon, tue, wed, thu, fri, sat, sun" in read
        assert send(visitor, QWIKET, page, "publish", message="More").status_code == 303
        flights: Any = stand.campaign("qwiket-season")["flights"]
        assert flights[0]["share"] == 40
        assert flights[1]["goal"] == {"impressions": 50_000}
        assert flights[1]["targeting"]["places"] == ["MN", {"near": "Fargo, ND", "miles": 60}]
        assert flights[1]["targeting"]["topics"] == ["sports", "fantasy-sports"]
        assert flights[1]["caps"] == [{"impressions": 3, "per": "visit", "scope": "reader"}]

    def test_what_was_emptied_is_left_out(self, stand: ChangeStand) -> None:
        visitor = stand.visitor()
        inputs = {"flights[1].targeting.topics": "", "flights[1].price.amount": "", "flights[1].slots": []}
        page = changed(visitor, QWIKET, visitor.get(QWIKET), inputs)
        assert send(visitor, QWIKET, page, "publish").status_code == 303
        flight: Any = stand.campaign("qwiket-season")["flights"][1]  # type: ignore[index]
        assert set(flight) & {"targeting", "price", "slots"} == set()

    def test_another_tier_takes_its_share_or_weight_along(self, stand: ChangeStand) -> None:
        visitor = stand.visitor()
        page = changed(visitor, QWIKET, visitor.get(QWIKET), {"flights[0].tier": "standard"})
        assert page.status_code == 200
        assert "share 100 left out" in text_of(page) or "tier sponsorship standard" in text_of(page)

    def test_rows_come_and_go_without_a_script_and_what_was_typed_stays(self, stand: ChangeStand) -> None:
        visitor = stand.visitor()
        page = changed(visitor, QWIKET, visitor.get(QWIKET), {"name": "Typed"}, "add creatives")
        assert page.status_code == 200
        fields = form_of(page, QWIKET)
        assert fields["name"] == ["Typed"]
        assert fields["creatives[1].id"] == [""]
        page = changed(visitor, QWIKET, page, {"creatives[1].id": "second"}, "remove creatives 0")
        fields = form_of(page, QWIKET)
        assert fields["creatives[0].id"] == ["second"]
        assert "creatives[1].id" not in fields
        assert stand.revision == 1

    def test_the_way_back_from_the_plan_leads_to_what_was_typed(self, stand: ChangeStand) -> None:
        visitor = stand.visitor()
        plan = changed(visitor, QWIKET, visitor.get(QWIKET), {"flights[0].share": "40"})
        page = send(visitor, QWIKET, plan, "back")
        assert form_of(page, QWIKET)["flights[0].share"] == ["40"]

    def test_who_comes_second_sees_the_new_plan(self, stand: ChangeStand) -> None:
        visitor = stand.visitor()
        first = changed(visitor, QWIKET, visitor.get(QWIKET), {"flights[0].share": "40"})
        second = changed(visitor, QWIKET, visitor.get(QWIKET), {"flights[0].share": "50"})
        assert send(visitor, QWIKET, first, "publish").status_code == 303
        stale = send(visitor, QWIKET, second, "publish")
        assert stale.status_code == 409
        assert "share 40 50" in text_of(stale)


class TestNew:
    def test_a_campaign_is_made_by_its_form(self, stand: ChangeStand) -> None:
        visitor = stand.visitor()
        inputs = {
            "advertiser.id": "corner-bakery",
            "advertiser.name": "Corner Bakery",
            "id": "spring-bread",
            "name": "Spring bread",
            "starts": "2026-03-01",
            "creatives[0].id": "bakery-bread",
            "creatives[0].variants.name": "Corner Bakery",
            "creatives[0].click_url": "https://bäckerei.example/",
            "flights[0].id": "bakery-remer",
            "flights[0].slots": ["masthead", "sidebar"],
            "flights[0].targeting.places": "Remer, MN",
        }
        page = changed(visitor, NEW, visitor.get(NEW), inputs)
        assert "Added campaign spring-bread" in text_of(page)
        done = send(visitor, NEW, page, "publish", message="By telephone")
        assert done.status_code == 303
        campaign: Any = stand.campaign("spring-bread")
        assert campaign["timezone"] == "America/Chicago"
        assert campaign["creatives"][0]["click_url"] == "https://xn--bckerei-5wa.example/"
        assert campaign["flights"] == [
            {"id": "bakery-remer", "slots": ["masthead", "sidebar"], "targeting": {"places": ["Remer, MN"]}}
        ]

    def test_an_advertiser_that_is_known_fills_itself_in(self, stand: ChangeStand) -> None:
        page = stand.visitor().get(f"{NEW}?advertiser=qwiket")
        assert form_of(page, NEW)["advertiser.categories"] == ["fantasy-sports"]

    def test_faults_stand_at_their_inputs(self, stand: ChangeStand) -> None:
        visitor = stand.visitor()
        inputs = {
            "advertiser.name": "Bakery",
            "advertiser.id": "Corner Bakery",
            "name": "x",
            "id": "x",
            "starts": "2026-03-01",
            "creatives[0].id": "c",
            "creatives[0].click_url": "javascript:alert(1)",
            "flights[0].id": "f",
            "flights[0].goal.impressions": "many",
            "flights[0].price.amount": "-3",
            "flights[0].caps.impressions": ["none", ""],
            "flights[0].caps.per": ["day flight", "visit reader"],
            "flights[0].targeting.hours.to": "25:00",
        }
        page = changed(visitor, NEW, visitor.get(NEW), inputs)
        assert page.status_code == 422
        at = set(re.findall(r'class="change-wrong" id="(.+)-wrong0"', page.text))
        assert at == {
            "advertiser.id",
            "creatives[0].click_url",
            "creatives[0].variants.name",
            "flights[0].goal.impressions",
            "flights[0].price.amount",
            "flights[0].caps.impressions",
            "flights[0].targeting.hours.to",
        }
        fields = form_of(page, NEW)
        assert fields["creatives[0].click_url"] == ["javascript:alert(1)"]
        assert fields["flights[0].goal.impressions"] == ["many"]
        assert stand.revision == 1

    def test_what_only_the_whole_tells_stands_at_its_input_too(self, stand: ChangeStand) -> None:
        visitor = stand.visitor()
        inputs = {
            "flights[0].targeting.places": "Nowhere, MN",
            "flights[1].creatives": "elevate, gone 2",
            "ends": "2025-01-01",
        }
        page = changed(visitor, QWIKET, visitor.get(QWIKET), inputs)
        at = set(re.findall(r'class="change-wrong" id="(.+)-wrong0"', page.text))
        assert {"flights[0].targeting.places", "flights[1].creatives", "ends"} <= at

    def test_markup_is_text(self, stand: ChangeStand) -> None:
        visitor = stand.visitor()
        hostile = '"></textarea><script>alert(1)</script>{{7*7}}'
        page = changed(visitor, NEW, visitor.get(NEW), {"name": hostile, "creatives[0].variants.long": hostile})
        assert "<script>alert" not in page.text
        assert form_of(page, NEW)["name"] == [hostile]

    @pytest.mark.parametrize("original", ["", "[]", "{", "[" * 100_000, '{"campaigns": 3, "advertiser": []}'])
    def test_a_form_that_was_tampered_with_changes_nothing(self, stand: ChangeStand, original: str) -> None:
        page = stand.visitor().post(NEW, {"original": original, "name": "x", "do": "check"})
        assert page.status_code in (400, 422)


class TestWhoMayWhat:
    def test_anothers_campaign_is_not_there_for_a_bound_token(self, stand: ChangeStand) -> None:
        visitor = stand.visitor(Role.MARKETER, "qwiket")
        assert visitor.get(QWIKET).status_code == 200
        assert visitor.get("/console/campaigns/house/edit").status_code == 404
        page = visitor.get(NEW)
        assert "QWIKET" in page.text
        assert "Lindqvist" not in page.text
        assert form_of(visitor.get(f"{NEW}?advertiser=lindqvist-hardware"), NEW)["advertiser.name"] == [""]

    def test_a_bound_token_cannot_send_anothers_campaign(self, stand: ChangeStand) -> None:
        visitor = stand.visitor(Role.MARKETER, "qwiket")
        page = changed(visitor, QWIKET, visitor.get(QWIKET), {"advertiser.id": "lindqvist-hardware"})
        assert page.status_code == 404
        assert "knows no such advertiser" in text_of(page)
