"""The worker's view of the compiled catalog: loads it again when the keeper has replaced it."""

import logging
import os
from pathlib import Path
from typing import Final

from adserver.catalog.compiled import CompiledUnreadable, open_compiled
from adserver.decision.image import ImageUnreadable
from adserver.decision.snapshot import Snapshot

SNAPSHOT_UNREADABLE: Final = "catalog.snapshot_unreadable"
"""Log event: the compiled catalog cannot be read; the one before it goes on."""

_LOG: Final = logging.getLogger(__name__)


class CatalogWatch:
    """Holds the newest snapshot. `poll` by one thread, `current` by all: one assignment swaps it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._current: Snapshot | None = None
        self._fault: str | None = None

    @property
    def fault(self) -> str | None:
        """Why the file that is there is not the one that serves; None while all is well."""
        return self._fault

    def current(self) -> Snapshot | None:
        """Return the snapshot as of the last poll that found one; None: none was found yet."""
        return self._current

    def poll(self) -> bool:
        """Load the file if it was replaced since the last poll; return whether another snapshot serves now.

        A file that is missing, or that cannot be read or compiled, leaves the old snapshot. What is wrong is reported
        once; what the file holds is tried again when it is replaced, what the disk refuses at the next poll.
        """
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
