"""A delivery app on a socket, a Chromium beside it, and test pages under the strict policy of DESIGN."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from delivery_stand import Stand
from flask import Blueprint, Flask, Response, request
from playwright.sync_api import Browser, sync_playwright
from service import READER

CHROMIUM: Final = "/usr/bin/chromium"
"""Debian's."""
FLAGS: Final = (
    # A headless browser says so, and what says so is a bot.
    f"--user-agent={READER['User-Agent']}",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
STRICT: Final = "default-src 'self'; style-src 'self'"

_HEAD: Final = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>page</title>"
)


class Pages:
    """Pages that a test writes, served beside the delivery calls. One writer, the test; read by the server."""

    def __init__(self) -> None:
        self.html: dict[str, str] = {}
        self.css: dict[str, str] = {}
        self.policy = STRICT
        self.asked: list[tuple[str, str]] = []
        """Path and `Sec-Purpose` of each request, pages and delivery alike."""

    def blueprint(self) -> Blueprint:
        """Return the pages under `/pages/<name>`, and their stylesheets beside them."""
        blueprint = Blueprint("pages", __name__)

        @blueprint.before_app_request
        def note() -> None:
            self.asked.append((request.path, request.headers.get("Sec-Purpose", "")))

        @blueprint.get("/pages/<name>")
        def page(name: str) -> Response:
            return Response(_HEAD + self.html[name], headers={"Content-Security-Policy": self.policy})

        @blueprint.get("/pages/<name>.css")
        def style(name: str) -> Response:
            return Response(self.css[name], content_type="text/css")

        @blueprint.get("/favicon.ico")
        def icon() -> Response:
            return Response(status=204)

        return blueprint


class _Threaded(ThreadingMixIn, WSGIServer):
    """Browsers open connections ahead of need; one idle one must not hold up the others."""

    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it overrides
        """Keep the test's output clean."""


@contextmanager
def serving(stand: Stand) -> Iterator[str]:
    """Serve a stand on a free port of loopback; yields its address without a slash at the end."""
    with serving_app(stand.app) as address:
        yield address


@contextmanager
def serving_app(app: Flask) -> Iterator[str]:
    """Serve an application likewise."""
    server = make_server("127.0.0.1", 0, app, _Threaded, _Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()
