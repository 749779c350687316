"""The console's page of alerts, the number in the navigation, and the few that stand on the overview."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from flask import Blueprint, current_app, render_template, url_for
from markupsafe import Markup

from adserver.alerts.alert import Alert, AlertKind, Severity
from adserver.alerts.book import Book, Tally
from adserver.alerts.notice import moment
from adserver.web.alerts import alerts_for
from adserver.web.auth import Principal
from adserver.web.console.navigation import Entry, Section
from adserver.web.console.shell import current_caller

STALE_SECONDS: Final = 300.0
"""After so long without a look, what the page shows may no longer be so."""

_ON_OVERVIEW: Final = 3
_CAMPAIGN: Final = "console_campaigns.one"
_ICONS: Final = {
    AlertKind.BEHIND_PLAN: "graph-down-arrow",
    AlertKind.GOAL_AT_RISK: "bullseye",
    AlertKind.ENDING_SOON: "calendar-event",
    AlertKind.OVER_BOOKED: "layers-half",
    AlertKind.CACHED_EMBED: "archive",
    AlertKind.GAPS: "puzzle",
    AlertKind.DROPS: "trash3",
}
_NAMES: Final = {
    AlertKind.BEHIND_PLAN: "Behind plan",
    AlertKind.GOAL_AT_RISK: "Goal at risk",
    AlertKind.ENDING_SOON: "Ending soon",
    AlertKind.OVER_BOOKED: "Over-booked",
    AlertKind.CACHED_EMBED: "Cached markup",
    AlertKind.GAPS: "Missing events",
    AlertKind.DROPS: "Lost events",
}


def alerts_section(book: Callable[[], Book], clock: Callable[[], datetime], ways: Sequence[str]) -> Section:
    """Return the page `/console/alerts`.

    Args:
        book: what the keeper last found; must answer at once, without Redis.
        clock: the present, aware UTC.
        ways: what alerts are sent by, beside standing here.
    """
    blueprint = Blueprint("console_alerts", __name__, template_folder="templates")

    @blueprint.get("/alerts")
    def page() -> str:
        caller, found = current_caller(), book()
        alerts = alerts_for(found, caller)
        return render_template(
            "console/alerts.html",
            groups=[(each, [one for one in alerts if one.severity is each]) for each in Severity],
            number=len(alerts),
            at=None if found.at is None else moment(found.at),
            is_stale=found.at is not None and clock().timestamp() - found.at > STALE_SECONDS,
            unlisted=0 if caller.is_bound else found.unlisted,
            sendings=None if caller.is_bound else _sendings(found, ways),
            **_words(),
        )

    entry = Entry(
        "Alerts",
        "console_alerts.page",
        "bell",
        "See what somebody should look at: goals, ends, slots, counts.",
        count=lambda caller: len(alerts_for(book(), caller)),
    )
    return Section(blueprint, (entry,))


def alerts_notice(book: Callable[[], Book]) -> Callable[[Principal], Markup]:
    """Return what stands on the overview: the few alerts that matter most; nothing where there are none."""

    def notice(caller: Principal) -> Markup:
        alerts = alerts_for(book(), caller)
        if not alerts:
            return Markup()
        shown = alerts[:_ON_OVERVIEW]
        page = render_template("console/alerts_notice.html", alerts=shown, more=len(alerts) - len(shown), **_words())
        return Markup(page)  # noqa: S704 - escaped by the template

    return notice


def _words() -> dict[str, object]:
    return {
        "icon_of": _ICONS,
        "name_of": _NAMES,
        "campaign_url": _campaign_url,
        "moment": moment,
        "with_code": _with_code,
    }


def _with_code(text: str) -> Markup:
    """Return a text as HTML, with what stands between backquotes as code."""
    parts = text.split("`")
    return Markup().join(Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts))


def _campaign_url(alert: Alert) -> str | None:
    """Return the page of the campaign that an alert is about; None: it is about none, or there is no such page."""
    if alert.campaign is None or _CAMPAIGN not in current_app.view_functions:
        return None
    return url_for(_CAMPAIGN, campaign=alert.campaign)


def _sendings(book: Book, ways: Sequence[str]) -> list[tuple[str, Tally, int]]:
    """Return each way with how it went, and how many notices wait there after a try that failed."""
    waiting = [each.way for each in book.to_send if each.tries]
    return [(way, book.tallies.get(way, Tally()), waiting.count(way)) for way in ways]
