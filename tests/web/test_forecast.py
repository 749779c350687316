"""`POST /v1/forecast` from outside: what a draft gets, who sees what, and what is refused."""

import json
from datetime import timedelta

import pytest
from catalog_bench import NOON, Bench, campaign, campaign_file, flight
from flask.testing import FlaskClient
from management_desk import ADMIN, JSON
from werkzeug.test import TestResponse

from adserver.decision.coming_traffic import PastTraffic
from adserver.decision.snapshot import Snapshot
from adserver.domain.ids import FlightId, SlotId
from adserver.domain.places import Place
from adserver.web.app import AppParts, create_app
from adserver.web.auth import Principal, Role
from adserver.web.forecast import forecast_blueprint
from adserver.web.forecaster import Forecaster
from adserver.web.hosts import HostRules
from adserver.web.limits import CallLimit
from adserver.web.store_gate import StoreGate

HOUR = NOON.replace(minute=0)
TRAFFIC = PastTraffic(
    {(SlotId("masthead"), None): 1}, {}, {HOUR - timedelta(hours=back): 10 for back in range(1, 28 * 24 + 1)}, 1.0
)
BANK = {"Authorization": "Bearer bank"}


class NoPlaces:
    def find(self, text: str) -> Place:
        raise AssertionError(text)


class Tokens:
    def authenticate(self, authorization_header: str | None) -> Principal | None:
        word = (authorization_header or "").removeprefix("Bearer ")
        if word == "bank":
            return Principal("bank", Role.ANALYST, frozenset({"bank"}))
        return Principal(word, Role(word)) if word in list(Role) else None


class Live:
    """What a bench has published, with nothing delivered."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    def current(self) -> Snapshot:
        live = self.bench.publisher.live()
        return Snapshot.build(self.bench.publisher.catalog(live), live.revision)


class Nothing:
    def current(self) -> dict[FlightId, int]:
        return {}


@pytest.fixture
def client() -> FlaskClient:
    bench = Bench()
    bench.publish_slots()
    bench.publish_files(campaign_file(campaign("shop"), advertiser="shop", name="Shop"))
    forecaster = Forecaster(
        publisher=bench.publisher,
        gazetteer=NoPlaces(),
        catalog=Live(bench),
        delivered=Nothing(),
        traffic=lambda: TRAFFIC,
        clock=lambda: NOON,
    )
    blueprint = forecast_blueprint(forecaster, Tokens(), CallLimit(lambda: 0.0), StoreGate(lambda: 0.0))
    return create_app(AppParts((blueprint,), HostRules())).test_client()


def ask(client: FlaskClient, document: object, headers: dict[str, str] = ADMIN, query: str = "") -> TestResponse:
    return client.post(f"/v1/forecast{query}", data=json.dumps(document), content_type=JSON, headers=headers)


def draft(**fields: object) -> dict[str, object]:
    return campaign_file(campaign("spring", **fields), advertiser="bank", name="Bank")


def test_a_draft_gets_its_part_and_takes_it_from_who_is_live(client: FlaskClient) -> None:
    answer = ask(client, draft()).json
    assert answer is not None
    [found] = answer["flights"]
    assert (found["campaign"], found["flight"], found["goal"]) == ("spring", "spring-flight", None)
    assert found["matching"] == pytest.approx(28 * 240, rel=0.01)
    assert found["impressions"]["likely"] == pytest.approx(14 * 240, rel=0.1)
    assert found["impressions"]["low"] < found["impressions"]["likely"] < found["impressions"]["high"]
    [taken] = found["takes_from"]
    assert (taken["flight"], taken["impressions"]) == ("shop-flight", found["impressions"]["likely"])
    assert answer == ask(client, draft()).json
    assert answer != ask(client, draft(), query="?seed=2").json


def test_a_bound_token_learns_of_no_other_advertiser(client: FlaskClient) -> None:
    answer = ask(client, draft(), BANK)
    assert b"shop" not in answer.data
    assert answer.json is not None
    [found] = answer.json["flights"]
    assert found["takes_from"] == []
    assert found["takes_from_others"] == found["impressions"]["likely"]
    others = campaign_file(campaign("spring"), advertiser="shop", name="Shop")
    assert ask(client, others, BANK).status_code == 404


def test_what_could_not_be_published_is_refused_with_its_path(client: FlaskClient) -> None:
    answer = ask(client, draft(flights=[flight("spring-flight", slots=["nowhere"])]))
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["errors"][0]["path"] == "campaigns[0].flights[0].slots[0]"
    assert ask(client, draft(), query="?seed=x").status_code == 400
    assert ask(client, draft(), {"Authorization": "Bearer nobody"}).status_code == 401
