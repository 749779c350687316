"""Makes what compares the counts with all that was recorded."""

from collections.abc import Iterable
from pathlib import Path

from adserver.catalog.file_names import COMPILED_NAME
from adserver.catalog.names import Names, load_names
from adserver.catalog.watch import CatalogWatch
from adserver.config import Settings
from adserver.keeping.audit import Auditor, Progress
from adserver.keeping.calendar import SiteCalendar
from adserver.keeping.keeper import goals_of
from adserver.keeping.redis_cells import RedisCells
from adserver.keeping.redis_counts import DEDUPE_WINDOW_SECONDS, RedisCountStore
from adserver.keeping.repair import Repair
from adserver.keeping.sources import find_records
from adserver.runtime.clock import now_utc
from adserver.runtime.redis_client import open_redis


def open_names(settings: Settings) -> Names:
    """Return what every hash stands for.

    Raises:
        StoreUnavailable: Redis does not answer.
        NamesUnreadable: what it holds is not of this layout.
    """
    return load_names(open_redis(settings).client)


def open_repair(settings: Settings, folders: Iterable[Path]) -> Repair:
    """Return what counts again what only archives have; `folders` are the data folders of the other hosts.

    Raises:
        StoreUnavailable: Redis does not answer.
        NamesUnreadable: what it holds of names is not of this layout.
        ArchiveDamaged: a file of an archive is not whole.
    """
    client = open_redis(settings).client
    catalog = CatalogWatch(settings.data_dir.absolute() / COMPILED_NAME)
    catalog.poll()
    snapshot = catalog.current()
    return Repair(
        find_records([settings.data_dir.absolute(), *folders]),
        RedisCells(client),
        RedisCountStore(client),
        SiteCalendar(load_names(client)).day,
        goals_of(snapshot) if snapshot else {},
    )


def open_auditor(settings: Settings, folders: Iterable[Path], progress: Progress) -> Auditor:
    """Return what compares the store with all that was recorded; `folders` are the data folders of the other hosts.

    Raises:
        StoreUnavailable: Redis does not answer.
        NamesUnreadable: what it holds of names is not of this layout.
    """
    client = open_redis(settings).client
    all_folders = [settings.data_dir.absolute(), *folders]
    now = int(now_utc().timestamp())
    return Auditor(
        lambda: find_records(all_folders),
        RedisCells(client),
        SiteCalendar(load_names(client)).day,
        now // 86_400,
        progress,
        late_before=now - DEDUPE_WINDOW_SECONDS,
    )
