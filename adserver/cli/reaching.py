"""Words for a store that a command cannot reach: mostly no service runs, or the command was given in another folder."""

from collections.abc import Iterator
from contextlib import contextmanager

from adserver.config import DATA_DIR, REDIS_URL, Settings
from adserver.domain.errors import StoreUnavailable
from adserver.processes.children import Progress
from adserver.processes.embedded_redis import EmbeddedRedis
from adserver.processes.examination import examine_service
from adserver.runtime.layout import SPOOLS_NAME, WORKER_SUMS_NAME


@contextmanager
def reaching_store(settings: Settings) -> Iterator[None]:
    """Say of a store that does not answer which one it is, and what to do.

    Raises:
        StoreUnavailable: the same, in those words.
    """
    try:
        yield
    except StoreUnavailable as error:
        raise StoreUnavailable(_explain(settings, error)) from error


def _explain(settings: Settings, error: StoreUnavailable) -> str:
    if settings.redis_url is not None:
        return f"the Redis that {REDIS_URL.name} names does not answer: {error}"
    folder = settings.data_dir.absolute()
    if EmbeddedRedis.of(folder).progress() is not Progress.WAITING:
        return str(error)
    if examine_service(folder, folder / SPOOLS_NAME, folder / WORKER_SUMS_NAME).running:
        return f"a service runs on {folder}, but its Redis does not answer: {error}"
    return f"no service runs on {folder}: start it (adserver serve, or make run), or set {DATA_DIR.name} to its folder"
