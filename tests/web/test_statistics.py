"""`POST /v1/query` from outside: tokens, JSON, CSV, and what is refused."""

import gzip
import json
from http import HTTPStatus

import pytest
from flask import Blueprint, Flask
from flask.testing import FlaskClient
from statistics_world import World
from werkzeug.test import TestResponse

from adserver.counting.cells import FILLS, IMPRESSIONS, Family
from adserver.domain.errors import StoreUnavailable
from adserver.statistics.cell_store import StoredCell
from adserver.web.auth import Principal, Role
from adserver.web.limits import CallLimit
from adserver.web.problems import install_problems
from adserver.web.statistics import MAX_BODY_BYTES, statistics_blueprint
from adserver.web.store_gate import StoreGate

TOKEN = {"Authorization": "Bearer adsv_analyst"}
BY_FLIGHT = {"metrics": ["fills", "impressions"], "dimensions": ["flight"], "date_range": "day"}


class OneAnalyst:
    """Knows one token."""

    def authenticate(self, authorization_header: str | None) -> Principal | None:
        return Principal("ann", Role.ANALYST) if authorization_header == TOKEN["Authorization"] else None


def blueprint_of(world: World, gate: StoreGate | None = None) -> Blueprint:
    gate = gate or StoreGate(lambda: 0.0)
    return statistics_blueprint(world.service(), OneAnalyst(), CallLimit(lambda: 0.0), gate)


@pytest.fixture
def world() -> World:
    world = World()
    world.count(FILLS, 10)
    world.count(IMPRESSIONS, 4)
    world.count(FILLS, 3, flight="iowa", topic="=politics")
    return world


@pytest.fixture
def client(world: World) -> FlaskClient:
    app = Flask(__name__)
    install_problems(app)
    app.register_blueprint(blueprint_of(world))
    return app.test_client()


def problem(response: TestResponse, status: int) -> dict[str, object]:
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    document: dict[str, object] = json.loads(response.data)
    assert {"type", "title", "status", "detail"} <= document.keys()
    return document


def test_a_query_is_answered_in_the_shape_of_plausible(client: FlaskClient) -> None:
    response = client.post("/v1/query", json=BY_FLIGHT, headers=TOKEN)
    assert response.status_code == HTTPStatus.OK
    assert response.content_type == "application/json"
    assert response.headers["Cache-Control"] == "private, no-store"
    document = json.loads(response.data)
    assert list(document) == ["results", "meta", "query"]
    assert document["results"] == [
        {"dimensions": ["minnesota"], "metrics": [10, 4]},
        {"dimensions": ["iowa"], "metrics": [3, 0]},
    ]
    assert document["meta"] == {"total_rows": 2}
    assert document["query"]["metrics"] == ["fills", "impressions"]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/query", {"Accept": "text/csv"}),
        ("/v1/query", {"Accept": "application/json;q=0.5, text/csv"}),
        ("/v1/query.csv", {}),
        ("/v1/query.csv", {"Accept": "application/json"}),
    ],
)
def test_csv_comes_where_it_is_asked_for(client: FlaskClient, path: str, headers: dict[str, str]) -> None:
    response = client.post(path, json={**BY_FLIGHT, "dimensions": ["topic"]}, headers=TOKEN | headers)
    assert response.status_code == HTTPStatus.OK
    assert response.mimetype == "text/csv"
    assert response.text == "topic,fills,impressions\r\nsports,10,4\r\n'=politics,3,0\r\n"


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/csv;q=0.1, application/json", "image/png"])
def test_json_comes_to_all_others(client: FlaskClient, accept: str) -> None:
    response = client.post("/v1/query", json=BY_FLIGHT, headers=TOKEN | {"Accept": accept})
    assert response.mimetype == "application/json"


@pytest.mark.parametrize("path", ["/v1/query", "/v1/query.csv"])
def test_no_token_no_answer(client: FlaskClient, path: str) -> None:
    problem(client.post(path, json=BY_FLIGHT), 401)
    problem(client.post(path, json=BY_FLIGHT, headers={"Authorization": "Bearer adsv_other"}), 401)
    problem(client.post(path, data=b"[" * 100, headers={"Authorization": "Bearer adsv_other"}), 401)


