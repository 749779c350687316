"""Makes what explains decisions, and what tells of past ones, for a command beside the service."""

from random import Random

from adserver.catalog.file_names import COMPILED_NAME
from adserver.catalog.moments import Moments
from adserver.catalog.redis_store import RedisRevisionStore
from adserver.catalog.watch import CatalogWatch
from adserver.config import Settings
from adserver.counting.delivered import DeliveredWatch
from adserver.domain.token import TokenCodec
from adserver.places.gazetteer import Gazetteer
from adserver.processes.data_dir import DataDir
from adserver.runtime.clock import now_utc
from adserver.runtime.redis_client import open_redis
from adserver.statistics.redis_reason_store import RedisReasons
from adserver.web.explainer import Explainer
from adserver.web.reason_teller import ReasonTeller


def open_explainer(settings: Settings) -> Explainer:
    """Return what explains, from the data folder of a service that has run; the store is asked for past moments only.

    Raises:
        OSError: the data folder holds no keys to read tokens by, and none are set.
    """
    folder = settings.data_dir.absolute()
    catalog, delivered, gazetteer = CatalogWatch(folder / COMPILED_NAME), DeliveredWatch(folder), Gazetteer.load()
    catalog.poll()
    delivered.poll()
    keys = settings.secret_keys or (DataDir(folder, writable=False).secret_keys() if folder.exists() else (bytes(32),))
    return Explainer(
        moments=Moments(catalog, RedisRevisionStore(open_redis(settings).client), gazetteer),
        delivered=delivered,
        places=gazetteer,
        codec=TokenCodec(keys),
        clock=now_utc,
        rng=Random(),  # noqa: S311 - draws a sponsor, no secret
    )


def open_reason_teller(settings: Settings) -> ReasonTeller:
    """Return what tells why a flight did not win, beside a service of this host; it makes no data folder."""
    catalog = CatalogWatch(settings.data_dir.absolute() / COMPILED_NAME)
    catalog.poll()
    return ReasonTeller(catalog, RedisReasons(open_redis(settings).client), Gazetteer.load(), now_utc)
