"""The worker's view of the compiled catalog: loads it again when the keeper has replaced it."""

import logging
import os
import threading
from pathlib import Path
from typing import Final

from adserver.catalog.compiled import CompiledUnreadable, open_compiled
from adserver.catalog.revisions import Head
from adserver.decision.image import ImageUnreadable
from adserver.decision.snapshot import Snapshot
from adserver.domain.catalog import Catalog

SNAPSHOT_UNREADABLE: Final = "catalog.snapshot_unreadable"
"""Log event: the compiled catalog cannot be read; the one before it goes on."""

_FIRST_LOAD_SECONDS: Final = 0.5
"""How long a page of a process's first moments waits at most; mapping a file takes a tenth of it on a busy machine."""

_LOG: Final = logging.getLogger(__name__)


class CatalogWatch:
    """Holds the newest snapshot. Shared by all threads: one looks at a time, and one assignment swaps it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._current: Snapshot | None = None
        self._fault: str | None = None
        self._looking = threading.Lock()
        self._whole: tuple[Snapshot, Catalog] | None = None

    @property
    def fault(self) -> str | None:
        """Why the file that is there is not the one that serves; None while all is well."""
        return self._fault

    def current(self) -> Snapshot | None:
        """Return the snapshot as of the last poll that found one; None: there is none yet.

        Before there was any it looks, so that no worker says that nothing is published once another has served it.
        While another thread loads the first one, it waits for that a moment.
        """
        if self._current is None and self._looking.acquire(timeout=_FIRST_LOAD_SECONDS):
            try:
                self._look()  # and finds nothing new where the other thread has loaded it
            finally:
                self._looking.release()
        return self._current

    def newest(self) -> Snapshot | None:
        """Return the snapshot once it is the newest that can be read; waits for a look that is under way."""
        with self._looking:
            self._look()
        return self._current

    def catalog(self) -> Catalog:
        """Return the snapshot's catalog whole, decoded once for all who ask; an empty one before there is any."""
        snapshot, whole = self.current(), self._whole
        if snapshot is None:
            return Catalog()
        if whole is None or whole[0] is not snapshot:
            whole = self._whole = (snapshot, snapshot.catalog)
        return whole[1]

    def catalog_of(self, head: Head) -> Catalog | None:
        """Return the catalog of exactly this revision; None where another serves here."""
        snapshot = self.current()
        if snapshot is None or (snapshot.revision, snapshot.digest) != (head.number, head.digest):
            return None
        return self.catalog()

    def poll(self) -> bool:
        """Load the file if it was replaced since the last poll; return whether another snapshot serves now.

        A file that is missing, or that cannot be read or compiled, leaves the old snapshot. What is wrong is reported
        once; what the file holds is tried again when it is replaced, what the disk refuses at the next poll. While
        another thread looks there is nothing to do.
        """
        if not self._looking.acquire(blocking=False):
            return False
        try:
            return self._look()
        finally:
            self._looking.release()

    def _look(self) -> bool:
        try:
            stat = os.stat(self._path)  # noqa: PTH116 - four times a second, without a Path's allocations
        except OSError:
            return False
        seen = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if seen == self._seen:
            return False
        try:
            self._current = _load(self._path)
        except FileNotFoundError:
            return False
        except CompiledUnreadable as error:
            self._seen = seen
            self._report(str(error))
            return False
        except OSError as error:
            self._report(str(error))
            return False
        self._seen, self._fault = seen, None
        return True

    def _report(self, fault: str) -> None:
        if fault != self._fault:
            self._fault = fault
            _LOG.warning(SNAPSHOT_UNREADABLE, extra={"fault": fault})


def _load(path: Path) -> Snapshot:
    """Return the snapshot of a file.

    Raises:
        CompiledUnreadable: no snapshot can be made of it.
        OSError: there is no such file, or the disk refuses it.
    """
    image = open_compiled(path)
    try:
        return Snapshot(image)
    except ImageUnreadable as error:
        raise CompiledUnreadable(f"the compiled catalog has another shape: {error}") from error
