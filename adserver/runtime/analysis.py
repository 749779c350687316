"""Makes what answers queries of the counts."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import redis

from adserver.catalog.file_names import COMPILED_NAME
from adserver.catalog.names import load_names
from adserver.catalog.watch import CatalogWatch
from adserver.config import Settings
from adserver.keeping.keeper_state import read_keeper_state
from adserver.places.gazetteer import Gazetteer
from adserver.runtime.clock import now_utc
from adserver.runtime.redis_client import open_redis
from adserver.statistics.redis_cell_store import RedisCellStore
from adserver.statistics.redis_reach_store import RedisReachStore
from adserver.statistics.redis_standing import RedisStanding
from adserver.statistics.service import StatisticsService


def open_statistics(settings: Settings) -> StatisticsService:
    """Return what answers queries; it makes no data folder."""
    catalog = CatalogWatch(settings.data_dir.absolute() / COMPILED_NAME)
    catalog.poll()
    return make_statistics(open_redis(settings).client, catalog, Gazetteer.load(), now_utc, settings.data_dir)


def make_statistics(
    client: redis.Redis, catalog: CatalogWatch, gazetteer: Gazetteer, clock: Callable[[], datetime], data_dir: Path
) -> StatisticsService:
    """Return what answers queries, with a client that is open and a catalog that somebody keeps fresh."""

    def backlog() -> tuple[int, float]:
        state = read_keeper_state(data_dir)
        return (state.backlog_bytes, state.lag_seconds(clock().timestamp())) if state else (0, 0.0)

    cells, reach, standing = RedisCellStore(client), RedisReachStore(client), RedisStanding(client, backlog)
    return StatisticsService(cells, lambda: load_names(client), catalog.catalog, gazetteer, clock, reach, standing)
