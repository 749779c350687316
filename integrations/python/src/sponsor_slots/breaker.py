"""A service that keeps failing is left alone for a while, so that pages don't wait for it again and again."""

import threading
from collections.abc import Callable


class Breaker:
    """Lets calls through until several failed in a row; then one after each rest. Shared by threads, under its lock."""

    def __init__(self, clock: Callable[[], float], *, failures: int = 3, rest_seconds: float = 2.0) -> None:
        """Take a monotonic clock in seconds, how many failures in a row are too many, and how long to rest then."""
        self._clock = clock
        self._failures = failures
        self._rest_seconds = rest_seconds
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._again_at = 0.0

    def lets_through(self) -> bool:
        """Tell whether to call now; while the service rests, one caller after each rest finds out how it is."""
        with self._lock:
            if self._in_a_row < self._failures:
                return True
            now = self._clock()
            if now < self._again_at:
                return False
            self._again_at = now + self._rest_seconds
            return True

    def succeeded(self) -> None:
        """Take note that a call was answered."""
        with self._lock:
            self._in_a_row = 0

    def failed(self) -> None:
        """Take note that a call was not, or in a way that makes no sense."""
        with self._lock:
            self._in_a_row += 1
            self._again_at = self._clock() + self._rest_seconds
