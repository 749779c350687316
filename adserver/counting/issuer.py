"""Hands out the numbers that make every token unique."""

import itertools
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from adserver.counting.forks import forget_after_fork

ISSUER_BYTES: Final = 6
MOST_SHARDS: Final = 256
"""A token has one byte for its shard."""

_SEQUENCES: Final = 1 << 32


@dataclass(frozen=True, slots=True)
class _Drawn:
    issuer: bytes
    sequences: tuple[Iterator[int], ...]
    """One a shard, each only rising; `next` on it is atomic under the interpreter's lock."""


class Issuer:
    """Pairs (issuer, sequence) that no process ever gives twice. Shared by all threads of a process.

    The issuer is 48 random bits drawn at first use and again in a forked child: two workers forked from one process
    must never issue the same sequence, or real impressions become duplicates.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._drawn: _Drawn | None = None
        forget_after_fork(self._forget)

    def next(self, shard: int) -> tuple[bytes, int]:
        """Return the issuer and the next sequence number, 0 to 2**32 - 1, of a shard."""
        drawn = self._drawn or self._draw(None)
        sequence = next(drawn.sequences[shard])
        while sequence >= _SEQUENCES:
            drawn = self._draw(drawn)
            sequence = next(drawn.sequences[shard])
        return drawn.issuer, sequence

    @property
    def name(self) -> str:
        """This process's issuer, in hex."""
        return (self._drawn or self._draw(None)).issuer.hex()

    def _draw(self, spent: _Drawn | None) -> _Drawn:
        with self._lock:
            if self._drawn is None or self._drawn is spent:
                sequences = tuple(itertools.count() for _ in range(MOST_SHARDS))
                self._drawn = _Drawn(secrets.token_bytes(ISSUER_BYTES), sequences)
            return self._drawn

    def _forget(self) -> None:
        self._lock = threading.Lock()  # the parent's may have been held by a thread that is not in the child
        self._drawn = None
