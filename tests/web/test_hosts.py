"""Which `Host` is answered."""

import pytest
from flask import Blueprint, Response, request
from flask.testing import FlaskClient

from adserver.web.app import AppParts, create_app
from adserver.web.hosts import HostRules

DELIVERY = (
    "/v1/slots/masthead",
    "/v1/slots/masthead.html",
    "/v1/frames/masthead",
    "/v1/decisions",
    "/v1/seen",
    "/v1/seen/token.gif",
    "/go/token",
    "/slot.js",
    "/slot.css",
)
OTHERS = ("/", "/console/", "/v1/campaigns", "/v1/query", "/v1/slots", "/v1/decisions/x", "/slot.js.map", "/docs")


def rules(public_url: str | None = None, *allowed: str) -> HostRules:
    return HostRules(public_url, frozenset(allowed))


@pytest.mark.parametrize("path", [*DELIVERY, *OTHERS])
@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8080", "127.0.0.1:8080", "127.9.9.9", "[::1]:80", "LOCALHOST."]
)
def test_loopback_is_always_answered(host: str, path: str) -> None:
    assert rules().permit(host, path)
    assert rules("https://ads.example").permit(host, path)


@pytest.mark.parametrize("path", [*DELIVERY, *OTHERS])
@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "128.0.0.1",
        "[::2]",
        "",
        "localhost:80:80",
        "localhost/",
        "localhost@evil.example",
        "evil.example,localhost",
        "localhost:port",
        "[::zz]",
        "127.0.0.1 ",
        "0x7f000001",
    ],
)
def test_any_other_host_is_foreign(host: str, path: str) -> None:
    assert not rules().permit(host, path)


def test_allowed_names_are_answered_at_any_port_and_in_any_case() -> None:
    some = rules(None, "ads.example", "[2001:db8::1]")
    assert all(
        some.permit(host, "/") for host in ("ads.example", "ADS.example:9", "ads.example.", "[2001:DB8:0::1]:80")
    )
    assert not some.permit("www.ads.example", "/")


@pytest.mark.parametrize("path", OTHERS)
def test_with_a_public_url_people_use_its_host_only(path: str) -> None:
    some = rules("https://ads.example:8443/sponsor")
    assert some.permit("ads.example:8443", path)
    assert some.permit("ads.example", path)
    assert not some.permit("evil.example", path)


@pytest.mark.parametrize("path", DELIVERY)
def test_with_a_public_url_delivery_takes_any_host(path: str) -> None:
    assert rules("https://ads.example").permit("whatever.example", path)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_takes_any_host(path: str) -> None:
    assert rules().permit("10.1.2.3", path)
    assert rules().permit(None, path, "HTTP/1.0")


@pytest.mark.parametrize("path", ["/", "/healthz", *DELIVERY])
def test_http_1_1_needs_a_host(path: str) -> None:
    assert not rules("https://ads.example").permit(None, path, "HTTP/1.1")


def client_of(hosts: HostRules) -> FlaskClient:
    blueprint = Blueprint("test", __name__)
    for number, path in enumerate(("/v1/campaigns", "/v1/slots/a", "/v1/slots/a.html")):
        blueprint.add_url_rule(path, str(number), lambda: Response(request.host))
    return create_app(AppParts((blueprint,), hosts)).test_client()


def test_a_foreign_host_is_told_which_setting_names_more() -> None:
    response = client_of(rules()).get("/v1/campaigns", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert "ADSERVER_ALLOWED_HOSTS" in response.get_json()["detail"]
    assert b"evil" not in response.data


def test_a_foreign_host_of_an_include_prints_nothing_on_the_page() -> None:
    response = client_of(rules()).get("/v1/slots/a.html", headers={"Host": "evil.example"})
    assert (response.status_code, response.data) == (400, b"")


def test_the_forwarded_host_is_ignored() -> None:
    client = client_of(rules())
    headers = {"Host": "localhost", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    assert client.get("/v1/campaigns", headers=headers).data == b"localhost"
    swapped = {"Host": "evil.example", "X-Forwarded-Host": "localhost"}
    assert client.get("/v1/campaigns", headers=swapped).status_code == 400


def test_a_foreign_host_is_refused_before_anything_is_looked_up() -> None:
    assert client_of(rules()).get("/nowhere", headers={"Host": "evil.example"}).status_code == 400
