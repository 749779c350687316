"""How often people may call, kept in this process, so that it holds without Redis; pages and beacons always may."""

import hashlib
import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from flask import request

from adserver.domain.errors import AdserverError
from adserver.web.auth import Authenticator, Principal, bearer_token

CALLS_A_SECOND: Final = 20.0
"""What a token may go on doing for ever, at each worker."""
BURST_CALLS: Final = 40
"""What it may do at once after a rest."""
MOST_BUCKETS: Final = 4096
"""How many callers are remembered: some 200 bytes each."""

_KEY_BYTES: Final = 16


class TooManyCalls(AdserverError):
    """A caller is over its limit; answered with 429."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(f"too many calls; wait {retry_after_seconds} s")
        self.retry_after_seconds = retry_after_seconds
        """Whole seconds, at least 1, after which a call is taken again."""


class CallLimit:
    """A token bucket for each caller, in bounded memory. Shared by all threads of a process, under its own lock.

    Where callers are too many to remember, the one that has been quiet for longest is forgotten: its bucket is the
    fullest, so that it gains least.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        calls_a_second: float = CALLS_A_SECOND,
        burst: int = BURST_CALLS,
        most_buckets: int = MOST_BUCKETS,
    ) -> None:
        """Take a monotonic clock, in seconds, and what a caller may do."""
        self._clock = clock
        self._rate = calls_a_second
        self._burst = float(burst)
        self._most_buckets = most_buckets
        self._lock = threading.Lock()
        self._buckets: OrderedDict[bytes, tuple[float, float]] = OrderedDict()
        """Key -> (calls left, the second they were counted at), the longest quiet first."""

    def take(self, key: bytes) -> None:
        """Let one call of the caller `key` pass.

        Raises:
            TooManyCalls: it has none left; a refused call costs nothing.
        """
        with self._lock:
            now = self._clock()
            left, since = self._buckets.pop(key, (self._burst, now))
            left = min(self._burst, left + (now - since) * self._rate)
            passes = left >= 1.0
            self._buckets[key] = (left - 1.0 if passes else left, now)
            if len(self._buckets) > self._most_buckets:
                self._buckets.popitem(last=False)
        if not passes:
            raise TooManyCalls(max(1, math.ceil((1.0 - left) / self._rate)))

    def __len__(self) -> int:
        """Return how many callers are remembered."""
        return len(self._buckets)


class GuardedAuthenticator:
    """Lets an address try only so many wrong tokens. Shared by all threads; valid tokens always pass.

    Who shows none guesses nothing. The address is hashed, and kept in memory only.
    """

    def __init__(self, inner: Authenticator, refusals: CallLimit) -> None:
        self._inner = inner
        self._refusals = refusals

    def authenticate(self, authorization_header: str | None) -> Principal | None:
        """Return who the header's token belongs to, or None.

        Raises:
            TooManyCalls: none, and the address of the present request has tried too often.
        """
        principal = self._inner.authenticate(authorization_header)
        if principal is None and authorization_header is not None:
            self._refusals.take(address_key())
        return principal


def address_key() -> bytes:
    """Return what stands for the present request's address in a `CallLimit`: a hash of it."""
    return _hash(request.remote_addr or "")


def caller_key() -> bytes:
    """Return what stands for the present request's token in a `CallLimit`: a hash of it."""
    return _hash(bearer_token(request.headers.get("Authorization")) or "")


def session_key(token_id: str) -> bytes:
    """Return what stands for who is signed in to the console in a `CallLimit`: a hash of the token's id."""
    return _hash(f"session {token_id}")


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_KEY_BYTES).digest()
