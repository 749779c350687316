"""What a request costs at the least, answered with as many bytes as ours: bare WSGI, and Flask's hello."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from flask import Flask, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

BODY_BYTES: Final = "BENCH_BODY_BYTES"
"""Environment variable that says how long the answer is."""


def bare() -> "WSGIApplication":
    """Return an application that only answers."""
    body = _body()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]

    def application(_environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        start_response("200 OK", headers)
        return (body,)

    return application


def hello() -> Flask:
    """Return Flask with one view."""
    app = Flask(__name__)
    body = _body()

    @app.get("/")
    def view() -> Response:
        return Response(body, content_type="application/json")

    return app


def _body() -> bytes:
    return b"." * int(os.environ[BODY_BYTES])
