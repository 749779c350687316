"""Makes what explains decisions, for a command beside the service."""

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
from adserver.web.explainer import Explainer


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
