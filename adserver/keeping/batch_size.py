"""How much of a spool one call of the script takes."""

from collections import deque
from typing import Final

from adserver.counting.records import RECORD_BYTES

MOST_BYTES: Final = 8192 * RECORD_BYTES
"""More gains nothing: what a call costs whatever it brings is small by then."""
_LEAST_BYTES: Final = 2048 * RECORD_BYTES
_LONG_SECONDS: Final = 0.030
"""Redis serves nobody else during a call."""
_SHORT_SECONDS: Final = 0.015
_CALLS: Final = 16


class BatchSize:
    """Begins with the most, halves where calls take long, doubles where they are short. For the keeper's one thread.

    The shortest of the last calls is what counts: a call that had to wait for a processor says nothing of Redis, and
    smaller batches would only cost more of it.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self.bytes = most_bytes
        """How much the next call takes."""
        self._seconds: deque[float] = deque(maxlen=_CALLS)

    def learn(self, took_bytes: int, seconds: float) -> None:
        """Hear how long a call took; one that was not full says nothing."""
        if took_bytes < self.bytes:
            return
        self._seconds.append(seconds)
        if len(self._seconds) < _CALLS:
            return
        best = min(self._seconds)
        if best > _LONG_SECONDS:
            self._become(max(self.bytes // 2, min(_LEAST_BYTES, self._most)))
        elif best < _SHORT_SECONDS:
            self._become(min(self.bytes * 2, self._most))

    def _become(self, size: int) -> None:
        if size != self.bytes:
            self.bytes = size
            self._seconds.clear()