@pytest.mark.parametrize("path", ["/v1/query", "/v1/query.csv"])
def test_a_query_is_posted(client: FlaskClient, path: str) -> None:
    response = client.get(path, headers=TOKEN)
    problem(response, 405)
    assert "POST" in response.headers["Allow"]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"metrics": ["reach"], "dimensions": ["flight", "slot"]}, "dimensions[1]"),
        ({"date_range": None}, "date_range"),
        ({"dimensions": ["place", "topic"]}, "dimensions[0]"),
        ({"dimensions": ["flight"], "metrics": ["fill_rate"]}, "dimensions[0]"),
        ({"dimensions": ["place"], "timezone": "Asia/Tokyo"}, "timezone"),
        ({"pagination": {"limit": 10_001}}, "pagination.limit"),
        ({"filters": [["is", "<script>", ["x"]]]}, "filters[0][1]"),
    ],
)
def test_a_refused_query_says_where_and_why(client: FlaskClient, changes: dict[str, object], path: str) -> None:
    response = client.post("/v1/query", json={**BY_FLIGHT, **changes}, headers=TOKEN)
    errors = problem(response, 422)["errors"]
    assert isinstance(errors, list)
    assert errors[0]["path"] == path
    assert errors[0]["message"]
    assert b"<script>" not in response.data
    assert b"stored" not in response.data


def test_a_key_that_stands_twice_is_refused(client: FlaskClient) -> None:
    body = b'{"metrics": ["fills"], "date_range": "day", "date_range": "all"}'
    response = client.post("/v1/query", data=body, content_type="application/json", headers=TOKEN)
    assert problem(response, 422)["errors"] == [
        {"path": "date_range", "message": "this key stands twice in one object"}
    ]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[" * 100_000, b"1" * 5_000, b"\xff", '{"metrics": []}'.encode("utf-16"), b'{"metrics": NaN}'],
    ids=["empty", "torn", "deep", "digits", "no utf-8", "utf-16", "nan"],
)
def test_what_is_no_json_is_a_bad_request(client: FlaskClient, body: bytes) -> None:
    problem(client.post("/v1/query", data=body, content_type="application/json", headers=TOKEN), 400)


def test_other_formats_and_compression_are_not_taken(client: FlaskClient) -> None:
    body = json.dumps(BY_FLIGHT).encode()
    problem(client.post("/v1/query", data=body, content_type="text/yaml", headers=TOKEN), 415)
    headers = TOKEN | {"Content-Encoding": "gzip"}
    problem(client.post("/v1/query", data=gzip.compress(body), content_type="application/json", headers=headers), 415)


def test_a_large_body_is_refused(client: FlaskClient) -> None:
    body = b" " * (MAX_BODY_BYTES + 1)
    problem(client.post("/v1/query", data=body, content_type="application/json", headers=TOKEN), 413)


def test_a_lone_surrogate_does_no_harm(client: FlaskClient) -> None:
    body = b'{"metrics": ["fills"], "date_range": "day", "filters": [["is", "flight", ["\\ud800"]]]}'
    response = client.post("/v1/query", data=body, content_type="application/json", headers=TOKEN)
    assert json.loads(response.data)["results"] == [{"dimensions": [], "metrics": [0]}]


def test_a_silent_store_is_a_503_that_says_when_to_come_again(client: FlaskClient, world: World) -> None:
    class Silent:
        def read(self, family: Family, blocks: range, wanted: object) -> list[StoredCell]:
            raise StoreUnavailable("no answer")

        def oldest(self, family: Family) -> int | None:
            raise StoreUnavailable("no answer")

    app = Flask(__name__)
    install_problems(app)
    world.store = Silent()
    app.register_blueprint(blueprint_of(world))
    response = app.test_client().post("/v1/query", json=BY_FLIGHT, headers=TOKEN)
    problem(response, 503)
    assert response.headers["Retry-After"]


@pytest.mark.parametrize("path", ["/v1/query", "/v1/query.csv"])
def test_a_query_is_refused_while_as_many_as_may_wait_for_the_store(world: World, path: str) -> None:
    gate = StoreGate(lambda: 0.0, calls_at_once=1, patience_seconds=0.0)
    app = Flask(__name__)
    install_problems(app)
    app.register_blueprint(blueprint_of(world, gate))
    with gate.entered():
        response = app.test_client().post(path, json=BY_FLIGHT, headers=TOKEN)
    assert problem(response, 503)["type"] == "urn:problem-type:adserver:store-busy"
    assert response.headers["Retry-After"] == "2"
    assert app.test_client().post(path, json=BY_FLIGHT, headers=TOKEN).status_code == 200
