"""One table from errors to answers: `application/problem+json` (RFC 9457). Nothing of the request is in them."""

import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from adserver.catalog.desk import UploadNotTaken
from adserver.catalog.revisions import RevisionUnreadable
from adserver.domain.errors import (
    AdserverError,
    Fault,
    IdTaken,
    InputRefused,
    InputTooLarge,
    NotLive,
    ParameterRefused,
    StaleBase,
    StoreUnavailable,
    UnknownAdvertiser,
    UnreadableInput,
    UnsupportedFormat,
)
from adserver.web.auth import Forbidden, Unauthenticated
from adserver.web.limits import TooManyCalls
from adserver.web.statuses import words_of
from adserver.web.store_gate import StoreBusy

CONTENT_TYPE: Final = "application/problem+json"
RETRY_AFTER_SECONDS: Final = 2

UNHANDLED: Final = "web.unhandled"
"""Log event: a view raised what no table foresees."""
REVISION_UNREADABLE: Final = "web.revision_unreadable"
"""Log event: what is live, or this host's copy of it, cannot be read."""

_LOG: Final = logging.getLogger(__name__)
_ON_PAGES: Final = re.compile(r"/v1/frames/|/v1/slots/.*\.html\Z", re.DOTALL)
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_TYPE_PREFIX: Final = "urn:problem-type:adserver:"


def problem_response(
    status: int,
    title: str,
    detail: str,
    errors: Sequence[Fault] = (),
    headers: Mapping[str, str] | None = None,
    *,
    kind: str | None = None,
) -> Response:
    """Return a problem document as a response.

    Args:
        status: HTTP status code.
        title: what kind of problem it is, the same at every occurrence.
        detail: what is wrong this time and what to do; worded by us, never echoing the request.
        errors: one for each field at fault; `errors` of the document, left out when empty.
        headers: further response headers.
        kind: slug that tells this kind from others of the same status; None: `about:blank`.
    """
    document: dict[str, object] = {
        "type": f"{_TYPE_PREFIX}{kind}" if kind else "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
    }
    if errors:
        document["errors"] = [_error_of(fault) for fault in errors]
    # ASCII only: a message may quote a lone surrogate of the upload, which no UTF-8 can carry.
    response = Response(json.dumps(document), status, content_type=CONTENT_TYPE)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    for name, value in (headers or {}).items():
        response.headers[name] = value
    return response


def install_problems(app: Flask) -> None:
    """Make every error of the app's views, and every HTTP error, a problem document."""
    for error, answer in _ANSWERS.items():
        app.register_error_handler(error, answer)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, _answer_unforeseen)
    app.after_request(_empty_where_printed)


def _empty_where_printed(response: Response) -> Response:
    """Empty the error of a fragment or frame: an include prints whatever body it gets on the publisher's page.

    Redirects lose their page too: it repeats the address.
    """
    if response.status_code in _REDIRECTS or (response.status_code >= 400 and _ON_PAGES.match(request.path)):
        response.set_data(b"")
        response.content_type = "text/html; charset=utf-8"
    return response


def _error_of(fault: Fault) -> dict[str, object]:
    error: dict[str, object] = {"path": fault.path, "message": fault.message}
    for name in ("file", "sheet", "line", "column"):
        value = getattr(fault, name)
        if value is not None:
            error[name] = value
    return error


def _of_status(status: int, headers: Mapping[str, str] | None = None) -> Response:
    title, detail = words_of(status)
    return problem_response(status, title, detail, headers=headers)


def _answer_input_refused(error: InputRefused) -> Response:
    detail = "Nothing was stored. Mend what `errors` lists, then send it again."
    return problem_response(422, "Input refused", detail, error.faults, kind="input-refused")


def _answer_unreadable(error: UnreadableInput) -> Response:
    detail = str(error) or "The body is not what its content type says."
    return problem_response(400, "Unreadable input", detail, kind="unreadable-input")


def _answer_too_large(error: InputTooLarge) -> Response:
    detail = str(error) or "More was sent than is taken in one call."
    return problem_response(413, "Input too large", detail, kind="input-too-large")


