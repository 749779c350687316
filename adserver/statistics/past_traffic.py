"""What pages asked in the past weeks, as the cells keep it: for forecasts."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from adserver.decision.coming_traffic import PastTraffic
from adserver.domain.ids import PlaceId, SlotId, Topic
from adserver.domain.places import Place
from adserver.statistics.errors import QueryRefused
from adserver.statistics.parsing import parse_query
from adserver.statistics.service import Row, StatisticsService

PAST_DAYS: Final = 28
_HOUR: Final = timedelta(hours=1)
_HOURS_A_DAY: Final = 24
_FEW_FILLS: Final = 100
"""Of fewer the seen ones say little; then all are taken to be seen."""


def read_past_traffic(
    service: StatisticsService, place_of: Callable[[PlaceId], Place | None], now: datetime
) -> PastTraffic:
    """Return the traffic of the last whole 28 days and of today so far; fewer where counting began later.

    Raises:
        StoreUnavailable: the cells cannot be read now.
    """
    today = now.astimezone(UTC).date()
    span = [(today - timedelta(days=PAST_DAYS)).isoformat(), today.isoformat()]

    def rows(metrics: list[str], *dimensions: str, **more: object) -> tuple[Row, ...]:
        asked = {"metrics": metrics, "dimensions": list(dimensions), "date_range": span, **more}
        return service.run(parse_query(asked)).rows

    by_place: Counter[tuple[SlotId, Place | None]] = Counter()
    for row in rows(["decisions"], "slot", "place"):
        by_place[SlotId(row.dimensions[0]), place_of(PlaceId(row.dimensions[1]))] += int(row.metrics[0])
    by_topic = {
        (SlotId(row.dimensions[0]), _topic(row.dimensions[1])): int(row.metrics[0])
        for row in rows(["decisions"], "slot", "topic")
    }
    try:
        by_hour = {_utc(row): int(row.metrics[0]) for row in rows(["decisions"], "time:hour", timezone="UTC")}
    except QueryRefused:  # hours of some of these days are rolled up: the days are spread evenly
        by_hour = {
            _utc(row) + hour * _HOUR: int(row.metrics[0]) // _HOURS_A_DAY
            for row in rows(["decisions"], "time:day")
            for hour in range(_HOURS_A_DAY)
        }
    fills, impressions = rows(["fills", "impressions"])[0].metrics
    seen = min(1.0, impressions / fills) if fills >= _FEW_FILLS else 1.0
    return PastTraffic(by_place, by_topic, _every_hour(by_hour, now), seen)


def _utc(row: Row) -> datetime:
    return datetime.fromisoformat(row.dimensions[0]).replace(tzinfo=UTC)


def _topic(label: str) -> Topic | None:
    return None if label.startswith("(") else Topic(label)


def _every_hour(counted: dict[datetime, int], now: datetime) -> dict[datetime, int]:
    """Return every whole hour from the first that was counted to the one before now; of them alone if there is one."""
    last = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if not counted:
        return {}
    hour = min(counted)
    if hour >= last:
        return counted
    found = {}
    while hour < last:
        found[hour] = counted.get(hour, 0)
        hour += _HOUR
    return found
