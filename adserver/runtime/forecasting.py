"""Makes what forecasts drafts."""

from collections.abc import Callable
from datetime import datetime

from adserver.catalog.file_names import COMPILED_NAME
from adserver.catalog.publish import Publisher
from adserver.catalog.watch import CatalogWatch
from adserver.config import Settings
from adserver.counting.delivered import DeliveredWatch
from adserver.places.gazetteer import Gazetteer
from adserver.runtime.analysis import make_statistics
from adserver.runtime.clock import now_utc
from adserver.runtime.publishing import make_publisher
from adserver.runtime.redis_client import open_redis
from adserver.statistics.past_traffic import read_past_traffic
from adserver.statistics.service import StatisticsService
from adserver.web.forecaster import Forecaster
from adserver.web.serving import CatalogSource, DeliveredSource


def open_forecaster(settings: Settings) -> Forecaster:
    """Return what forecasts, beside a service of this host; it makes no data folder."""
    folder, gazetteer = settings.data_dir.absolute(), Gazetteer.load()
    catalog, delivered = CatalogWatch(folder / COMPILED_NAME), DeliveredWatch(folder)
    catalog.poll()
    delivered.poll()
    client = open_redis(settings).client
    statistics = make_statistics(client, catalog, gazetteer, now_utc, settings.data_dir)
    publisher = make_publisher(client, gazetteer, folder, now_utc)
    return make_forecaster(publisher, statistics, catalog, delivered, gazetteer, now_utc)


def make_forecaster(
    publisher: Publisher,
    statistics: StatisticsService,
    catalog: CatalogSource,
    delivered: DeliveredSource,
    gazetteer: Gazetteer,
    clock: Callable[[], datetime],
) -> Forecaster:
    """Return what forecasts, over what a process has already."""
    return Forecaster(
        publisher=publisher,
        gazetteer=gazetteer,
        catalog=catalog,
        delivered=delivered,
        traffic=lambda: read_past_traffic(statistics, gazetteer.get, clock()),
        clock=clock,
    )
