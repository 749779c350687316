"""Liveness and readiness, for load balancers and for people."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Response, jsonify


@dataclass(frozen=True, slots=True)
class Readiness:
    """What `/readyz` tells. Immutable."""

    revision: int
    """The catalog's revision that this process serves; 0: none."""
    reasons: tuple[str, ...] = ()
    """Why the process should get no traffic yet; empty: it is ready."""
    warnings: tuple[str, ...] = ()
    """What someone should look at although pages are served."""


def health_blueprint(readiness: Callable[[], Readiness]) -> Blueprint:
    """Return `/healthz` (this process answers) and `/readyz` (it has something to serve).

    Args:
        readiness: looks at this process's state; must answer at once, without Redis.
    """
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        return _uncached(jsonify(status="alive"))

    @blueprint.get("/readyz")
    def readyz() -> Response:
        state = readiness()
        response = jsonify(
            status="waiting" if state.reasons else "ready",
            revision=state.revision,
            reasons=state.reasons,
            warnings=state.warnings,
        )
        response.status_code = 503 if state.reasons else 200
        return _uncached(response)

    return blueprint


def _uncached(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
