"""What is sent of an alert: once when it begins, once when it ends. Values only."""

import hashlib
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import msgspec

from adserver.alerts.alert import SEVERITY_OF, Alert, AlertKind

PAYLOAD_VERSION: Final = 1


class Happening(StrEnum):
    """What is told of an alert."""

    BEGAN = "began"
    ENDED = "ended"
    TEST = "test"
    """Nothing is amiss: somebody tries out whether alerts arrive."""


class Notice(msgspec.Struct, frozen=True):
    """One thing to send. Immutable."""

    id: str
    """The same whenever this is sent: who receives it twice has received it."""
    event: Happening
    at: float
    """Unix time."""
    alert: Alert


def make_notice(event: Happening, alert: Alert, at: float) -> Notice:
    """Return the notice that an alert began or ended; its id follows from the alert, its beginning and the event."""
    words = f"{alert.id}\0{alert.since:.3f}\0{event}"
    return Notice(hashlib.sha256(words.encode()).hexdigest()[:32], event, at, alert)


def make_test_notice(at: float) -> Notice:
    """Return a notice of an alert that is none."""
    alert = Alert(
        id="test",
        kind=AlertKind.DROPS,
        severity=SEVERITY_OF[AlertKind.DROPS],
        title="This is a test",
        text="Somebody tries out whether alerts of the ad server arrive here. They do.",
        advice="There is nothing to do.",
        since=at,
    )
    return make_notice(Happening.TEST, alert, at)


def payload(notice: Notice, link: str | None) -> bytes:
    """Return the JSON that a webhook gets; `link`: where people see all alerts, None: not known."""
    alert = notice.alert
    return msgspec.json.encode(
        {
            "version": PAYLOAD_VERSION,
            "id": notice.id,
            "event": notice.event,
            "at": moment(notice.at),
            "alert": alert_json(alert),
            "link": link,
        }
    )


def alert_json(alert: Alert) -> dict[str, object]:
    """Return an alert as the API and webhooks show it."""
    return {
        "id": alert.id,
        "kind": alert.kind.value,
        "severity": alert.severity.value,
        "title": alert.title,
        "text": alert.text,
        "advice": alert.advice,
        "advertisers": list(alert.advertisers),
        "campaign": alert.campaign,
        "flight": alert.flight,
        "slot": alert.slot,
        "since": moment(alert.since),
    }


def moment(second: float) -> str:
    """Return Unix time as `2026-11-24T08:00:00Z`."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
