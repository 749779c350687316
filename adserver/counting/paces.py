"""How much of goals and caps every worker may serve: a small file that the keeper writes, and what workers answer.

    pace.json            from the keeper, replaced by rename: see `PaceFile`
    paces/<n>.json       from each worker, replaced by rename: see `UseFile`

A worker serves a flight while it has used less than it was granted in the file's period. What it has not used is void
with the next period, or a minute after it first read of this one. So nothing is spent twice, and of a keeper that is
gone no grant outlives that minute.
"""

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from adserver.counting.forks import forget_after_fork
from adserver.counting.held_file import HeldFile, find_files
from adserver.decision.paces import Pace
from adserver.decision.pacing import KNOWN_PERIODS, PaceRow, PaceTable, ProcessUse
from adserver.domain.catalog import Flight, is_capped_for_all
from adserver.domain.ids import FlightId

PACE_NAME: Final = "pace.json"
USES_NAME: Final = "paces"
"""The folder of what workers answer."""
LAPSE_SECONDS: Final = 60.0
AWAITED_SECONDS: Final = 5.0
"""How long a process that has begun is held back for its first grant: the keeper gives one in well under a second."""

_VERSION: Final = 1


class PaceFile(msgspec.Struct, frozen=True, kw_only=True):
    """A `PaceTable` in columns. Immutable."""

    version: int = _VERSION
    number: int
    flights: list[FlightId]
    odds: list[int]
    """Of each flight, in millionths."""
    capped: list[bool]
    granted: dict[str, list[int]]
    """Fills of each flight, by process."""


class UseFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker has used and was asked for. Immutable."""

    version: int = _VERSION
    process: str
    used: dict[int, dict[FlightId, int]]
    """Fills, by period; the last few."""
    asked: dict[FlightId, int]
    """How often each would have run but for its pace, since the process began."""


def write_pace(folder: Path, table: PaceTable) -> None:
    """Replace the file.

    Raises:
        OSError: the data folder is full or read-only.
    """
    flights = list(table.rows)
    file = PaceFile(
        number=table.number,
        flights=flights,
        odds=[table.rows[flight].odds for flight in flights],
        capped=[table.rows[flight].is_capped for flight in flights],
        granted={process: [granted.get(flight, 0) for flight in flights] for process, granted in table.granted.items()},
    )
    draft = folder / f"{PACE_NAME}.draft"
    draft.write_bytes(msgspec.json.encode(file))
    draft.replace(folder / PACE_NAME)


def read_uses(folder: Path) -> tuple[ProcessUse, ...]:
    """Return what the workers of a data folder said, those that are gone included."""
    found = []
    for file in find_files(folder / USES_NAME):
        try:
            use = msgspec.json.decode(file.data, type=UseFile)
        except msgspec.DecodeError:
            continue
        if use.version == _VERSION:
            found.append(ProcessUse(use.process, is_alive=file.is_held, used=use.used, asked=use.asked))
    return tuple(found)


class WorkerPaces:
    """The paces of one worker, as decisions ask for them. `poll` by one thread, all else by all.

    What was granted is swapped by one assignment; what is used of it is counted under a lock.
    """

    def __init__(self, folder: Path, process: Callable[[], str], clock: Callable[[], float]) -> None:
        """Take the data folder, what names this process's tokens, and monotonic seconds."""
        self._folder = folder
        self._process = process
        self._clock = clock
        self._forget()
        forget_after_fork(self._forget)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._number = 0
        self._read_at = 0.0
        self._told: Mapping[FlightId, tuple[PaceRow, int]] = {}
        self._used: dict[int, Counter[FlightId]] = {}
        self._asked: Counter[FlightId] = Counter()
        self._is_known = False
        self._began = self._clock()
        self._file: HeldFile | None = None
        self._written: UseFile | None = None

    @property
    def is_known(self) -> bool:
        """Whether the keeper has told this process anything yet."""
        return self._is_known

    @property
    def is_awaited(self) -> bool:
        """Whether the keeper should tell this process something any moment now, for it has just begun."""
        return not self._is_known and self._clock() - self._began < AWAITED_SECONDS

    def of(self, flight: FlightId) -> Pace | None:
        """Return a flight's pace; None: it may not be served here."""
        told = self._told.get(flight)
        if told is None or self._clock() - self._read_at > LAPSE_SECONDS:
            return None
        row, granted = told
        return Pace(row.odds, granted - self._used[self._number].get(flight, 0), row.is_capped)

    def take(self, flight: Flight) -> bool:
        """Use one fill of what a flight was granted; False: none is left. One without goal or cap needs none."""
        if flight.goal is None and not is_capped_for_all(flight):
            return True
        with self._lock:
            pace = self.of(flight.id)
            if pace is None or pace.left <= 0:
                return False
            self._used[self._number][flight.id] += 1
            return True

    def note(self, asked: Iterable[FlightId]) -> None:
        """Take which flights would have run but for their pace."""
        counts = self._asked
        with self._lock:
            for flight in asked:
                counts[flight] = counts.get(flight, 0) + 1

    def poll(self) -> bool:
        """Say what is used, and read the keeper's file again if it was replaced; return whether it was."""
        self._say()
        try:
            stat = os.stat(self._folder / PACE_NAME)  # noqa: PTH116 - ten times a second, without a Path's allocations
            seen = (stat.st_ino, stat.st_mtime_ns)
            if seen == self._seen:
                return False
            file = msgspec.json.decode((self._folder / PACE_NAME).read_bytes(), type=PaceFile)
        except (OSError, msgspec.DecodeError):
            return False
        if file.version != _VERSION:
            return False
        self._seen = seen
        self._take_up(file)
        return True

    def _take_up(self, file: PaceFile) -> None:
        granted = file.granted.get(self._process())
        rows = zip(file.flights, file.odds, file.capped, granted or [0] * len(file.flights), strict=True)
        told = {flight: (PaceRow(odds, is_capped), fills) for flight, odds, is_capped, fills in rows}
        with self._lock:
            self._used.setdefault(file.number, Counter())
            for old in [number for number in self._used if number < file.number - KNOWN_PERIODS]:
                del self._used[old]
            if file.number != self._number:
                self._number, self._read_at = file.number, self._clock()
            self._told = told if granted is not None else {}
            self._is_known = granted is not None

    def _say(self) -> None:
        with self._lock:
            said = UseFile(
                process=self._process(),
                used={number: dict(used) for number, used in self._used.items()},
                asked=dict(self._asked),
            )
        if said == self._written:
            return
        try:
            self._file = self._file or HeldFile.take(self._folder / USES_NAME)
            self._file.write(msgspec.json.encode(said))
        except OSError:  # a full disk: the keeper takes all that it granted for used
            return
        self._written = said

    def flush(self) -> None:
        """Say what is used."""
        self._say()

    def close(self) -> None:
        """Say it for the last time, and leave the file to the next process."""
        self._say()
        file, self._file = self._file, None
        if file is not None:
            file.release()
