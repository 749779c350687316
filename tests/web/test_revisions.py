"""Pause, resume, remove, restore: a new revision each, whole, by whoever may, and what the history tells of it."""

import json
from datetime import UTC, datetime

import pytest
from bound_tokens import ACME, READER, Tokens
from catalog_bench import NOON, Bench, campaign, campaign_file
from management_desk import Desk, desk, errors_of

from adserver.access.office import TokenOffice
from adserver.access.token_store import MemoryTokenStore
from adserver.access.tokens import Role
from adserver.web.audit_log import deeds_of

MARKETER = {"Authorization": "Bearer marketer"}
ANALYST = {"Authorization": "Bearer analyst"}
EDITS = [
    ("POST", "/v1/campaigns/spring/pause"),
    ("POST", "/v1/campaigns/spring/resume"),
    ("DELETE", "/v1/campaigns/spring"),
    ("POST", "/v1/revisions/1/restore"),
]


def status_of(one: Desk, id_: str = "spring") -> object:
    [found] = [document for _, _, document in one.bench.publisher.live().documents.campaigns() if document["id"] == id_]
    return found.get("status")


class TestPause:
    def test_a_campaign_is_paused_and_resumed_by_a_revision_each(self) -> None:
        one = desk()
        answer = one.edit("/v1/campaigns/spring/pause", MARKETER)
        assert answer.status_code == 200
        assert json.loads(answer.data) == {
            "base": 2,
            "revision": 3,
            "plan": {
                "add": [],
                "change": [{"path": "campaigns.spring.status", "from": "active", "to": "paused"}],
                "remove": [],
                "effects": [
                    {
                        "path": "campaigns.spring.flights.spring-flight",
                        "effect": "stops at once: its campaign is paused",
                    }
                ],
            },
        }
        assert answer.headers["ETag"] == '"3"'
        assert json.loads(one.get("/v1/campaigns/spring").data)["state"] == "paused"
        assert json.loads(one.edit("/v1/campaigns/spring/resume").data)["revision"] == 4
        assert json.loads(one.get("/v1/campaigns/spring").data)["state"] == "live"
        entries = one.bench.publisher.history()
        assert [(entry.author, entry.message) for entry in entries[:2]] == [
            ("the admin", "Resume spring"),
            ("the marketer", "Pause spring"),
        ]

    @pytest.mark.parametrize("verb", ["pause", "resume"])
    def test_twice_is_as_once(self, verb: str) -> None:
        one = desk()
        first = json.loads(one.edit(f"/v1/campaigns/spring/{verb}").data)["revision"]
        again = json.loads(one.edit(f"/v1/campaigns/spring/{verb}").data)
        assert (again["revision"], again["plan"]) == (first, {"add": [], "change": [], "remove": [], "effects": []})


class TestRemove:
    def test_a_campaign_is_removed_and_the_others_stay(self) -> None:
        one = desk()
        one.bench.publish_files(campaign_file(campaign("autumn")))
        assert one.edit("/v1/campaigns/spring", method="DELETE").status_code == 200
        assert one.bench.live_campaigns() == ["autumn"]
        assert one.edit("/v1/campaigns/spring", method="DELETE").status_code == 404

    def test_with_the_last_one_its_advertiser_goes(self) -> None:
        plan = json.loads(desk().edit("/v1/campaigns/spring", method="DELETE").data)["plan"]
        assert plan["remove"] == ["advertisers.qwiket", "campaigns.spring"]


class TestRestore:
    def test_what_was_live_is_live_again_under_a_new_number(self) -> None:
        one = desk()
        before = one.get("/v1/campaigns").data
        one.edit("/v1/campaigns/spring", method="DELETE")
        answer = json.loads(one.edit("/v1/revisions/2/restore?message=Back").data)
        assert answer["revision"] == 4
        assert answer["plan"]["add"] == ["advertisers.qwiket", "campaigns.spring"]
        assert (
            json.loads(one.get("/v1/campaigns").data)["files"][0]["campaigns"]
            == json.loads(before)["files"][0]["campaigns"]
        )
        assert one.bench.publisher.history()[0].message == "Back"

    @pytest.mark.parametrize("number", ["99", "0", "01", "-1", "x", "1e3", "9" * 30])
    def test_one_that_never_was_is_not_found(self, number: str) -> None:
        one = desk()
        assert one.edit(f"/v1/revisions/{number}/restore").status_code == 404
        assert one.get(f"/v1/revisions/{number}").status_code == 404
        assert one.bench.store.head().number == 2


