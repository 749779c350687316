"""Which alerts there are at a moment; pure."""

from typing import Final

from adserver.alerts.alert import Alert, Severity
from adserver.alerts.flight_alerts import find_flight_alerts
from adserver.alerts.scene import Scene
from adserver.alerts.service_alerts import find_service_alerts

MOST_ALERTS: Final = 1_000
"""More are only counted: nobody reads them."""

_ORDER: Final = tuple(Severity)


def find_alerts(scene: Scene) -> tuple[tuple[Alert, ...], int]:
    """Return what is amiss, what matters most first, and how many more there are than `MOST_ALERTS`.

    Those that are on stay rather than make room: whatever is left out would seem to have ended.
    """
    found = [*find_flight_alerts(scene), *find_service_alerts(scene)]
    found.sort(key=_rank)
    if len(found) > MOST_ALERTS:
        found.sort(key=lambda alert: alert.id not in scene.held)
        kept = sorted(found[:MOST_ALERTS], key=_rank)
        return tuple(kept), len(found) - MOST_ALERTS
    return tuple(found), 0


def _rank(alert: Alert) -> tuple[int, str]:
    return _ORDER.index(alert.severity), alert.id
