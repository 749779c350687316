"""Why a slot shows what it shows: `POST /v1/explain`."""

import json
from typing import Final

from flask import Blueprint, Response, request

from adserver.catalog.moments import NothingLive
from adserver.domain.errors import UnreadableInput, UnsupportedFormat
from adserver.web.auth import Authenticator, require
from adserver.web.explainer import Explainer
from adserver.web.limits import CallLimit, caller_key
from adserver.web.problems import problem_response
from adserver.web.store_gate import StoreGate

MAX_BODY_BYTES: Final = 64 * 1024
_JSON: Final = "application/json"


def explain_blueprint(
    explainer: Explainer, authenticator: Authenticator, limit: CallLimit, gate: StoreGate
) -> Blueprint:
    """Return the route; a token of any role may ask, one bound to advertisers sees their flights only."""
    blueprint = Blueprint("explain", __name__)

    @blueprint.post("/v1/explain")
    def explain() -> Response:
        caller = require(authenticator)
        limit.take(caller_key())
        document = _document()
        with gate.entered():
            answer = explainer.answer(document)
        response = Response(json.dumps(answer.to_json(caller.sees)), content_type=_JSON)
        response.headers["Cache-Control"] = "private, no-store"
        return response

    @blueprint.errorhandler(NothingLive)
    def nothing_live(error: NothingLive) -> Response:
        return problem_response(422, "Nothing to explain", f"{str(error)[:1].upper()}{str(error)[1:]}.")

    return blueprint


def _document() -> object:
    """Return the body's JSON value.

    Raises:
        UnsupportedFormat: it claims to be something else, or is compressed.
        UnreadableInput: it is no JSON.
    """
    if request.mimetype not in (_JSON, "") or request.content_encoding not in (None, "identity"):
        raise UnsupportedFormat(f"Send the question as {_JSON}, not compressed.")
    request.max_content_length = MAX_BODY_BYTES
    try:
        return json.loads(request.get_data(cache=False))
    except (ValueError, RecursionError) as error:
        raise UnreadableInput("The body is not JSON in UTF-8, or nested without end.") from error
