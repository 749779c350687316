"""What is asked of the counts: `POST /v1/query`, as JSON or CSV."""

import json
from collections import Counter
from typing import Final

from flask import Blueprint, Response, request

from adserver.domain.errors import Fault, UnreadableInput, UnsupportedFormat
from adserver.statistics.errors import QueryRefused
from adserver.statistics.parsing import parse_query
from adserver.statistics.rendering import to_csv, to_document
from adserver.statistics.service import Result, StatisticsService
from adserver.web.auth import Authenticator, Principal, require
from adserver.web.limits import CallLimit, caller_key
from adserver.web.problems import problem_response
from adserver.web.store_gate import StoreGate

MAX_BODY_BYTES: Final = 256 * 1024
_JSON: Final = "application/json"
_CSV: Final = "text/csv"


def statistics_blueprint(
    service: StatisticsService, authenticator: Authenticator, limit: CallLimit, gate: StoreGate
) -> Blueprint:
    """Return the routes of statistics; a token of any role may ask, as often as `limit` and `gate` let it."""
    blueprint = Blueprint("statistics", __name__)

    def run(caller: Principal) -> Result:
        asked = parse_query(_document())
        if caller.advertisers is not None:
            asked = asked.within(caller.advertisers)
        with gate.entered():
            return service.run(asked)

    @blueprint.post("/v1/query")
    def query() -> Response:
        caller = require(authenticator)
        limit.take(caller_key())
        wants_csv = request.accept_mimetypes.best_match((_JSON, _CSV), default=_JSON) == _CSV
        result = run(caller)
        response = _csv_response(result) if wants_csv else _json_response(result)
        response.headers["Vary"] = "Accept"
        return response

    @blueprint.post("/v1/query.csv")
    def query_csv() -> Response:
        caller = require(authenticator)
        limit.take(caller_key())
        return _csv_response(run(caller))

    @blueprint.errorhandler(QueryRefused)
    def refused(error: QueryRefused) -> Response:
        detail = "The query cannot be answered; `errors` says why, and what can."
        return problem_response(422, "Query refused", detail, error.faults, kind="query-refused")

    return blueprint


def _document() -> object:
    """Return the body's JSON value; too large a body is refused before it is read whole.

    Raises:
        UnsupportedFormat: it claims to be something else, or is compressed.
        UnreadableInput: it is no JSON.
        QueryRefused: a key stands in it twice.
    """
    if request.mimetype not in (_JSON, "") or request.content_encoding not in (None, "identity"):
        raise UnsupportedFormat(f"Send the query as {_JSON}, not compressed.")
    request.max_content_length = MAX_BODY_BYTES
    try:
        text = request.get_data(cache=False).decode("utf-8")
        return json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:  # ValueError: of UTF-8, of JSON, and numbers of thousands of digits
        raise UnreadableInput("The body is not JSON in UTF-8, or nested without end.") from error


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    read = dict(pairs)
    if len(read) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = (key for key, count in counts.items() if count > 1)
        raise QueryRefused(tuple(Fault(key, "this key stands twice in one object") for key in twice))
    return read


def _refuse_constant(name: str) -> object:
    raise ValueError(name)


def _json_response(result: Result) -> Response:
    return _private(Response(json.dumps(to_document(result)), content_type=_JSON))


def _csv_response(result: Result) -> Response:
    response = Response(to_csv(result), content_type=f"{_CSV}; charset=utf-8; header=present")
    response.headers["Content-Disposition"] = 'attachment; filename="statistics.csv"'
    return _private(response)


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
