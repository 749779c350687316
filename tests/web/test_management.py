"""The management API: what is live, and what people send to change it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from catalog_bench import NOON, Bench, campaign, campaign_file, creative, flight, slots_file
from management_desk import ADMIN, YAML, Desk, desk, errors_of, rules_file

from adserver.catalog.backup import BACKUP_NAME
from adserver.domain.errors import StoreUnavailable
from adserver.domain.ids import FlightId
from adserver.web.auth import Role

AUTUMN_BEGINS = [{"path": "campaigns.autumn.flights.autumn-flight", "effect": "begins at once"}]


class TestPostingCampaigns:
    def test_publishes_and_says_what_changed(self) -> None:
        one = desk()
        answer = one.post(campaign_file(campaign("autumn")), "?message=for%20the%20fall")
        assert answer.status_code == 200
        assert answer.json == {
            "base": 2,
            "revision": 3,
            "plan": {"add": ["campaigns.autumn"], "change": [], "remove": [], "effects": AUTUMN_BEGINS},
        }
        assert answer.headers["ETag"] == '"3"'
        assert one.bench.live_campaigns() == ["autumn", "spring"]
        newest = one.bench.publisher.history()[0]
        assert (newest.author, newest.message, newest.at) == ("the admin", "for the fall", NOON)

    def test_says_from_what_to_what_a_field_changed(self) -> None:
        answer = desk().post(campaign_file(campaign("spring", name="Spring sale")))
        assert answer.json is not None
        assert answer.json["plan"] == {
            "add": [],
            "change": [{"path": "campaigns.spring.name", "from": "A campaign", "to": "Spring sale"}],
            "remove": [],
            "effects": [],
        }

    @pytest.mark.parametrize("content_type", [YAML, "application/x-yaml", "text/yaml", f"{YAML}; charset=utf-8"])
    def test_takes_yaml(self, content_type: str) -> None:
        text = b"""
            advertiser: {id: bank, name: NO}
            campaigns:
              - {id: loan, name: Loan, starts: 2025-06-01, timezone: Europe/Oslo, creatives: [], flights: []}
            """
        one = desk()
        assert one.post(text, content_type=content_type).status_code == 200
        [_, content] = one.bench.publisher.live().documents.campaign_files.values()
        assert content["advertiser"] == {"id": "bank", "name": "NO"}

    def test_takes_several_files_whole_or_not_at_all(self) -> None:
        one = desk()
        good = campaign_file(campaign("loan"), advertiser="bank")
        bad = campaign_file(campaign("cure", flights=[flight("f", slots=["nowhere"])]), advertiser="clinic")
        answer = one.post({"files": [good, bad]})
        assert answer.status_code == 422
        [(path, message)] = errors_of(answer)
        assert path.endswith("campaigns[0].flights[0].slots[0]")
        assert "nowhere" in message
        assert one.bench.live_campaigns() == ["spring"]
        assert one.post({"files": [good]}).status_code == 200
        assert one.bench.live_campaigns() == ["loan", "spring"]

    def test_dry_run_publishes_nothing(self) -> None:
        one = desk()
        answer = one.post(campaign_file(campaign("autumn")), "?dry_run=true")
        assert answer.status_code == 200
        assert answer.json == {
            "base": 2,
            "revision": None,
            "plan": {"add": ["campaigns.autumn"], "change": [], "remove": [], "effects": AUTUMN_BEGINS},
        }
        assert one.bench.live_campaigns() == ["spring"]

    def test_without_a_change_keeps_the_revision(self) -> None:
        answer = desk().post(campaign_file(campaign("spring")))
        assert answer.json == {"base": 2, "revision": 2, "plan": {"add": [], "change": [], "remove": [], "effects": []}}

    def test_prune_removes_what_the_upload_lacks(self) -> None:
        one = desk()
        answer = one.post(campaign_file(campaign("autumn")), "?prune=true")
        assert answer.json is not None
        assert answer.json["plan"]["remove"] == ["campaigns.spring"]
        assert one.bench.live_campaigns() == ["autumn"]

    def test_lists_every_fault_with_its_path(self) -> None:
        one = desk()
        bad = campaign("autumn", ends="2020-01-01", flights=[flight("f", share=101, tier="sponsorship", colour="red")])
        answer = one.post(campaign_file(bad))
        assert answer.status_code == 422
        paths = {path for path, _ in errors_of(answer)}
        assert {"campaigns[0].flights[0].share", "campaigns[0].flights[0].colour"} <= paths
        assert one.bench.store.head().number == 2

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b'{"a": "\xff"}',
            '{"advertiser": 1}'.encode("utf-16"),
            b"[" * 100_000,
            b'{"a": ' + b"9" * 5000 + b"}",
        ],
        ids=["empty", "torn", "no UTF-8", "UTF-16", "too deep", "too long a number"],
    )
    def test_a_body_that_cannot_be_read_is_400(self, body: bytes) -> None:
        one = desk()
        answer = one.post(body)
        assert answer.status_code == 400
        errors_of(answer)
        assert one.post(campaign_file(campaign("autumn"))).status_code == 200

    def test_an_id_twice_in_one_upload_is_422(self) -> None:
        answer = desk().post(campaign_file(campaign("autumn"), campaign("winter", flights=[flight("autumn-flight")])))
        assert answer.status_code == 422

    def test_an_id_of_another_campaign_is_409(self) -> None:
        one = desk()
        answer = one.post(campaign_file(campaign("autumn", creatives=[creative("spring-creative")])))
        assert answer.status_code == 409
        assert [path for path, _ in errors_of(answer)] == ["campaigns[0].creatives[0].id"]
        assert one.bench.live_campaigns() == ["spring"]


class TestReadingCampaigns:
    def test_lists_each_with_its_state_and_delivery(self) -> None:
        one = desk()
        one.bench.publish_files(campaign_file(campaign("loan"), advertiser="bank", name="Bank"))
        answer = one.get("/v1/campaigns")
        assert answer.status_code == 200
        assert answer.headers["ETag"] == '"3"'
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.json is not None
        assert answer.json["revision"] == 3
        assert [
            (one_file["advertiser"]["id"], one_file["campaigns"][0]["id"], one_file["state"])
            for one_file in answer.json["files"]
        ] == [("qwiket", "spring", "live"), ("bank", "loan", "live")]

    def test_gives_one_in_the_files_shape(self) -> None:
        one = desk()
        answer = one.get("/v1/campaigns/spring")
        assert answer.status_code == 200
        assert answer.headers["ETag"] == '"2"'
        assert answer.json == {
            **campaign_file(campaign("spring")),
            "state": "live",
            "delivery": {"impressions": 0, "goal": None, "expected": None},
            "revision": 2,
        }

    def test_sums_delivery_and_goals_over_the_flights(self) -> None:
        one = desk()
        flights = [
            flight("f", goal={"impressions": 100, "pacing": "asap"}),
            flight("g", goal={"impressions": 50, "pacing": "asap"}),
            flight("h"),
        ]
        one.post(campaign_file(campaign("spring", flights=flights)))
        one.delivered = {"f": 100, "g": 7, "h": 1000}
        answer = one.get("/v1/campaigns/spring")
        assert answer.json is not None
        assert answer.json["delivery"] == {"impressions": 1107, "goal": 150, "expected": None}

    def test_without_any_is_an_empty_list(self) -> None:
        answer = Desk().get("/v1/campaigns")
        assert answer.status_code == 200
        assert answer.json == {"files": [], "revision": 0}

    @pytest.mark.parametrize("name", ["nobody-has-it", "%00", "..%2Fspring", "<script>", "a" * 300])
    def test_of_an_unknown_one_is_404_without_a_trace_of_it(self, name: str) -> None:
        answer = desk().get(f"/v1/campaigns/{name}")
        assert answer.status_code == 404
        errors_of(answer)
        assert name not in answer.text

    def test_sees_what_was_just_published(self) -> None:
        one = desk()
        one.get("/v1/campaigns")
        one.post(campaign_file(campaign("spring", status="paused")))
        answer = one.get("/v1/campaigns/spring")
        assert answer.json is not None
        assert (answer.json["state"], answer.json["revision"]) == ("paused", 3)


class TestSendingBackWhatWasFetched:
    @pytest.mark.parametrize("path", ["/v1/campaigns", "/v1/campaigns/spring"])
    @pytest.mark.parametrize("query", ["", "?prune=true"])
    def test_changes_nothing(self, path: str, query: str) -> None:
        one = desk()
        if path == "/v1/campaigns":
            one.post(campaign_file(campaign("loan"), advertiser="bank", name="Bank"))
        fetched = one.get(path)
        live = one.bench.publisher.live()
        answer = one.post(fetched.data, query, headers={"If-Match": fetched.headers["ETag"]})
        assert answer.status_code == 200
        assert answer.json == {
            "base": live.revision,
            "revision": live.revision,
            "plan": {"add": [], "change": [], "remove": [], "effects": []},
        }
        assert one.bench.publisher.live().documents == live.documents

    def test_edited_publishes_the_edit_and_nothing_that_only_the_api_writes(self) -> None:
        one = desk()
        fetched = one.get("/v1/campaigns/spring").json
        assert fetched is not None
        fetched["campaigns"][0]["name"] = "Another name"
        assert one.post({**fetched, "state": 7, "delivery": None, "revision": "x"}).status_code == 200
        [content] = one.bench.publisher.live().documents.campaign_files.values()
        assert content == campaign_file(campaign("spring", name="Another name"))

    @pytest.mark.parametrize("field", ["odds", "State", "status"])
    def test_with_any_other_field_is_refused(self, field: str) -> None:
        one = desk()
        answer = one.post({**campaign_file(campaign("spring")), field: "x"})
        assert answer.status_code == 422
        assert [path for path, _ in errors_of(answer)] == [field]

    @pytest.mark.parametrize("field", ["state", "delivery", "more"])
    def test_with_any_other_field_beside_the_files_is_refused(self, field: str) -> None:
        answer = desk().post({"files": [campaign_file(campaign("spring"))], "revision": 2, field: "x"})
        assert answer.status_code == 422
        assert [path for path, _ in errors_of(answer)] == [field]

    def test_within_a_campaign_they_are_refused(self) -> None:
        answer = desk().post(campaign_file(campaign("spring", state="live")))
        assert answer.status_code == 422
        assert [path for path, _ in errors_of(answer)] == ["campaigns[0].state"]


class TestSlots:
    def test_are_given_as_they_were_put(self) -> None:
        one = desk()
        answer = one.put_slots(slots_file("masthead", "article-top"))
        assert answer.status_code == 200
        assert answer.json == {
            "base": 2,
            "revision": 3,
            "plan": {"add": ["slots.article-top"], "change": [], "remove": [], "effects": []},
        }
        given = one.get("/v1/slots")
        assert given.json == slots_file("masthead", "article-top")
        assert given.headers["ETag"] == '"3"'

    def test_may_be_the_first_thing_published(self) -> None:
        answer = Desk().put_slots(slots_file())
        assert answer.status_code == 200
        assert answer.json is not None
        assert (answer.json["base"], answer.json["revision"]) == (0, 1)

    def test_that_were_never_published_are_404(self) -> None:
        assert Desk().get("/v1/slots").status_code == 404

    def test_that_a_campaign_needs_cannot_go(self) -> None:
        one = desk()
        one.post(campaign_file(campaign("spring", flights=[flight("f", slots=["masthead"])])))
        answer = one.put_slots(slots_file("article-top"))
        assert answer.status_code == 422
        assert [path for path, _ in errors_of(answer)] == ["campaigns[0].flights[0].slots[0]"]

    def test_are_guarded_by_if_match(self) -> None:
        one = desk()
        assert one.put_slots(slots_file("other"), {**ADMIN, "If-Match": '"1"'}).status_code == 409
        assert one.get("/v1/slots").json == slots_file()


class TestRevisions:
    def test_are_listed_newest_first(self) -> None:
        one = desk()
        one.post(campaign_file(campaign("autumn")), "?message=why")
        answer = one.get("/v1/revisions")
        assert answer.status_code == 200
        assert answer.json is not None
        assert [entry["number"] for entry in answer.json["revisions"]] == [3, 2, 1]
        assert answer.json["revisions"][0] == {
            "number": 3,
            "author": "the admin",
            "at": "2026-11-24T12:00:00.000Z",
            "message": "why",
            "plan": {"add": ["campaigns.autumn"], "change": [], "remove": []},
        }


READS = [
    ("GET", "/v1/campaigns"),
    ("GET", "/v1/campaigns/spring"),
    ("GET", "/v1/slots"),
    ("GET", "/v1/revisions"),
]
WRITES = [("POST", "/v1/campaigns"), ("PUT", "/v1/slots"), ("PUT", "/v1/rules")]
ROLES = {
    ("GET", "/v1/campaigns"): {"admin", "marketer", "analyst"},
    ("GET", "/v1/campaigns/spring"): {"admin", "marketer", "analyst"},
    ("GET", "/v1/slots"): {"admin"},
    ("GET", "/v1/revisions"): {"admin", "marketer"},
    ("POST", "/v1/campaigns"): {"admin", "marketer"},
    ("PUT", "/v1/slots"): {"admin"},
    ("GET", "/v1/rules"): {"admin"},
    ("PUT", "/v1/rules"): {"admin"},
}


def bodies() -> Iterator[tuple[str, str, dict[str, object] | None]]:
    for method, path in READS:
        yield method, path, None
    yield "POST", "/v1/campaigns", campaign_file(campaign("autumn"))
    yield "PUT", "/v1/slots", slots_file("masthead", "other")
    yield "PUT", "/v1/rules", rules_file("betting")
    yield "GET", "/v1/rules", None


class TestTokens:
    @pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer nobody", "Basic admin"])
    def test_that_are_missing_or_wrong_are_401_everywhere_and_change_nothing(self, header: str | None) -> None:
        one = desk()
        headers = {} if header is None else {"Authorization": header}
        for method, path, body in bodies():
            answer = one.client.open(path, method=method, json=body, headers=headers)
            assert answer.status_code == 401, path
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert "spring" not in answer.text
        assert one.bench.store.head().number == 2

    @pytest.mark.parametrize("role", list(Role))
    def test_of_a_role_that_may_not_are_403_and_of_one_that_may_are_taken(self, role: Role) -> None:
        one = desk()
        for method, path, body in bodies():
            answer = one.client.open(path, method=method, json=body, headers={"Authorization": f"Bearer {role}"})
            assert answer.status_code == (200 if role in ROLES[method, path] else 403), (method, path)


class TestTheStoreAway:
    def test_is_503_everywhere(self) -> None:
        one = desk()
        one.bench.store.away = True
        for method, path, body in bodies():
            answer = one.client.open(path, method=method, json=body, headers=ADMIN)
            assert answer.status_code == 503, path
            assert answer.headers["Retry-After"]

    def test_for_counts_alone_is_503_too(self) -> None:
        one = desk()

        def count(flights: Sequence[FlightId]) -> Mapping[FlightId, int]:
            raise StoreUnavailable(f"no counts of {len(flights)} flights")

        one.count = count  # type: ignore[method-assign]
        one.__post_init__()
        assert one.get("/v1/campaigns").status_code == 503


class TestACopyThatCannotBeRead:
    def test_is_503_everywhere_and_names_no_file(self, tmp_path: Path) -> None:
        one = desk()
        one.bench.mirror(tmp_path).step(NOON)
        (tmp_path / BACKUP_NAME).write_bytes(b"torn")
        one.bench.store.wipe()
        host = Desk(Bench(store=one.bench.store, data_dir=tmp_path))
        for method, path, body in bodies():
            if path == "/v1/revisions":
                continue
            answer = host.client.open(path, method=method, json=body, headers=ADMIN)
            assert answer.status_code == 503, path
            assert answer.json is not None
            assert answer.json["type"].endswith(":revision-unreadable")
            assert str(tmp_path) not in answer.text
        assert one.bench.store.head().number == 0
