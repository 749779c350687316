"""Served under a path of another host: what the proxy leaves of the path does not matter."""

import pytest
from flask import Blueprint, Response, request, url_for
from flask.testing import FlaskClient

from adserver.web.app import AppParts, create_app
from adserver.web.hosts import HostRules


def client(mounted_at: str = "/sponsors") -> FlaskClient:
    blueprint = Blueprint("test", __name__)

    @blueprint.get("/v1/slots/<slot>")
    def view(slot: str) -> Response:
        return Response(f"{request.script_root} {request.path} {url_for('test.view', slot=slot)}")

    @blueprint.get("/sponsorship")
    def alike() -> Response:
        return Response(f"{request.script_root} {request.path}")

    @blueprint.get("/folder/")
    def folder() -> Response:
        return Response()

    return create_app(AppParts((blueprint,), HostRules(), mounted_at=mounted_at)).test_client()


@pytest.mark.parametrize("path", ["/sponsors/v1/slots/masthead", "/v1/slots/masthead"])
def test_a_proxy_may_leave_the_path_on_or_cut_it_off(path: str) -> None:
    assert client().get(path).text == "/sponsors /v1/slots/masthead /sponsors/v1/slots/masthead"


def test_at_the_top_nothing_is_cut_off() -> None:
    assert client("").get("/v1/slots/masthead").text == " /v1/slots/masthead /v1/slots/masthead"
    assert client("").get("/sponsors/v1/slots/masthead").status_code == 404


def test_a_path_that_only_begins_alike_is_left_whole() -> None:
    assert client().get("/sponsorship").text == "/sponsors /sponsorship"
    assert client().get("/sponsors/sponsors/v1/slots/masthead").status_code == 404


def test_what_a_request_says_of_its_path_is_not_believed() -> None:
    headers = {"X-Forwarded-Prefix": "/evil", "X-Script-Name": "/evil", "X-Forwarded-Path": "/evil"}
    assert client().get("/v1/slots/a", headers=headers).text == "/sponsors /v1/slots/a /sponsors/v1/slots/a"
    assert client("").get("/v1/slots/a", headers=headers).text == " /v1/slots/a /v1/slots/a"


def test_a_server_that_cuts_it_off_itself_comes_to_the_same() -> None:
    environ = {"SCRIPT_NAME": "/sponsors"}
    answer = client().get("/v1/slots/a", environ_overrides=environ)
    assert answer.text == "/sponsors /v1/slots/a /sponsors/v1/slots/a"


def test_a_redirect_stays_under_the_path() -> None:
    assert client().get("/sponsors/folder").headers["Location"] == "http://localhost/sponsors/folder/"
