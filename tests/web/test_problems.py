"""Errors become problem documents (RFC 9457) that repeat nothing of the request."""

import logging
from collections.abc import Callable
from typing import Never

import pytest
from flask import Blueprint, Response, request
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, TooManyRequests

from adserver.domain.errors import (
    AdserverError,
    Fault,
    IdTaken,
    InputRefused,
    InputTooLarge,
    ParameterRefused,
    StaleBase,
    StoreUnavailable,
    UnreadableInput,
    UnsupportedFormat,
)
from adserver.web.app import AppParts, create_app
from adserver.web.auth import Forbidden, Unauthenticated
from adserver.web.hosts import HostRules
from adserver.web.problems import UNHANDLED, problem_response
from adserver.web.store_gate import StoreBusy

PROBE = "<script>alert(1)</script>"


def client_of(view: Callable[[], Response], path: str = "/view") -> FlaskClient:
    blueprint = Blueprint("test", __name__)
    blueprint.add_url_rule(path, view_func=view, methods=["GET", "POST"])
    return create_app(AppParts((blueprint,), HostRules())).test_client()


def raising(error: Exception, path: str = "/view") -> FlaskClient:
    def view() -> Never:
        raise error

    return client_of(view, path)


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (InputRefused((Fault("a", "b"),)), 422, "input-refused"),
        (UnreadableInput("not JSON"), 400, "unreadable-input"),
        (UnreadableInput(), 400, "unreadable-input"),
        (InputTooLarge("51 slots"), 413, "input-too-large"),
        (UnsupportedFormat("zip"), 415, "unsupported-format"),
        (StaleBase(6, 7), 409, "stale-base"),
        (IdTaken((Fault("a", "b"),)), 409, "id-taken"),
        (ParameterRefused("topic", "at most 20"), 400, "parameter-refused"),
        (StoreUnavailable("connect"), 503, "store-unavailable"),
        (StoreBusy("too many"), 503, "store-busy"),
        (Unauthenticated(), 401, None),
        (Forbidden(), 403, None),
        (RequestEntityTooLarge(), 413, None),
        (AdserverError("nobody foresaw it"), 500, None),
        (KeyError(PROBE), 500, None),
    ],
)
def test_each_error_has_its_status_and_a_whole_document(error: Exception, status: int, kind: str | None) -> None:
    response = raising(error).get("/view")
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    document = response.get_json()
    assert document["type"] == (f"urn:problem-type:adserver:{kind}" if kind else "about:blank")
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]


def test_every_fault_of_an_upload_is_listed_with_where_it_stands() -> None:
    faults = (Fault("campaigns[0].id", "a slug is due", "qwiket.yaml", 3, 9), Fault("x", "unknown field"))
    assert raising(InputRefused(faults)).get("/view").get_json()["errors"] == [
        {"path": "campaigns[0].id", "message": "a slug is due", "file": "qwiket.yaml", "line": 3, "column": 9},
        {"path": "x", "message": "unknown field"},
    ]


def test_a_refused_parameter_is_named() -> None:
    document = raising(ParameterRefused("max_chars", "a whole number is due")).get("/view").get_json()
    assert document["errors"] == [{"path": "max_chars", "message": "a whole number is due"}]
    assert document["detail"] == "max_chars: a whole number is due"


def test_a_stale_base_tells_the_live_revision() -> None:
    response = raising(StaleBase(6, 7)).get("/view")
    assert response.headers["ETag"] == '"7"'
    assert "7" in response.get_json()["detail"]


def test_an_unavailable_store_says_when_to_come_back() -> None:
    assert int(raising(StoreUnavailable("x")).get("/view").headers["Retry-After"]) > 0


def test_a_missing_token_is_asked_for() -> None:
    assert raising(Unauthenticated()).get("/view").headers["WWW-Authenticate"] == "Bearer"


def test_a_wrong_method_is_told_the_right_ones() -> None:
    response = raising(KeyError()).delete("/view")
    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}
    assert response.content_type == "application/problem+json"


