"""Where a worker's decisions and events go: events at once into the spool, decisions summed first."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from adserver.counting.forks import forget_after_fork
from adserver.counting.records import (
    RECORD_BYTES,
    DecisionKey,
    Event,
    decision_record,
    encode,
    event_record,
)
from adserver.counting.spool import SpoolUnavailable, SpoolWriter
from adserver.counting.spool_run import SpoolRun
from adserver.counting.tally import Tally
from adserver.domain.token import Token

DECISIONS_LOST: Final = "recorder.decisions_lost"
"""Log event: no spool took the sums for so long that further kinds of decisions were not summed any more."""

MOST_SUMS: Final = 50_000
"""How many different sums wait in memory at most, about 20 MB: callers choose places and topics, a disk may be full."""

_WRITE_RECORDS: Final = 64
"""Half a millisecond of work: a thread that computes for longer at a stretch makes requests wait for it (the GIL)."""
_REOPEN_SECONDS: Final = 1.0

CANNOT_WRITE: Final = "spool.cannot_write"
"""Log event: events are answered and dropped from now on; the disk is full, read-only or broken. Said once."""
WRITES_AGAIN: Final = "spool.writes_again"
"""Log event: events are kept again; how many were dropped stands in the statistics."""

_LOG: Final = logging.getLogger(__name__)


class Recorder(Protocol):
    """What the delivery path tells of itself. It never blocks on the network, and never raises."""

    def fill(self, token: Token) -> None:
        """Count a decision that filled; summed in memory."""

    def no_fill(self, key: DecisionKey) -> None:
        """Count a decision that filled nothing; summed in memory."""

    def event(self, event: Event) -> None:
        """Write an event, before it is answered."""

    def took(self, seconds: float) -> None:
        """Note how long one call took to decide, sign, render and count; summed in memory."""


class SpoolRecorder:
    """A `Recorder` on this process's own spool. Shared by all threads; takes its spool at first use after a fork.

    Events are written before this returns. Decisions are summed under a lock and written by `flush`, which a thread of
    the process calls every half second: kill -9 may lose that much of decisions, never an event. What is dropped before
    there ever was a spool (a start on a full disk) is known to the process alone until it gets one.
    """

    def __init__(self, spools: Path, wall_clock: Callable[[], float] = time.time, tally: Tally | None = None) -> None:
        """Take the folder of all spools, the clock in Unix time, and what `/metrics` is told by."""
        self._spools = spools
        self._run = SpoolRun(spools)
        self._wall_clock = wall_clock
        self._tally = tally or Tally()
        self._lock = threading.Lock()
        self._flush_lock = threading.Lock()
        self._sums: dict[DecisionKey, int] = {}
        self._writer: SpoolWriter | None = None
        self._retry_at = 0.0
        self._unwritten_drops = 0
        self._unsummed = 0
        self._alarm: str | None = None
        forget_after_fork(self._forget)

    def fill(self, token: Token) -> None:
        """Count a decision that filled."""
        self._add(DecisionKey.of(token), 1)

    def no_fill(self, key: DecisionKey) -> None:
        """Count a decision that filled nothing."""
        self._add(key, 1)

    def event(self, event: Event) -> None:
        """Write an event; what cannot be written is counted as dropped."""
        record = encode(event_record(*event))
        writer = self._open_writer()
        if writer is None:
            with self._lock:
                self._unwritten_drops += 1
        elif writer.append(record) == 0:
            writer.declare_dropped(1)
            self._raise_alarm(writer.fault)
        elif self._alarm is not None:
            self._end_alarm()
        self._tally.event(event.kind, event.reason)

    def took(self, seconds: float) -> None:
        """Note how long one call took."""
        self._tally.decision_took(seconds)

    @property
    def fault(self) -> str | None:
        """Why this process drops events, in the operating system's words; None: it does not."""
        return self._alarm

    def flush(self) -> None:
        """Write the sums of decisions since the last flush; what does not fit on the disk is kept for the next."""
        with self._flush_lock:
            # Taken before there is need of it: on a disk that is full by then, drops could be counted nowhere.
            writer = self._open_writer()
            if writer is not None:
                writer.close_aged_segment(int(self._wall_clock()))
            if writer is None or not (self._sums or self._unwritten_drops):
                return
            with self._lock:
                sums, self._sums = self._sums, {}
                drops, self._unwritten_drops = self._unwritten_drops, 0
                unsummed, self._unsummed = self._unsummed, 0
            if unsummed:
                _LOG.error(DECISIONS_LOST, extra={"decisions": unsummed})
            if drops:
                writer.declare_dropped(drops)
            second = int(self._wall_clock())
            pending = list(sums.items())
            while pending:
                batch = pending[:_WRITE_RECORDS]
                data = b"".join(encode(decision_record(key, count, second)) for key, count in batch)
                written = writer.append(data)
                for key, count in pending[:written]:
                    self._tally.decisions(key.slot, key.reason, count)
                del pending[:written]
                if written * RECORD_BYTES < len(data):
                    self._raise_alarm(writer.fault)
                    break
            for key, count in pending:
                self._add(key, count)
            if not pending and self._alarm is not None:
                self._end_alarm()

    def close(self) -> None:
        """Write what is summed and let go of the spool."""
        self.flush()
        with self._lock:
            writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
        self._run.leave()

    def _forget(self) -> None:
        """Leave the parent's spool and sums to the parent; its descriptors stay open here, unused."""
        self._lock = threading.Lock()
        self._flush_lock = threading.Lock()
        self._sums = {}
        self._writer = None
        self._retry_at = 0.0
        self._unwritten_drops = 0
        self._unsummed = 0
        self._alarm = None

    def _raise_alarm(self, fault: str | None) -> None:
        fault = fault or "the spool is closed"
        if self._alarm is None:
            _LOG.error(CANNOT_WRITE, extra={"fault": fault})
        self._alarm = fault

    def _end_alarm(self) -> None:
        self._alarm = None
        _LOG.warning(WRITES_AGAIN)

    def _add(self, key: DecisionKey, count: int) -> None:
        with self._lock:
            before = self._sums.get(key)
            if before is not None:
                self._sums[key] = before + count
            elif len(self._sums) < MOST_SUMS:
                self._sums[key] = count
            else:
                self._unsummed += count

    def _open_writer(self) -> SpoolWriter | None:
        if self._writer is not None:
            return self._writer
        with self._lock:
            if self._writer is None and time.monotonic() >= self._retry_at:
                try:
                    self._writer = SpoolWriter.open_in(self._spools, run=self._run.join())
                except (SpoolUnavailable, OSError) as error:
                    self._retry_at = time.monotonic() + _REOPEN_SECONDS
                    self._raise_alarm(str(error))
            return self._writer
