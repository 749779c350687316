"""Whose forwarded headers are believed."""

from ipaddress import ip_network

import pytest
from flask import Blueprint, Response, request

from adserver.web.app import AppParts, create_app
from adserver.web.hosts import HostRules


def seen(peer: str, *trusted: str, **forwarded: str) -> str:
    """Return scheme and address that a view sees of a request from `peer`."""
    blueprint = Blueprint("test", __name__)
    blueprint.add_url_rule("/", "view", lambda: Response(f"{request.scheme} {request.remote_addr}"))
    networks = tuple(ip_network(text) for text in trusted)
    client = create_app(AppParts((blueprint,), HostRules(), networks)).test_client()
    headers = {f"X-Forwarded-{name.capitalize()}": value for name, value in forwarded.items()}
    return client.get("/", headers=headers, environ_overrides={"REMOTE_ADDR": peer}).text


def test_without_trusted_proxies_nothing_is_believed() -> None:
    assert seen("127.0.0.1", **{"for": "203.0.113.9", "proto": "https"}) == "http 127.0.0.1"


def test_an_untrusted_peer_is_not_believed() -> None:
    assert seen("10.9.0.1", "10.0.0.0/16", **{"for": "203.0.113.9", "proto": "https"}) == "http 10.9.0.1"


def test_a_trusted_proxy_is() -> None:
    assert seen("10.0.0.1", "10.0.0.0/16", **{"for": "203.0.113.9", "proto": "https"}) == "https 203.0.113.9"


@pytest.mark.parametrize(
    ("chain", "reader"),
    [
        ("1.1.1.1, 203.0.113.9", "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9, 10.0.0.7", "203.0.113.9"),
        ("10.0.0.8,10.0.0.7", "10.0.0.8"),
        ("203.0.113.9, nonsense", "10.0.0.1"),
        ("203.0.113.9, nonsense, 10.0.0.7", "10.0.0.7"),
        ("", "10.0.0.1"),
        ("2001:db8::7", "2001:db8::7"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
    ],
)
def test_the_reader_is_the_last_that_is_no_trusted_proxy(chain: str, reader: str) -> None:
    assert seen("10.0.0.1", "10.0.0.0/16", **{"for": chain}) == f"http {reader}"


@pytest.mark.parametrize("proto", ["javascript", "", "https, http"])
def test_the_scheme_is_the_nearest_proxys_and_a_web_scheme(proto: str) -> None:
    assert seen("10.0.0.1", "10.0.0.0/16", proto=proto) == "http 10.0.0.1"


def test_a_proxy_reached_by_an_ipv4_address_in_ipv6_form_is_known() -> None:
    assert seen("::ffff:10.0.0.1", "10.0.0.0/16", **{"for": "203.0.113.9"}) == "http 203.0.113.9"


@pytest.mark.parametrize(
    ("peer", "trusted", "header", "told"),
    [
        ("127.0.0.1", (), "203.0.113.9", 1),
        ("10.0.0.1", ("192.0.2.0/24",), "203.0.113.9", 1),
        ("fd00::1", (), "203.0.113.9", 1),
        ("10.0.0.1", ("10.0.0.0/16",), "203.0.113.9", 0),
        ("203.0.114.9", (), "127.0.0.1", 0),  # from afar anybody may send it
        ("", (), "203.0.113.9", 0),
        ("127.0.0.1", (), None, 0),
    ],
)
def test_a_proxy_near_by_that_is_not_trusted_is_told_of(
    peer: str, trusted: tuple[str, ...], header: str | None, told: int
) -> None:
    blueprint = Blueprint("test", __name__)
    blueprint.add_url_rule("/", "view", lambda: Response("seen"))
    calls: list[None] = []
    networks = tuple(ip_network(text) for text in trusted)
    parts = AppParts((blueprint,), HostRules(), networks, on_untrusted_proxy=lambda: calls.append(None))
    headers = {} if header is None else {"X-Forwarded-For": header}
    create_app(parts).test_client().get("/", headers=headers, environ_overrides={"REMOTE_ADDR": peer})
    assert len(calls) == told
