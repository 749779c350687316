"""Makes what looks for alerts on a host, and the ways that they are sent."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from adserver.alerts.redis_store import RedisBookStore
from adserver.alerts.rounds import AlertRounds
from adserver.alerts.scene import OverSold
from adserver.alerts.sight import Curve, Sight
from adserver.catalog.file_names import COMPILED_NAME
from adserver.catalog.schedule import OverBooked, Period, make_schedule
from adserver.catalog.watch import CatalogWatch
from adserver.config import Settings
from adserver.domain.catalog import Catalog
from adserver.domain.ids import AdvertiserId, FlightId
from adserver.places.gazetteer import Gazetteer
from adserver.runtime.alert_ways import make_ways
from adserver.runtime.redis_client import open_redis

_DAYS_AHEAD: Final = 60
"""How far ahead slots are looked at for over-booked shares."""


def make_alert_rounds(settings: Settings, data_dir: Path, gazetteer: Gazetteer, curve: Curve) -> AlertRounds:
    """Return what looks for alerts on this host and sends them; `curve` tells the past traffic of slots."""

    def overbooking(catalog: Catalog, now: datetime, met: frozenset[FlightId]) -> Sequence[OverSold]:
        period = Period(now.date(), now.date() + timedelta(days=_DAYS_AHEAD))
        owners = {flight.id: each.advertiser for each in catalog.campaigns for flight in each.flights}
        return [
            _over_sold(each, owners, gazetteer) for each in make_schedule(catalog, period, gazetteer, met).over_booked
        ]

    sight = Sight(data_dir, CatalogWatch(data_dir / COMPILED_NAME), curve, overbooking)
    store = RedisBookStore(open_redis(settings).client)
    return AlertRounds(data_dir, store, sight, make_ways(settings), time.time)


def _over_sold(each: OverBooked, owners: dict[FlightId, AdvertiserId], gazetteer: Gazetteer) -> OverSold:
    place = gazetteer.get(each.place) if each.place else None
    about = [f"about {place.name if place else each.place}"] if each.place else []
    topic = [f"on {each.topic}"] if each.topic else []
    shares = tuple((flight, owners[flight], share) for flight, share in each.shares)
    return OverSold(each.slot, each.first, each.last, shares, " ".join(about + topic))
