"""What tests of alerts are about: a flight of a hundred days in Chicago, a thousand sold; alerts, and notices."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from adserver.alerts.alert import SEVERITY_OF, Alert, AlertKind
from adserver.alerts.notice import Happening, Notice, make_notice
from adserver.alerts.scene import Scene, WatchedFlight
from adserver.decision.plan import PacedFlight
from adserver.domain.catalog import Pacing
from adserver.domain.ids import AdvertiserId, CampaignId, FlightId

ZONE: Final = "America/Chicago"
FIRST: Final = date(2026, 9, 1)
LAST: Final = date(2026, 12, 9)
FLIGHT: Final = FlightId("minnesota")


def instant(day: date, at: time = time.min, zone: str = ZONE) -> datetime:
    """Return a local time as aware UTC."""
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)


def make_flight(
    goal: int | None = 1000, pacing: Pacing = Pacing.EVEN, last: date | None = LAST, **changes: object
) -> WatchedFlight:
    """Return the flight, with changes; `goal` None: it has none."""
    ends = None if last is None else instant(last + timedelta(days=1)).timestamp()
    plan = None if goal is None else PacedFlight(FLIGHT, instant(FIRST).timestamp(), ends, goal, pacing)
    flight = WatchedFlight(
        FLIGHT, CampaignId("qwiket-season"), "QWIKET fantasy season", AdvertiserId("qwiket"), ZONE, FIRST, last, plan
    )
    return replace(flight, **changes)  # type: ignore[arg-type]  # of the field's type, or the test fails


def make_scene(now: datetime, delivered: int | None = None, **fields: object) -> Scene:
    """Return a scene of the flight; `delivered` None: it is not known."""
    counts = {} if delivered is None else {FLIGHT: delivered}
    scene = Scene(now, (make_flight(),), counts)
    return replace(scene, **fields)  # type: ignore[arg-type]  # of the field's type, or the test fails


def make_alert(id_: str = "behind_plan:minnesota", **changes: object) -> Alert:
    """Return an alert that just began, with changes."""
    kind = AlertKind(id_.partition(":")[0])
    fields: dict[str, object] = {
        "id": id_,
        "kind": kind,
        "severity": SEVERITY_OF[kind],
        "title": "QWIKET fantasy season: flight minnesota is 23 % behind plan",
        "text": "By now 1,000 of its 5,000 impressions are due; 770 are delivered, 230 too few.",
        "advice": "See who wins in its place with `adserver explain`.",
        "advertisers": ("qwiket",),
        **changes,
    }
    return Alert(**fields)  # type: ignore[arg-type]  # of the field's type, or the test fails


def make_notices(*ids: str, at: float = 1_000.0) -> tuple[Notice, ...]:
    """Return notices that alerts of these ids began."""
    return tuple(make_notice(Happening.BEGAN, make_alert(id_, since=at), at) for id_ in ids)
