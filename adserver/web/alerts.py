"""What somebody should know of: `GET /v1/alerts`, from a file of the keeper's."""

from collections.abc import Callable

from flask import Blueprint, Response

from adserver.alerts.alert import Alert, is_for
from adserver.alerts.book import Book
from adserver.alerts.notice import alert_json, moment
from adserver.web.auth import Authenticator, Principal, require
from adserver.web.published import answer


def alerts_blueprint(book: Callable[[], Book], authenticator: Authenticator) -> Blueprint:
    """Return the route, for every role; a token that is bound to advertisers sees the alerts of those alone.

    Args:
        book: what the keeper last found; must answer at once, without Redis.
        authenticator: who shows a token.
    """
    blueprint = Blueprint("alerts", __name__)

    @blueprint.get("/v1/alerts")
    def list_alerts() -> Response:
        caller = require(authenticator)
        found = book()
        return answer(
            {
                "at": None if found.at is None else moment(found.at),
                "alerts": [alert_json(alert) for alert in alerts_for(found, caller)],
                "unlisted": 0 if caller.is_bound else found.unlisted,
            }
        )

    return blueprint


def alerts_for(book: Book, caller: Principal) -> tuple[Alert, ...]:
    """Return the alerts that exist for a caller, what matters most first."""
    return tuple(alert for alert in book.alerts if is_for(alert, caller.sees, is_bound=caller.is_bound))
