"""What one host remembers for its alerts: who it is among the hosts, and what flights had hours ago."""

import secrets
from pathlib import Path
from typing import Final

import msgspec

from adserver.alerts.marks import Mark, Marks
from adserver.domain.ids import FlightId

HOST_NAME: Final = "alerts-host.json"
_VERSION: Final = 1


class _File(msgspec.Struct, frozen=True):
    version: int
    host: str
    marks: dict[FlightId, tuple[Mark, ...]]


class HostFile:
    """The file, read once and written when it changes. For the alerts' one thread."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / HOST_NAME
        file = _read(self._path)
        self.host: Final = file.host if file else secrets.token_hex(8)
        """Drawn once for a data folder."""
        self._is_new = file is None
        self._marks: Marks = file.marks if file else {}

    @property
    def marks(self) -> Marks:
        """What flights had hours ago."""
        return self._marks

    def keep(self, marks: Marks) -> None:
        """Take new marks, and write them where they differ.

        Raises:
            OSError: the disk refuses; they are held in memory, and written at the next change.
        """
        if marks == self._marks and not self._is_new:
            return
        self._marks = marks
        draft = self._path.with_suffix(".draft")
        draft.write_bytes(msgspec.json.encode(_File(_VERSION, self.host, dict(marks))))
        draft.replace(self._path)
        self._is_new = False


def _read(path: Path) -> _File | None:
    try:
        file = msgspec.json.decode(path.read_bytes(), type=_File)
    except (OSError, msgspec.DecodeError):
        return None
    return file if file.version == _VERSION else None
