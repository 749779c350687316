"""Makes what keeps the paces of a host."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import redis

from adserver.catalog.file_names import COMPILED_NAME
from adserver.catalog.watch import CatalogWatch
from adserver.config import Settings
from adserver.decision.traffic import HOUR_SECONDS
from adserver.domain.ids import SlotId
from adserver.keeping.allowances import AllowanceKeeper
from adserver.keeping.caps import CapWatch
from adserver.keeping.past_traffic import PastTraffic, SlotHours
from adserver.keeping.redis_caps import RedisCapStore
from adserver.places.gazetteer import Gazetteer
from adserver.runtime.analysis import make_statistics, open_statistics
from adserver.runtime.clock import now_utc
from adserver.runtime.redis_client import open_redis
from adserver.statistics.dimensions import Dimension
from adserver.statistics.metrics import MetricName
from adserver.statistics.query import Days, Pagination, Query
from adserver.statistics.service import StatisticsService

_PAST_DAYS: Final = 28
_ALL_ROWS: Final = 10_000_000


def make_allowances(settings: Settings, client: redis.Redis, gazetteer: Gazetteer) -> AllowanceKeeper:
    """Return what keeps the paces of a host; `client` is the keeper's own."""
    data_dir = settings.data_dir.absolute()
    catalog = CatalogWatch(data_dir / COMPILED_NAME)
    statistics = make_statistics(open_redis(settings).client, catalog, gazetteer, now_utc, data_dir)

    def read_hours() -> tuple[SlotHours, range]:
        catalog.poll()
        return _read_hours(statistics, now_utc())

    return AllowanceKeeper(data_dir, CapWatch(RedisCapStore(client)), PastTraffic(read_hours))


class Past(NamedTuple):
    """What was asked in the last four weeks. Immutable."""

    slots: SlotHours
    hours: range
    """Those that were watched, since 1970."""
    places: Mapping[str, int]
    """Decisions by the id of the place that the page named; `(unknown)` where it named none that is known."""
    topics: Mapping[str, int]
    """Decisions by the page's first topic; `(none)` and `(unknown)` as in statistics."""


def read_past(settings: Settings) -> Past:
    """Return what was asked in the last four weeks, from the counts of a running service.

    Raises:
        StoreUnavailable: the counts cannot be read now.
        QueryRefused: hours are not kept so long.
    """
    statistics, now = open_statistics(settings), now_utc()
    slots, hours = _read_hours(statistics, now)
    places, topics = (
        {row.dimensions[0]: int(row.metrics[0]) for row in statistics.run(_query(now, dimension)).rows}
        for dimension in (Dimension.PLACE, Dimension.TOPIC)
    )
    return Past(slots, hours, places, topics)


def _query(now: datetime, *dimensions: Dimension, zone: ZoneInfo | None = None) -> Query:
    today = now.astimezone(UTC).date()
    return Query(
        metrics=(MetricName.DECISIONS,),
        date_range=Days(today - timedelta(days=_PAST_DAYS), today),
        dimensions=dimensions,
        pagination=Pagination(_ALL_ROWS),
        timezone=zone,
    )


def _read_hours(statistics: StatisticsService, now: datetime) -> tuple[SlotHours, range]:
    """Return the decisions of each slot in the last four weeks by hour since 1970, and which whole hours those are.

    Raises:
        StoreUnavailable: the counts cannot be read now.
        QueryRefused: hours are not kept so long.
    """
    query = _query(now, Dimension.SLOT, Dimension.HOUR, zone=ZoneInfo("UTC"))
    hours: dict[SlotId, dict[int, int]] = {}
    for row in statistics.run(query).rows:
        slot, label = row.dimensions
        hour = datetime.fromisoformat(label).replace(tzinfo=UTC).timestamp() // HOUR_SECONDS
        hours.setdefault(SlotId(slot), {})[int(hour)] = int(row.metrics[0])
    this_hour = int(now.timestamp() // HOUR_SECONDS)
    return hours, range(this_hour - _PAST_DAYS * 24, this_hour)