def test_when_to_come_back_is_kept_from_an_http_error() -> None:
    response = raising(TooManyRequests(retry_after=5)).get("/view")
    assert response.status_code == 429
    assert response.headers["Retry-After"] == "5"


@pytest.mark.parametrize("path", [f"/nowhere/{PROBE}", f"/view?q={PROBE}", "/%00", "/../etc/passwd", "/" + "x" * 300])
def test_nothing_of_the_request_is_in_an_error(path: str) -> None:
    response = raising(ValueError(PROBE)).get(path, headers={"X-Probe": PROBE})
    assert response.status_code in {404, 500}
    assert b"script" not in response.data
    assert b"passwd" not in response.data
    assert b"xxx" not in response.data


def test_a_redirect_to_the_slash_has_no_page() -> None:
    response = client_of(lambda: Response("here"), "/view/").get("/view")
    assert response.status_code == 308
    assert response.headers["Location"].endswith("/view/")
    assert response.data == b""


def test_an_answer_that_a_view_throws_is_that_answer() -> None:
    response = raising(HTTPException(response=Response("kept", 418))).get("/view")
    assert (response.status_code, response.data) == (418, b"kept")


def test_an_unforeseen_error_is_logged_without_its_address(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client_of(_fail_with_token, "/go/secret-token").get("/go/secret-token")
    assert [record.message for record in caplog.records] == [UNHANDLED]
    assert "ZeroDivisionError" in caplog.text
    assert "secret-token" not in caplog.text


def _fail_with_token() -> Response:
    return Response(str(1 // 0))


@pytest.mark.parametrize("path", ["/v1/frames/masthead", "/v1/slots/masthead.html", "/v1/slots/a%0Ab.html"])
@pytest.mark.parametrize("error", [ValueError("a bug"), StoreUnavailable("x"), ParameterRefused("topic", "no")])
def test_what_an_include_prints_on_a_page_is_empty_on_any_error(path: str, error: Exception) -> None:
    response = raising(error, "/v1/frames/masthead").get(path)
    assert response.status_code >= 400
    assert response.data == b""
    assert response.mimetype == "text/html"


def test_errors_of_the_json_calls_keep_their_document() -> None:
    response = raising(ParameterRefused("topic", "no"), "/v1/slots/masthead").get("/v1/slots/masthead")
    assert response.get_json()["errors"] == [{"path": "topic", "message": "no"}]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_beyond_the_limit_is_refused_before_it_is_read_whole(chunked: bool) -> None:
    def view() -> Response:
        return Response(str(len(request.get_data())))

    blueprint = Blueprint("test", __name__)
    blueprint.add_url_rule("/view", view_func=view, methods=["POST"])
    client = create_app(AppParts((blueprint,), HostRules(), max_body_bytes=1000)).test_client()
    body = CountingBody(10_000_000)
    environ: dict[str, object] = {"wsgi.input": body, "wsgi.input_terminated": True}
    environ |= {"HTTP_TRANSFER_ENCODING": "chunked"} if chunked else {"CONTENT_LENGTH": "10000000"}
    response = client.post("/view", environ_overrides=environ)
    assert response.status_code == 413
    assert response.content_type == "application/problem+json"
    assert body.given < 1_000_000


class CountingBody:
    """A body that knows how much of it was read."""

    def __init__(self, size: int) -> None:
        self._left = size
        self.given = 0

    def read(self, size: int = -1) -> bytes:
        size = self._left if size < 0 else min(size, self._left)
        self._left -= size
        self.given += size
        return b"x" * size

    def readline(self, size: int = -1) -> bytes:
        return self.read(size)

    def close(self) -> None:
        """Nothing is held."""


def test_a_quoted_lone_surrogate_does_not_break_the_answer() -> None:
    document = raising(InputRefused((Fault("name", "not \ud800"),))).get("/view").get_data()
    assert b"\\ud800" in document


def test_a_problem_made_by_a_view_may_carry_headers() -> None:
    response = problem_response(422, "Refused", "why", headers={"Retry-After": "9"})
    assert response.headers["Retry-After"] == "9"
    assert b"errors" not in response.get_data()
