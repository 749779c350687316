"""Where the keeper puts aside what stands in a spool and is no record, for someone to look at."""

import logging
import os
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

from adserver.counting.records import RECORD_BYTES

QUARANTINE_NAME: Final = "quarantine"
"""The folder in the data folder."""

CORRUPT_RECORDS: Final = "spool.corrupt"
"""Log event: bytes of a spool are no records; they are put aside and counted as dropped, all others count."""
NOT_KEPT: Final = "quarantine.not_kept"
"""Log event: bytes could not be put aside; they still stand in the spool."""

_LOG: Final = logging.getLogger(__name__)


class Quarantine:
    """Keeps bad bytes in files named by spool and offset, so once for every replay. For the keeper's one thread."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; it is made when something is put into it."""
        self._folder = folder

    def keep(self, spool_id: str, start: int, data: bytes, bad: Iterable[int]) -> None:
        """Put aside records that are none. Never raises for the disk.

        Args:
            spool_id: of the spool they stand in.
            start: the offset in bytes of the first.
            data: the bytes of all of them.
            bad: the numbers of those that are none, ascending.
        """
        for first, last in _runs(bad):
            offset = start + first * RECORD_BYTES
            where = {"spool": spool_id, "offset": offset, "records": last - first}
            _LOG.error(CORRUPT_RECORDS, extra=where)
            try:
                self._write(f"{spool_id}-{offset:020d}.bad", data[first * RECORD_BYTES : last * RECORD_BYTES])
            except OSError as error:
                _LOG.error(NOT_KEPT, extra={**where, "fault": error.strerror})

    def _write(self, name: str, data: bytes) -> None:
        self._folder.mkdir(exist_ok=True, mode=0o700)
        draft = self._folder / f"{name}.draft"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        draft.replace(self._folder / name)


def holds_any(data_dir: Path) -> bool:
    """Tell whether something was put aside that nobody has taken away yet."""
    return any((data_dir / QUARANTINE_NAME).glob("*.bad"))


def _runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield [first, behind the last) of each run of numbers that follow each other."""
    for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        members = [number for _, number in run]
        yield members[0], members[-1] + 1
