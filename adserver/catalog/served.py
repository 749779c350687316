"""What this host has served, so that Redis has it back, and no number of it is ever given to something else."""

from pathlib import Path
from typing import Final

from adserver.catalog.backup import BACKUP_NAME, RevisionBackup
from adserver.catalog.compiled import CompiledUnreadable, read_compiled_number
from adserver.catalog.file_names import COMPILED_NAME
from adserver.catalog.files import Remembered
from adserver.catalog.revisions import NO_HEAD, Head, RevisionUnreadable
from adserver.catalog.store import RevisionStore

_WHAT_TO_DO: Final = "put that file back from a copy of yours, or move it away and run: adserver push"


class ServedUnreadable(RevisionUnreadable):
    """The store has lost what was published, and this host's copy cannot be read: nothing may begin anew."""


class ServedRevisions:
    """The data folder, as those who publish see it; the keeper alone writes it. Shared by all threads."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._backup = RevisionBackup(data_dir)
        path = data_dir / COMPILED_NAME
        self._compiled = Remembered(path, lambda: read_compiled_number(path))

    def settle(self, store: RevisionStore) -> Head:
        """Return the store's head, once the store has back what it lost and this host has.

        Raises:
            ServedUnreadable: it has lost something, and what this host has of it cannot be read.
            StoreUnavailable: the store does not answer.
        """
        head = store.head()
        try:
            if self._backup.number() <= head.number:
                return head
            self._backup.put_back(store)
        except (RevisionUnreadable, OSError) as error:
            if self.newest() > head.number or head == NO_HEAD:
                raise self._lost(BACKUP_NAME, error) from error
            return head
        return store.head()

    def newest(self) -> int:
        """Return the number of the newest revision that workers of this host were given; 0: none.

        Raises:
            ServedUnreadable: it cannot be told.
        """
        try:
            return self._compiled.get()
        except FileNotFoundError:
            return 0
        except (CompiledUnreadable, OSError) as error:
            kept = self._kept()  # written before it is compiled, so it is as new
            if kept:
                return kept
            raise self._lost(COMPILED_NAME, error) from error

    def _kept(self) -> int:
        try:
            return self._backup.number()
        except (RevisionUnreadable, OSError):
            return 0

    def _lost(self, name: str, error: Exception) -> ServedUnreadable:
        return ServedUnreadable(
            f"Redis may have lost what was published, and {self._data_dir / name}, which tells what this host has "
            f"served, cannot be read ({error}): {_WHAT_TO_DO}"
        )