def _answer_unsupported(error: UnsupportedFormat) -> Response:
    detail = str(error) or "This content type or encoding is not taken."
    return problem_response(415, "Unsupported format", detail, kind="unsupported-format")


def _answer_stale(error: StaleBase) -> Response:
    return problem_response(409, "Stale base", str(error), headers={"ETag": f'"{error.live}"'}, kind="stale-base")


def _answer_taken(error: IdTaken) -> Response:
    detail = "Nothing was stored. An id belongs to something else already; `errors` says which."
    return problem_response(409, "Id taken", detail, error.faults, kind="id-taken")


def _answer_parameter(error: ParameterRefused) -> Response:
    message = str(error).removeprefix(f"{error.name}: ")
    fault = Fault(error.name, message)
    return problem_response(400, "Parameter refused", str(error), (fault,), kind="parameter-refused")


def _answer_store(_error: StoreUnavailable) -> Response:
    detail = "The store does not answer. Pages and beacons go on; try this again in a moment."
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return problem_response(503, "Store unavailable", detail, headers=headers, kind="store-unavailable")


def _answer_busy(_error: StoreBusy) -> Response:
    detail = "As many calls as may wait for the store. Pages and beacons go on; try this again in a moment."
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return problem_response(503, "Store busy", detail, headers=headers, kind="store-busy")


def _answer_upload(error: UploadNotTaken) -> Response:
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return problem_response(503, "Upload not taken", str(error), headers=headers, kind="upload-not-taken")


def _answer_revision(error: RevisionUnreadable) -> Response:
    _LOG.error(REVISION_UNREADABLE, extra={"fault": str(error)})  # names files of this host, so it is not in the answer
    detail = (
        "What is live cannot be read on this host, and nothing is published over it; the log says which file, and what "
        "to do. Pages and beacons go on."
    )
    return problem_response(503, "Revision unreadable", detail, kind="revision-unreadable")


def _answer_unauthenticated(_error: Unauthenticated) -> Response:
    return _of_status(401, {"WWW-Authenticate": "Bearer"})


def _answer_forbidden(error: Forbidden) -> Response:
    title, detail = words_of(403)
    return problem_response(403, title, str(error) or detail)


def _answer_not_live(_error: NotLive) -> Response:
    return _of_status(404)


def _answer_unknown_advertiser(error: UnknownAdvertiser) -> Response:
    detail = "Nothing was stored. There is no such advertiser for this token."
    return problem_response(404, "Unknown advertiser", detail, error.faults, kind="unknown-advertiser")


def _answer_too_many(error: TooManyCalls) -> Response:
    return _of_status(429, {"Retry-After": str(error.retry_after_seconds)})


def _answer_http(error: HTTPException) -> Response | HTTPException:
    if error.code is None or error.code < 400:  # a response that a view threw: it is one already
        return error
    headers = error.get_response().headers
    kept = {name: headers[name] for name in _KEPT_HEADERS if name in headers}
    return _of_status(error.code, kept)


def _answer_unforeseen(error: Exception) -> Response:
    # Flask's own handler logs the path, and paths carry tokens.
    _LOG.error(UNHANDLED, exc_info=error)
    return _of_status(500)


_KEPT_HEADERS: Final = ("Allow", "Retry-After", "WWW-Authenticate", "Accept")

_ANSWERS: Final[Mapping[type[AdserverError], Callable[..., Response]]] = {
    InputRefused: _answer_input_refused,
    UnreadableInput: _answer_unreadable,
    InputTooLarge: _answer_too_large,
    UnsupportedFormat: _answer_unsupported,
    StaleBase: _answer_stale,
    IdTaken: _answer_taken,
    NotLive: _answer_not_live,
    UnknownAdvertiser: _answer_unknown_advertiser,
    ParameterRefused: _answer_parameter,
    StoreUnavailable: _answer_store,
    StoreBusy: _answer_busy,
    UploadNotTaken: _answer_upload,
    RevisionUnreadable: _answer_revision,
    Unauthenticated: _answer_unauthenticated,
    Forbidden: _answer_forbidden,
    TooManyCalls: _answer_too_many,
}
