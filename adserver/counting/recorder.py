"""Where a worker's decisions and events go: events at once into the spool, decisions summed first."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from adserver.counting.forks import forget_after_fork
from adserver.counting.records import (
    QUARTER_SECONDS,
    RECORD_BYTES,
    DecisionKey,
    decision_record,
    encode,
    event_record,
)
from adserver.counting.shards import shard_of
from adserver.counting.spool import SpoolUnavailable, SpoolWriter
from adserver.domain.ids import IdHash, Kind
from adserver.domain.reasons import EventKind, InvalidReason, NoFillReason
from adserver.domain.token import Token
from adserver.domain.variants import Variant

_WRITE_RECORDS: Final = 512
_REOPEN_SECONDS: Final = 1.0


class Recorder(Protocol):
    """What the delivery path tells of itself. It never blocks on the network, and never raises."""

    def fill(self, token: Token) -> None:
        """Count a decision that filled; summed in memory."""

    def no_fill(
        self, *, slot: IdHash, place: IdHash, topic: IdHash, variant: Variant, reason: NoFillReason, second: int
    ) -> None:
        """Count a decision of `second` (Unix time) that filled nothing; summed in memory."""

    def event(
        self, token: Token | None, kind: EventKind, reason: InvalidReason | None, reported: Variant, second: int
    ) -> None:
        """Write an event accepted at `second` (Unix time), before it is answered."""


class SpoolRecorder:
    """A `Recorder` on this process's own spool. Shared by all threads; takes its spool at first use after a fork.

    Events are written before this returns. Decisions are summed under a lock and written by `flush`, which a thread of
    the process calls every half second: kill -9 may lose that much of decisions, never an event.
    """

    def __init__(self, spools: Path, shards: int, wall_clock: Callable[[], float] = time.time) -> None:
        self._spools = spools
        self._shards = shards
        self._wall_clock = wall_clock
        self._lock = threading.Lock()
        self._flush_lock = threading.Lock()
        self._sums: dict[DecisionKey, int] = {}
        self._writer: SpoolWriter | None = None
        self._retry_at = 0.0
        self._unwritten_drops = 0
        forget_after_fork(self._forget)

    def fill(self, token: Token) -> None:
        """Count a decision that filled."""
        key = DecisionKey(
            token.shard,
            token.issued_second // QUARTER_SECONDS,
            token.flight,
            token.creative,
            token.slot,
            token.place,
            token.topic,
            token.variant,
            None,
        )
        self._add(key, 1)

    def no_fill(
        self, *, slot: IdHash, place: IdHash, topic: IdHash, variant: Variant, reason: NoFillReason, second: int
    ) -> None:
        """Count a decision that filled nothing."""
        shard = shard_of(slot, self._shards)
        none = (Kind.FLIGHT.none, Kind.CREATIVE.none)
        self._add(DecisionKey(shard, second // QUARTER_SECONDS, *none, slot, place, topic, variant, reason), 1)

    def event(
        self, token: Token | None, kind: EventKind, reason: InvalidReason | None, reported: Variant, second: int
    ) -> None:
        """Write an event; what cannot be written is counted as dropped."""
        record = encode(event_record(token, kind, reason, reported, second))
        writer = self._open_writer()
        if writer is None:
            with self._lock:
                self._unwritten_drops += 1
        elif writer.append(record) == 0:
            writer.declare_dropped(1)

    def flush(self) -> None:
        """Write the sums of decisions since the last flush; what does not fit on the disk is kept for the next."""
        with self._flush_lock:
            if not self._sums and not self._unwritten_drops:
                return
            writer = self._open_writer()
            if writer is None:
                return
            with self._lock:
                sums, self._sums = self._sums, {}
                drops, self._unwritten_drops = self._unwritten_drops, 0
            if drops:
                writer.declare_dropped(drops)
            second = int(self._wall_clock())
            pending = list(sums.items())
            while pending:
                batch = pending[:_WRITE_RECORDS]
                data = b"".join(encode(decision_record(key, count, second)) for key, count in batch)
                written = writer.append(data)
                del pending[:written]
                if written * RECORD_BYTES < len(data):
                    break
            for key, count in pending:
                self._add(key, count)

    def close(self) -> None:
        """Write what is summed and let go of the spool."""
        self.flush()
        with self._lock:
            writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def _forget(self) -> None:
        """Leave the parent's spool and sums to the parent; its descriptors stay open here, unused."""
        self._lock = threading.Lock()
        self._flush_lock = threading.Lock()
        self._sums = {}
        self._writer = None
        self._retry_at = 0.0
        self._unwritten_drops = 0

    def _add(self, key: DecisionKey, count: int) -> None:
        with self._lock:
            self._sums[key] = self._sums.get(key, 0) + count

    def _open_writer(self) -> SpoolWriter | None:
        if self._writer is not None:
            return self._writer
        with self._lock:
            if self._writer is None and time.monotonic() >= self._retry_at:
                try:
                    self._writer = SpoolWriter.open_in(self._spools)
                except SpoolUnavailable:
                    self._retry_at = time.monotonic() + _REOPEN_SECONDS
            return self._writer
