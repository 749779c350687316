"""What a process has counted since it was last asked, for `/metrics`: sums in memory, no disk, no network."""

import threading
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from adserver.counting.forks import forget_after_fork
from adserver.domain.ids import IdHash
from adserver.domain.reasons import EventKind, InvalidReason, NoFillReason

DECISION_SECONDS_BOUNDS: Final = (
    *(0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005),
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0),
)
"""Upper bounds, inclusive, of the histogram's buckets; one more holds what took longer."""

_BUCKETS: Final = len(DECISION_SECONDS_BOUNDS) + 1


@dataclass(frozen=True, slots=True)
class Tallied:
    """Sums over one span of time in one process. Immutable."""

    decisions: Mapping[tuple[IdHash, NoFillReason | None], int]
    """By slot and reason; None: a fill."""
    events: Mapping[tuple[EventKind, InvalidReason | None], int]
    """By kind and verdict of the edge; None: it counts, as far as the edge can tell."""
    second_buckets: tuple[int, ...]
    """Decision calls by how long they took; see `DECISION_SECONDS_BOUNDS`."""
    seconds: float
    """How long all of them took together."""
    log_lines: Mapping[str, int]
    """Warnings and errors, by level."""
    untrusted_proxies: int
    """Requests that a proxy near by seems to have passed on, though no setting names it."""


@dataclass(slots=True)
class _Sums:
    """The sums in the making; belongs to a `Tally`, under its lock."""

    decisions: dict[tuple[IdHash, NoFillReason | None], int] = field(default_factory=dict)
    events: dict[tuple[EventKind, InvalidReason | None], int] = field(default_factory=dict)
    second_buckets: list[int] = field(default_factory=lambda: [0] * _BUCKETS)
    seconds: float = 0.0
    log_lines: dict[str, int] = field(default_factory=dict)
    untrusted_proxies: int = 0


class Tally:
    """Adds up what happens in this process. Shared by all threads under its own lock, held for one addition each.

    A forked child begins at nothing.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sums = _Sums()
        forget_after_fork(self._forget)

    def decisions(self, slot: IdHash, reason: NoFillReason | None, count: int) -> None:
        """Add decisions for a slot; `reason` None: they filled."""
        with self._lock:
            sums = self._sums.decisions
            sums[slot, reason] = sums.get((slot, reason), 0) + count

    def event(self, kind: EventKind, verdict: InvalidReason | None) -> None:
        """Add an event as the edge judged it."""
        with self._lock:
            sums = self._sums.events
            sums[kind, verdict] = sums.get((kind, verdict), 0) + 1

    def decision_took(self, seconds: float) -> None:
        """Add the time that one delivery call took to decide, sign, render and count."""
        bucket = bisect_left(DECISION_SECONDS_BOUNDS, seconds)
        with self._lock:
            self._sums.second_buckets[bucket] += 1
            self._sums.seconds += seconds

    def log_line(self, level: str) -> None:
        """Add a line of the log, by its level."""
        with self._lock:
            sums = self._sums.log_lines
            sums[level] = sums.get(level, 0) + 1

    def untrusted_proxy(self) -> None:
        """Add a request that a proxy near by seems to have passed on."""
        with self._lock:
            self._sums.untrusted_proxies += 1

    def take(self) -> Tallied:
        """Return what was added since the last call."""
        with self._lock:
            taken, self._sums = self._sums, _Sums()
        return Tallied(
            taken.decisions,
            taken.events,
            tuple(taken.second_buckets),
            taken.seconds,
            taken.log_lines,
            taken.untrusted_proxies,
        )

    def _forget(self) -> None:
        self._lock = threading.Lock()  # the parent's may have been held by a thread that is not in the child
        self._sums = _Sums()
