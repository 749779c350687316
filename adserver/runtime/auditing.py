"""Makes what compares the counts with all that was recorded."""

from collections.abc import Iterable
from pathlib import Path

from adserver.catalog.names import Names, load_names
from adserver.config import Settings
from adserver.keeping.audit import Auditor, Progress
from adserver.keeping.calendar import SiteCalendar
from adserver.keeping.redis_cells import RedisCells
from adserver.keeping.sources import find_records
from adserver.runtime.clock import now_utc
from adserver.runtime.redis_client import open_redis


def open_names(settings: Settings) -> Names:
    """Return what every hash stands for.

    Raises:
        StoreUnavailable: Redis does not answer.
        NamesUnreadable: what it holds is not of this layout.
    """
    return load_names(open_redis(settings))


def open_auditor(settings: Settings, folders: Iterable[Path], progress: Progress) -> Auditor:
    """Return what compares the store with all that was recorded; `folders` are the data folders of the other hosts.

    Raises:
        StoreUnavailable: Redis does not answer.
        NamesUnreadable: what it holds of names is not of this layout.
    """
    client = open_redis(settings)
    all_folders = [settings.data_dir.absolute(), *folders]
    return Auditor(
        lambda: find_records(all_folders),
        RedisCells(client),
        SiteCalendar(load_names(client)).day,
        int(now_utc().timestamp()) // 86_400,
        progress,
    )
