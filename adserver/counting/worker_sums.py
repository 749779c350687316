"""The sums of the workers, each in a file that the next worker goes on from: right over processes that come and go.

A worker takes the first numbered file that no living process holds, as it takes its spool, and adds to what stands in
it. So there are as many files as workers, however often they are replaced, and no sum ever falls.
"""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from adserver.counting.forks import forget_after_fork
from adserver.counting.held_file import HeldFile, find_files
from adserver.counting.tally import DECISION_SECONDS_BOUNDS, Tallied, Tally
from adserver.domain.ids import IdHash, SlotId

UNKNOWN_SLOT: Final = "(unknown)"
"""Stands for every slot that the catalog does not name."""

COUNTED: Final = "counted"
"""The verdict on an event that nothing speaks against."""

FILLED: Final = "(fill)"
"""Stands where a no fill has its reason."""

_VERSION: Final = 1


class WorkerSums(msgspec.Struct, frozen=True, kw_only=True):
    """What one file holds. Immutable."""

    version: int = _VERSION
    revision: int = 0
    """The catalog's that its last writer serves; 0: none."""
    decisions: dict[str, dict[str, int]] = {}
    """By slot id, or `UNKNOWN_SLOT`; then by no-fill reason, or `FILLED`."""
    events: dict[str, dict[str, int]] = {}
    """By kind; then by invalid reason, or `COUNTED`."""
    second_buckets: tuple[int, ...] = (0,) * (len(DECISION_SECONDS_BOUNDS) + 1)
    seconds: float = 0.0
    log_lines: dict[str, int] = {}
    untrusted_proxies: int = 0

    def plus(self, other: "WorkerSums") -> "WorkerSums":
        """Return the sums of both, with the other's revision."""
        return WorkerSums(
            revision=other.revision,
            decisions=_added(self.decisions, other.decisions),
            events=_added(self.events, other.events),
            second_buckets=tuple(map(sum, zip(self.second_buckets, other.second_buckets, strict=True))),
            seconds=self.seconds + other.seconds,
            log_lines=dict(Counter(self.log_lines) + Counter(other.log_lines)),
            untrusted_proxies=self.untrusted_proxies + other.untrusted_proxies,
        )


class SumsFile:
    """The writing end: one file of the folder, taken at first use after a fork. `flush` and `close` by one thread."""

    def __init__(
        self, folder: Path, tally: Tally, slot_name: Callable[[IdHash], SlotId | None], revision: Callable[[], int]
    ) -> None:
        """Take the folder, what is written, and what the live catalog calls a slot (None: nothing)."""
        self._folder = folder
        self._tally = tally
        self._slot_name = slot_name
        self._revision = revision
        self._lock = threading.Lock()
        self._file: HeldFile | None = None
        self._sums = WorkerSums()
        self._written: WorkerSums | None = None
        forget_after_fork(self._forget)

    def flush(self) -> None:
        """Write what was tallied since the last flush; what cannot be written is kept for the next."""
        with self._lock:
            self._sums = self._sums.plus(self._named(self._tally.take()))
            if self._sums == self._written:
                return
            try:
                if self._file is None:
                    self._file = HeldFile.take(self._folder)
                    found = _decoded(self._file.read() or b"") or WorkerSums()
                    self._sums = found.plus(self._sums)
                self._file.write(msgspec.json.encode(self._sums))
            except OSError:  # a full disk: the log and the drops tell of it; the sums stand in memory
                return
            self._written = self._sums

    def close(self) -> None:
        """Write for the last time and leave the file to the next worker."""
        self.flush()
        with self._lock:
            file, self._file = self._file, None
            self._sums, self._written = WorkerSums(), None
        if file is not None:
            file.release()

    def _named(self, tallied: Tallied) -> WorkerSums:
        decisions: dict[str, dict[str, int]] = {}
        for (slot, reason), count in tallied.decisions.items():
            by_reason = decisions.setdefault(self._slot_name(slot) or UNKNOWN_SLOT, {})
            key = reason.value if reason else FILLED
            by_reason[key] = by_reason.get(key, 0) + count
        events: dict[str, dict[str, int]] = {}
        for (kind, verdict), count in tallied.events.items():
            events.setdefault(kind.value, {})[verdict.value if verdict else COUNTED] = count
        return WorkerSums(
            revision=self._revision(),
            decisions=decisions,
            events=events,
            second_buckets=tallied.second_buckets,
            seconds=tallied.seconds,
            log_lines=dict(tallied.log_lines),
            untrusted_proxies=tallied.untrusted_proxies,
        )

    def _forget(self) -> None:
        """Leave the parent's file and sums to the parent; its descriptor stays open here, unused."""
        self._lock = threading.Lock()
        self._file = None
        self._sums, self._written = WorkerSums(), None


class FoundSums(msgspec.Struct, frozen=True):
    """A file as a reader finds it. Immutable."""

    sums: WorkerSums
    alive: bool
    """Whether a worker is writing it now."""


def read_worker_sums(folder: Path) -> tuple[FoundSums, ...]:
    """Return the files of a folder, those of workers that are gone included; what cannot be read is left out."""
    found = ((_decoded(file.data), file.is_held) for file in find_files(folder))
    return tuple(FoundSums(sums, alive) for sums, alive in found if sums is not None)


def _decoded(data: bytes) -> WorkerSums | None:
    try:
        sums = msgspec.json.decode(data, type=WorkerSums)
    except msgspec.DecodeError:
        return None
    fits = sums.version == _VERSION and len(sums.second_buckets) == len(WorkerSums().second_buckets)
    return sums if fits else None


def _added(one: Mapping[str, dict[str, int]], other: Mapping[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    return {key: dict(Counter(one.get(key, {})) + Counter(other.get(key, {}))) for key in sorted({*one, *other})}