class TestAll:
    @pytest.mark.parametrize(("method", "path"), EDITS)
    def test_a_stale_base_changes_nothing(self, method: str, path: str) -> None:
        one = desk()
        answer = one.edit(path, {"If-Match": '"1"'}, method)
        assert (answer.status_code, answer.headers["ETag"]) == (409, '"2"')
        assert one.bench.store.head().number == 2
        assert one.edit(path, {"If-Match": '"2"'}, method).status_code == 200

    @pytest.mark.parametrize(("method", "path"), EDITS)
    def test_a_dry_run_changes_nothing(self, method: str, path: str) -> None:
        one = desk()
        answer = one.edit(f"{path}?dry_run=true", method=method)
        assert json.loads(answer.data)["revision"] is None
        assert one.bench.store.head().number == 2

    @pytest.mark.parametrize(("method", "path"), EDITS)
    def test_only_those_who_may(self, method: str, path: str) -> None:
        one = desk()
        assert one.client.open(path, method=method).status_code == 401
        assert one.edit(path, ANALYST, method).status_code == 403
        assert one.bench.store.head().number == 2

    @pytest.mark.parametrize(("method", "path"), EDITS)
    def test_without_the_store_it_says_so(self, method: str, path: str) -> None:
        one = desk()
        one.bench.store.away = True
        assert one.edit(path, method=method).status_code == 503

    @pytest.mark.parametrize(("method", "path"), EDITS)
    def test_a_parameter_that_cannot_be_read_is_named(self, method: str, path: str) -> None:
        answer = desk().edit(f"{path}?dry_run=perhaps", method=method)
        assert answer.status_code == 400
        assert errors_of(answer) == [("dry_run", "must be true or false")]

    @pytest.mark.parametrize(("method", "path"), EDITS[:3])
    def test_anothers_campaign_does_not_exist_for_a_bound_token(self, method: str, path: str) -> None:
        one = desk(Tokens())
        one.bench.publish_files(campaign_file(campaign("autumn"), advertiser="acme", name="Acme"))
        anothers = one.edit(path, ACME, method)
        nobodys = one.edit(path.replace("spring", "winter"), ACME, method)
        assert (anothers.status_code, anothers.data) == (404, nobodys.data)
        assert one.edit(path.replace("spring", "autumn"), ACME, method).status_code == 200
        assert one.edit(path.replace("spring", "autumn"), READER, method).status_code == 403

    @pytest.mark.parametrize("path", ["/v1/revisions/1", "/v1/revisions/1/diff", "/v1/revisions/1/restore"])
    def test_the_history_of_all_is_not_for_a_bound_token(self, path: str) -> None:
        one = desk(Tokens())
        call = one.edit(path, ACME) if path.endswith("restore") else one.get(path, ACME)
        assert call.status_code == 403


class TestHistory:
    def test_a_revision_shows_who_and_all_that_was_live(self) -> None:
        one = desk()
        one.edit("/v1/campaigns/spring", method="DELETE")
        answer = one.get("/v1/revisions/2")
        document = json.loads(answer.data)
        assert (document["number"], document["author"], answer.headers["ETag"]) == (2, "kim", '"2"')
        assert [file["campaigns"][0]["id"] for file in document["files"]] == ["spring"]
        assert document["slots"]["slots"][0]["id"] == "masthead"

    def test_two_revisions_are_compared(self) -> None:
        one = desk()
        one.edit("/v1/campaigns/spring/pause")
        one.edit("/v1/campaigns/spring", method="DELETE")
        to_live = json.loads(one.get("/v1/revisions/2/diff").data)
        assert (to_live["from"], to_live["to"], to_live["plan"]["remove"][1]) == (2, 4, "campaigns.spring")
        step = json.loads(one.get("/v1/revisions/2/diff?to=3").data)
        assert [change["path"] for change in step["plan"]["change"]] == ["campaigns.spring.status"]
        assert errors_of(one.get("/v1/revisions/2/diff?to=x")) == [("to", "must be the number of a revision")]
        assert one.get("/v1/revisions/2/diff?to=9").status_code == 404


def test_the_audit_log_tells_who_published_and_who_made_and_ended_tokens() -> None:
    bench = Bench()
    bench.publish_slots()
    store = MemoryTokenStore()
    TokenOffice(store, lambda: datetime(2026, 11, 24, 13, tzinfo=UTC)).make("Ann", Role.MARKETER, ["acme"], by="ops")
    office = TokenOffice(store, lambda: datetime(2026, 11, 24, 14, tzinfo=UTC))
    office.revoke("Ann", by="boss")

    deeds = deeds_of(bench.publisher.history(), office.list())
    assert [(deed.who, deed.action, deed.subject, deed.detail) for deed in deeds] == [
        ("boss", "token_revoked", "Ann", "marketer, only acme"),
        ("ops", "token_created", "Ann", "marketer, only acme"),
        ("kim", "published", "revision 1", ""),
    ]
    assert deeds[2].to_json()["at"] == NOON.isoformat(timespec="milliseconds").replace("+00:00", "Z")
