"""The answers of the delivery calls as Flask responses."""

import base64
from typing import Final

from flask import Response

from adserver.domain.reasons import NoFillReason

NO_FILL_HEADER: Final = "Sponsor-No-Fill"

_HTML: Final = "text/html; charset=utf-8"
_PIXEL: Final = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""One transparent pixel."""


def json_answer(body: bytes) -> Response:
    """Return a decision, or a page's decisions."""
    return no_store(Response(body, content_type="application/json"))


def json_no_fill(reason: NoFillReason) -> Response:
    """Return what a slot's JSON is without a fill."""
    return no_store(Response(status=204, headers={NO_FILL_HEADER: reason}))


def html_answer(body: bytes | str) -> Response:
    """Return a fragment or frame."""
    return no_store(Response(body, content_type=_HTML))


def html_no_fill(reason: NoFillReason, body: str = "") -> Response:
    """Return what a slot's fragment is without a fill, or a frame, whose `body` is a blank page."""
    return no_store(Response(body, content_type=_HTML, headers={NO_FILL_HEADER: reason}))


def html_refused(status: int) -> Response:
    """Return an answer without a body: an include prints whatever it is sent."""
    return no_store(Response("", status, content_type=_HTML))


def pixel() -> Response:
    """Return the image of a beacon."""
    return no_store(Response(_PIXEL, content_type="image/gif"))


def events_taken() -> Response:
    """Return the answer to a batch of events."""
    return no_store(Response(status=204))


def no_store(response: Response) -> Response:
    """Keep a token, which is one reader's, out of every cache."""
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Surrogate-Control"] = "no-store"
    return response
