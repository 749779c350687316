"""Makes what publishes revisions."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import redis

from adserver.catalog.publish import CatalogOf, Publisher, none_at_hand
from adserver.catalog.redis_store import RedisRevisionStore
from adserver.catalog.served import ServedRevisions
from adserver.config import Settings
from adserver.counting.delivered import DeliveredWatch
from adserver.domain.ids import FlightId
from adserver.places.gazetteer import Gazetteer
from adserver.runtime.clock import now_utc
from adserver.runtime.redis_client import open_redis


def open_publisher(settings: Settings) -> Publisher:
    """Return what publishes revisions. Makes no data folder: a command that is given elsewhere leaves nothing."""
    return make_publisher(open_redis(settings).client, Gazetteer.load(), settings.data_dir.absolute(), now_utc)


def make_publisher(
    client: redis.Redis,
    gazetteer: Gazetteer,
    data_dir: Path,
    clock: Callable[[], datetime],
    catalog_of: CatalogOf = none_at_hand,
) -> Publisher:
    """Return what publishes revisions through a client that is open already."""
    goals = DeliveredWatch(data_dir)

    def delivered() -> Mapping[FlightId, int]:
        goals.poll()
        return goals.current()

    return Publisher(RedisRevisionStore(client), gazetteer, clock, ServedRevisions(data_dir), catalog_of, delivered)
