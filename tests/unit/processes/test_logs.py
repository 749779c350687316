import io
import json
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator

import pytest
from flask import Blueprint, Response, request
from werkzeug.test import TestResponse

from adserver.config_values import LogFormat
from adserver.processes.gunicorn_log import silence_addresses
from adserver.processes.logs import ConsoleFormatter, JsonFormatter, configure_logging, formatter_of
from adserver.web.app import AppParts, create_app
from adserver.web.hosts import HostRules

ADDRESS = "192.0.2.77"
TOKEN = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEfGhIjKlMnOpQrStUvWxYz0123456789Ab"
BEARER = "adsv_0123456789-a-bearer-token"
AGENT = "Mozilla/5.0 (A reader's browser)"
QUERY = "location=Remer,MN&topic=hockey"
SECRETS = (ADDRESS, TOKEN, BEARER, AGENT, "Remer", "hockey", "198.51.100.9")


def record(**extra: object) -> logging.LogRecord:
    line = logging.makeLogRecord({"name": "adserver.catalog", "levelname": "WARNING", "msg": "catalog.store_away"})
    vars(line).update(extra)
    return line


def failure() -> tuple[type[BaseException], BaseException, object]:
    try:
        int("why")
    except ValueError as error:
        return type(error), error, error.__traceback__
    raise AssertionError


@pytest.fixture(params=LogFormat)
def lines(request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """Everything that this process logs, in one form, as it would stand on standard error."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter_of(request.param))
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG)
    yield written.getvalue
    root.handlers[:] = before
    root.setLevel(level)


def ask(view: Callable[[str], Response]) -> TestResponse:
    blueprint = Blueprint("test", __name__)
    blueprint.add_url_rule("/go/<token>", "view", view)
    headers = {"User-Agent": AGENT, "Authorization": f"Bearer {BEARER}", "X-Forwarded-For": "198.51.100.9"}
    app = create_app(AppParts((blueprint,), HostRules()))
    return app.test_client().get(f"/go/{TOKEN}?{QUERY}", headers=headers, environ_overrides={"REMOTE_ADDR": ADDRESS})


def quote_the_request() -> str:
    return f"{request.remote_addr} {request.url} {request.headers}"


def test_a_line_for_people_has_the_event_and_its_fields() -> None:
    assert ConsoleFormatter().format(record(fault="no answer"))[9:] == "warning catalog.store_away fault=no answer"


def test_a_line_for_machines_is_one_json_object() -> None:
    line = JsonFormatter().format(record(fault="two\nlines"))

    assert "\n" not in line
    entry = json.loads(line)
    assert (entry["event"], entry["level"], entry["fault"]) == ("catalog.store_away", "warning", "two\nlines")


def test_a_trace_follows_its_line() -> None:
    failed = record(exc_info=failure())

    assert "ValueError: invalid literal" in ConsoleFormatter().format(failed)
    assert "ValueError: invalid literal" in json.loads(JsonFormatter().format(failed))["trace"]


def test_every_line_of_a_request_has_its_id(lines: Callable[[], str]) -> None:
    log = logging.getLogger("adserver.test")

    def view(token: str) -> Response:
        log.warning("first")
        log.info("second")
        raise RuntimeError

    request_id = ask(view).headers["X-Request-Id"]
    written = lines().splitlines()

    said = [line for line in written if "first" in line or "second" in line or "web.unhandled" in line]
    assert len(said) == 3
    assert all(request_id in line for line in said)


def test_a_fault_that_quotes_its_request_is_logged_once_by_its_kind_and_place_alone(lines: Callable[[], str]) -> None:
    def view(token: str) -> Response:
        try:
            return Response(os.environ[quote_the_request()])
        except KeyError as error:
            raise ValueError(quote_the_request()) from error

    assert ask(view).status_code == 500

    written = lines()
    assert [secret for secret in SECRETS if secret in written] == []
    assert written.count("web.unhandled") == 1
    assert written.count("ValueError") == written.count("KeyError") == 1
    assert re.search(rf"{re.escape(__file__)}:\d+ in view", written)


def test_a_fault_around_the_views_is_logged_once_likewise(lines: Callable[[], str]) -> None:
    blueprint = Blueprint("test", __name__)
    blueprint.add_url_rule("/go/<response>", "view", Response)

    @blueprint.after_request
    def break_it(response: Response) -> Response:
        raise ValueError(quote_the_request())

    app = create_app(AppParts((blueprint,), HostRules()))
    app.test_client().get(f"/go/{TOKEN}?{QUERY}", headers={"User-Agent": AGENT})

    written = lines()
    assert [secret for secret in SECRETS if secret in written] == []
    assert written.count("web.app_fault") == 1


def test_warnings_and_errors_are_told_on(monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    levels: list[str] = []
    try:
        configure_logging(LogFormat.CONSOLE, levels.append)
        log = logging.getLogger("adserver.test")
        log.info("well")
        log.warning("less well")
        log.critical("not well")
    finally:
        root.handlers[:] = before
        root.setLevel(level)

    assert levels == ["warning", "error"]


@pytest.mark.parametrize(
    ("message", "arguments", "said"),
    [
        ("Error handling request %s", (f"/go/{TOKEN}",), "Error handling request"),
        ("Error handling request %s %s", ("GET", f"/go/{TOKEN}"), "Error handling request"),
        (f"Invalid request from ip={ADDRESS}: Invalid Method '{TOKEN}'", (), "Invalid request"),
        ("Worker (pid:%s) exited with code %s.", (7, 1), "Worker (pid:7) exited with code 1."),
    ],
)
def test_gunicorn_names_no_address_of_a_page_or_a_reader(
    message: str, arguments: tuple[object, ...], said: str
) -> None:
    line = logging.LogRecord("gunicorn.error", logging.ERROR, "", 0, message, arguments, None)
    assert silence_addresses(line)
    assert line.getMessage() == said


def test_what_a_fault_says_that_reached_gunicorn_is_left_out() -> None:
    kind, error, trace = failure()
    line = logging.LogRecord("gunicorn.error", logging.ERROR, "", 0, "Error handling request", (), (kind, error, trace))  # type: ignore[arg-type]
    written = ConsoleFormatter().format(line)
    assert "ValueError" in written
    assert "invalid literal" not in written
