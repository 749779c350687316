"""What management calls answer: JSON that no cache keeps, with the revision it is of as its entity tag."""

import msgspec
from flask import Response

from adserver.catalog.desk import Outcome


def published(outcome: Outcome) -> Response:
    """Return what became of a change: `{"base", "revision", "plan"}`."""
    document = {"base": outcome.base, "revision": outcome.revision, "plan": msgspec.Raw(outcome.plan)}
    return answer(document, outcome.live)


def answer(document: object, revision: int | None = None) -> Response:
    """Return a document as JSON; `revision`: what it is of, None where it is of none."""
    response = Response(msgspec.json.encode(document), content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    if revision is not None:
        response.headers["ETag"] = f'"{revision}"'
    return response
