"""Liveness and readiness."""

from flask.testing import FlaskClient

from adserver.web.app import AppParts, create_app
from adserver.web.health import Readiness, health_blueprint
from adserver.web.hosts import HostRules


def client_of(state: Readiness) -> FlaskClient:
    return create_app(AppParts((health_blueprint(lambda: state),), HostRules())).test_client()


def test_a_process_that_answers_is_alive_whatever_it_serves() -> None:
    response = client_of(Readiness(0, ("no catalog yet",))).get("/healthz", headers={"Host": "10.0.0.1"})
    assert (response.status_code, response.get_json()) == (200, {"status": "alive"})


def test_a_process_with_a_catalog_is_ready_and_tells_its_revision() -> None:
    response = client_of(Readiness(7, warnings=("ADSERVER_PUBLIC_URL is not set",))).get("/readyz")
    assert response.status_code == 200
    assert response.get_json() == {
        "status": "ready",
        "revision": 7,
        "reasons": [],
        "warnings": ["ADSERVER_PUBLIC_URL is not set"],
    }


def test_a_process_without_one_is_not_and_tells_why() -> None:
    response = client_of(Readiness(0, ("no catalog yet",))).get("/readyz")
    assert response.status_code == 503
    assert response.get_json() == {"status": "waiting", "revision": 0, "reasons": ["no catalog yet"], "warnings": []}


def test_neither_is_kept_by_a_cache() -> None:
    client = client_of(Readiness(1))
    assert {client.get(path).headers["Cache-Control"] for path in ("/healthz", "/readyz")} == {"no-store"}
