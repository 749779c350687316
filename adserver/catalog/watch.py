"""The worker's view of the compiled catalog: loads it again when the keeper has replaced it."""

import logging
import os
from pathlib import Path
from typing import Final

from adserver.catalog.compiled import CompiledUnreadable, read_compiled
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

        A file that is missing or cannot be read leaves the old snapshot; it is reported once, and tried again when
        it is replaced.
        """
        try:
            stat = os.stat(self._path)  # noqa: PTH116 - four times a second, without a Path's allocations
        except OSError:
            return False
        seen = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if seen == self._seen:
            return False
        try:
            compiled = read_compiled(self._path)
        except FileNotFoundError:
            return False
        except (CompiledUnreadable, OSError) as error:
            self._seen, self._fault = seen, str(error)
            _LOG.warning(SNAPSHOT_UNREADABLE, extra={"fault": self._fault})
            return False
        self._current = Snapshot.build(compiled.catalog, compiled.revision, compiled.retired)
        self._seen, self._fault = seen, None
        return True
