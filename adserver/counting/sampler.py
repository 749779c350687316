"""Which calls of pages a worker keeps for a moment, and the file it keeps them in."""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from math import log
from pathlib import Path
from random import Random
from typing import Final

from adserver.counting.forks import forget_after_fork
from adserver.counting.held_file import HeldFile
from adserver.counting.samples import KEPT, SAMPLES_NAME, SampledCall, SampledSlot, SampleFile, encode_samples
from adserver.decision.paces import NOBODY, Shown, after_fill
from adserver.decision.snapshot import Snapshot
from adserver.domain.catalog import CapPeriod, CapScope, Flight
from adserver.domain.decisions import Decision, Fill
from adserver.domain.ids import FlightId

CALLS_A_SECOND: Final = 2.0
"""So many calls a second are kept of a busy worker: one of it costs some 5 µs, so that is a hundred-thousandth of its
time, and below one in a hundred of its calls from 200 a second on. A worker that is asked less often keeps all."""
_SMOOTH: Final = 0.3
"""What the newest second says of how often calls come."""


class Sampler:
    """Keeps some calls of this process. `is_due` and `take` by all threads, `flush` and `close` by one.

    Each call is kept by a chance of its own, one in `one_in`, whatever it asks; so what is found of those that are kept
    holds of all. The chance is drawn as a number of calls to be passed over, which is counted down without a lock: two
    threads at once may count as one, which moves a chance here and there and nothing else. Nothing is written here.
    """

    def __init__(self, folder: Path, process: Callable[[], str], clock: Callable[[], float], rng: Random) -> None:
        """Take the data folder, what names this process's tokens, monotonic seconds, and chance."""
        self._folder = folder / SAMPLES_NAME
        self._process = process
        self._clock = clock
        self._rng = rng
        self._forget()
        forget_after_fork(self._forget)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._left = self._drawn = 0
        self._passed = 0
        """Calls, the kept ones included, before those that `_drawn` counts."""
        self._seen_calls = 0
        self._a_second = 0.0
        self._flushed_at = self._clock()
        self._one_in = 1
        self._number = 0
        self._kept: deque[SampledCall] = deque(maxlen=KEPT)
        self._written = 0
        self._file: HeldFile | None = None

    def is_due(self) -> bool:
        """Count a call; return whether it is to be kept."""
        self._left -= 1
        return self._left < 0

    def take(
        self,
        decisions: Sequence[Decision],
        snapshot: Snapshot,
        second: int,
        shown: Mapping[FlightId, Shown] = NOBODY,
    ) -> None:
        """Keep a call that was due.

        Args:
            decisions: what came of its slots.
            snapshot: what they were made by.
            second: when, in Unix time.
            shown: what the reader was shown before.
        """
        with self._lock:
            one_in = self._one_in
            self._passed += self._drawn + 1
            self._left = self._drawn = _passed_over(one_in, self._rng)
            self._number += 1
            number = self._number
        if not decisions:
            return
        asked = decisions[0].request
        call = SampledCall(
            number,
            one_in,
            second,
            snapshot.revision,
            asked.place.id if asked.place is not None else None,
            tuple(topic for topic in asked.topics if topic in snapshot.topics),
            tuple(sorted(asked.exclude)),
            tuple(map(_sampled, decisions)),
            _capped(decisions, snapshot, shown),
        )
        self._kept.append(call)

    def flush(self) -> None:
        """Write what is kept, and see how often calls come; what cannot be written waits for the next time."""
        now = self._clock()
        with self._lock:
            calls = self._passed + self._drawn - max(self._left, 0)
            seconds, self._flushed_at = now - self._flushed_at, now
            if seconds > 0:
                rate = (calls - self._seen_calls) / seconds
                self._a_second = max(rate, self._a_second + (rate - self._a_second) * _SMOOTH)
            self._seen_calls = calls
            self._one_in = max(1, round(self._a_second / CALLS_A_SECOND))
        if self._number == self._written:
            return
        number = self._number
        file = SampleFile(process=self._process(), calls=tuple(self._kept))
        try:
            self._file = self._file or HeldFile.take(self._folder)
            self._file.write(encode_samples(file))
        except OSError:  # a full disk: some samples are lost, and others tell the same
            return
        self._written = number

    def close(self) -> None:
        """Write for the last time, and leave the file to the next process."""
        self.flush()
        file, self._file = self._file, None
        if file is not None:
            file.release()


def _passed_over(one_in: int, rng: Random) -> int:
    """Return how many calls come before the next that is kept, if each is by one chance in `one_in` (geometric)."""
    if one_in <= 1:
        return 0
    point = rng.random()
    return 0 if point <= 0.0 else int(log(point) / log(1 - 1 / one_in))


def _sampled(decision: Decision) -> SampledSlot:
    request = decision.request
    won = decision.flight.id if isinstance(decision, Fill) else None
    return SampledSlot(request.slot, request.variant, request.max_chars, won, decision.asked)


def _capped(decisions: Sequence[Decision], snapshot: Snapshot, shown: Mapping[FlightId, Shown]) -> tuple[FlightId, ...]:
    """Return which flights have reached a cap a reader once a call is shown, it included."""
    for decision in decisions:
        if isinstance(decision, Fill):
            shown = after_fill(shown, decision.flight)
    if not shown:
        return ()
    found = ((flight, snapshot.flight(flight), times) for flight, times in shown.items())
    return tuple(flight for flight, known, times in found if known is not None and _is_reached(known.flight, times))


def _is_reached(flight: Flight, shown: Shown) -> bool:
    return any(
        (shown.visit if cap.per is CapPeriod.VISIT else shown.page) >= cap.impressions
        for cap in flight.caps
        if cap.scope is CapScope.READER
    )
