"""The id of a request, and the last catch for faults."""

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import pytest
from flask import Blueprint, Response
from werkzeug.test import Client, TestResponse

from adserver.web.app import AppParts, create_app
from adserver.web.hosts import HostRules
from adserver.web.problems import UNHANDLED
from adserver.web.request_ids import APP_FAULT, HEADER, AnswerBroken, RequestIds, current_request_id

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

DRAWN = re.compile(r"[0-9a-f]{16}")


def ask(view: Callable[[], Response], **headers: str) -> TestResponse:
    blueprint = Blueprint("test", __name__)
    blueprint.add_url_rule("/", "view", view)
    app = create_app(AppParts((blueprint,), HostRules()))
    return app.test_client().get("/", headers={name.replace("_", "-"): value for name, value in headers.items()})


def current() -> Response:
    return Response(current_request_id())


@pytest.mark.parametrize(
    "sent", ["0123456789abcdef0123456789abcdef", "0192f0c4-2f5a-7cc3-98c4-dc0c0c07398f", "abcd-1234"]
)
def test_a_safe_id_of_a_proxy_is_taken_and_returned(sent: str) -> None:
    response = ask(current, X_Request_Id=sent)
    assert response.text == sent
    assert response.headers[HEADER] == sent


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "short",
        "a" * 65,
        "192.0.2.77",
        "2001:db8::77",
        "adsv_0123456789abcdef",
        "id with blanks",
        "id\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9",
        "<b>12345678</b>",
        "0123456789,0123456789",
    ],
)
def test_any_other_is_replaced_by_a_drawn_one(sent: str) -> None:
    response = ask(current, X_Request_Id=sent)
    assert DRAWN.fullmatch(response.text)
    assert response.headers.getlist(HEADER) == [response.text]


def test_two_requests_have_two_ids() -> None:
    assert ask(current).text != ask(current).text


def test_an_error_has_its_id_too() -> None:
    response = ask(lambda: Response(status=404))
    assert DRAWN.fullmatch(response.headers[HEADER])


def test_between_requests_there_is_none() -> None:
    ask(current)
    assert current_request_id() is None


def test_after_an_answer_that_was_made_at_once_there_is_none() -> None:
    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return ((current_request_id() or "none").encode(),)

    response = Client(RequestIds(application)).get("/")

    assert response.text == response.headers[HEADER]
    assert current_request_id() is None


def fail() -> Response:
    raise RuntimeError("said by a view")


def test_a_fault_of_a_view_is_logged_once_while_the_id_stands(caplog: pytest.LogCaptureFixture) -> None:
    ids: list[str | None] = []

    def note_id(_record: object) -> bool:
        ids.append(current_request_id())
        return True

    caplog.handler.addFilter(note_id)

    response = ask(fail)

    assert (response.status_code, response.get_json()["status"]) == (500, 500)
    assert [line.getMessage() for line in caplog.records] == [UNHANDLED]
    assert ids == [response.headers[HEADER]]
    assert current_request_id() is None


def test_a_fault_after_the_view_is_caught_and_logged_once_without_the_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    blueprint = Blueprint("test", __name__)
    blueprint.add_url_rule("/<response>", "view", Response)

    @blueprint.after_request
    def break_it(response: Response) -> Response:
        raise RuntimeError("said after a view")

    client = create_app(AppParts((blueprint,), HostRules())).test_client()

    response = client.get("/some-token?location=Remer")

    assert (response.status_code, response.data) == (500, b"")
    assert DRAWN.fullmatch(response.headers[HEADER])
    assert [line.getMessage() for line in caplog.records] == [APP_FAULT]
    assert "some-token" not in caplog.text


def test_an_answer_made_piece_by_piece_has_its_id_to_the_end() -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(2):
            yield (current_request_id() or "none").encode() + b"\n"

    response = ask(lambda: Response(pieces()))

    assert response.text.split() == [response.headers[HEADER]] * 2
    response.close()
    assert current_request_id() is None


def test_a_fault_half_way_is_logged_once_and_breaks_the_answer(caplog: pytest.LogCaptureFixture) -> None:
    closed = threading.Event()

    class Broken:
        def __iter__(self) -> Iterator[bytes]:
            yield b"half"
            raise RuntimeError("said half way")

        def close(self) -> None:
            closed.set()

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return Broken()

    with pytest.raises(AnswerBroken):
        Client(RequestIds(application)).get("/", buffered=True)

    assert [line.getMessage() for line in caplog.records] == [APP_FAULT]
    assert closed.is_set()
    assert current_request_id() is None
