"""How much of each goal is delivered: a small file that the keeper writes and every worker reads."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from adserver.domain.ids import FlightId

DELIVERED_NAME: Final = "delivered.json"
_VERSION: Final = 1


class _File(msgspec.Struct, frozen=True):
    version: int
    delivered: dict[FlightId, int]


def write_delivered(folder: Path, delivered: Mapping[FlightId, int]) -> None:
    """Replace the file by rename; net impressions of each flight that has a goal.

    Raises:
        OSError: the data folder is full or read-only.
    """
    draft = folder / f"{DELIVERED_NAME}.draft"
    draft.write_bytes(msgspec.json.encode(_File(_VERSION, dict(delivered)), order="sorted"))
    draft.replace(folder / DELIVERED_NAME)


class DeliveredWatch:
    """The worker's view of the file. `poll` by one thread, `current` by all; one assignment swaps it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / DELIVERED_NAME
        self._seen: tuple[int, int] | None = None
        self._current: Mapping[FlightId, int] = {}

    def current(self) -> Mapping[FlightId, int]:
        """Return net impressions by flight, as of the last poll; a flight that is not in it has none."""
        return self._current

    def poll(self) -> bool:
        """Read the file again if it was replaced; return whether it was. A file that cannot be read is passed over."""
        try:
            stat = os.stat(self._path)  # noqa: PTH116 - four times a second, without a Path's allocations
            seen = (stat.st_ino, stat.st_mtime_ns)
            if seen == self._seen:
                return False
            file = msgspec.json.decode(self._path.read_bytes(), type=_File)
        except (OSError, msgspec.DecodeError):
            return False
        if file.version != _VERSION:
            return False
        self._seen = seen
        self._current = file.delivered
        return True
