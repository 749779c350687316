"""Makes what looks for alerts on a host, and the ways that they are sent."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from adserver.alerts.courier import Courier
from adserver.alerts.mail import Mail
from adserver.alerts.redis_store import RedisBookStore
from adserver.alerts.rounds import AlertRounds
from adserver.alerts.scene import OverSold
from adserver.alerts.sight import Curve, Sight
from adserver.alerts.way import Way
from adserver.alerts.webhook import Webhook
from adserver.catalog.file_names import COMPILED_NAME
from adserver.catalog.schedule import OverBooked, Period, make_schedule
from adserver.catalog.watch import CatalogWatch
from adserver.config import Settings
from adserver.domain.catalog import Catalog
from adserver.domain.ids import AdvertiserId, FlightId
from adserver.places.gazetteer import Gazetteer
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
    couriers = [Courier(way, time.time) for way in make_ways(settings)]
    return AlertRounds(data_dir, RedisBookStore(open_redis(settings).client), sight, couriers, time.time)


def make_ways(settings: Settings) -> tuple[Way, ...]:
    """Return the ways that the settings name."""
    ways, link = settings.alerts, alerts_link(settings)
    made: list[Way] = []
    if ways.webhook is not None:
        made.append(Webhook(ways.webhook, ways.webhook_secret, link))
    if ways.smtp is not None:
        made.append(Mail(ways.smtp, ways.mail_from, ways.mail_to, link))
    return tuple(made)


def alerts_link(settings: Settings) -> str | None:
    """Return where people see all alerts; None: no setting names the service's address."""
    return None if settings.public_url is None else f"{settings.public_url}/console/alerts"


def _over_sold(each: OverBooked, owners: dict[FlightId, AdvertiserId], gazetteer: Gazetteer) -> OverSold:
    place = gazetteer.get(each.place) if each.place else None
    about = [f"about {place.name if place else each.place}"] if each.place else []
    topic = [f"on {each.topic}"] if each.topic else []
    shares = tuple((flight, owners[flight], share) for flight, share in each.shares)
    return OverSold(each.slot, each.first, each.last, shares, " ".join(about + topic))
