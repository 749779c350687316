"""What a worker tells of itself and its host, to load balancers, to people and to Prometheus."""

from pathlib import Path

from adserver.catalog.watch import CatalogWatch
from adserver.counting.drops import spools_fail
from adserver.counting.paces import WorkerPaces
from adserver.keeping.keeper_state import read_keeper_state, warn_of
from adserver.keeping.quarantine import QUARANTINE_NAME, holds_any
from adserver.runtime.layout import SPOOLS_NAME, WORKER_SUMS_NAME
from adserver.web.health import Readiness
from adserver.web.readings import Standing
from adserver.web.scraping import look_at_host


def standing_of(catalog: CatalogWatch, data_dir: Path, now: float) -> Standing:
    """Return what `/metrics` tells of the host; `now` in seconds of Unix time."""
    snapshot = catalog.current()
    return look_at_host(
        data_dir,
        data_dir / WORKER_SUMS_NAME,
        data_dir / SPOOLS_NAME,
        slots=frozenset(slot.id for slot in snapshot.slots) if snapshot else frozenset(),
        catalog_readable=catalog.fault is None,
        now=now,
    )


def readiness_of(
    catalog: CatalogWatch, paces: WorkerPaces, data_dir: Path, now: float, spool_fault: str | None
) -> Readiness:
    """Return what `/readyz` tells; `now` in seconds of Unix time, and why the worker's spool takes no event, if so.

    A process that has just begun is not ready until the keeper has told what it may serve of goals, where one is at
    work; for seconds only, since all else can be served, and must be while the disk is full.
    """
    snapshot = catalog.current()
    faults = (catalog.fault,) if catalog.fault else ()
    keeper = read_keeper_state(data_dir)
    warnings = (*faults, *warn_of(keeper, now), *_warn_of_storage(data_dir, spool_fault))
    if snapshot is None:
        reason = "nothing is published, and there is no copy on this host's disk"
        return Readiness(0, reasons=(reason,), warnings=warnings)
    if not paces.is_known and keeper is not None and not keeper.is_stale(now):
        untold = "the keeper has not told this process yet how much of goals it may serve"
        if paces.is_awaited:
            return Readiness(snapshot.revision, reasons=(untold,), warnings=warnings)
        warnings = (*warnings, untold)
    return Readiness(snapshot.revision, warnings=warnings)


def _warn_of_storage(data_dir: Path, spool_fault: str | None) -> tuple[str, ...]:
    """Return what someone should mend on the disk of this host."""
    warnings: list[str] = []
    if spool_fault is not None or spools_fail(data_dir / SPOOLS_NAME):
        warnings.append("events cannot be written and are dropped: the data folder is full, read-only or broken")
    if holds_any(data_dir):
        warnings.append(
            f"bytes of a spool were no records; see {QUARANTINE_NAME}/ in the data folder, and take it away"
        )
    return tuple(warnings)
