"""A bounded memory of what can be worked out again."""

from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Memo(Generic[Key, Value]):
    """What pure functions returned lately; what it forgets is worked out again, with the same outcome.

    Shared by all threads: reading takes no lock, for it is one look into a dict; writing holds one. Bounded by the
    weight of what it holds and not by its keys, since one value may be a hundred times another; when full, starts anew.
    """

    __slots__ = ("_limit", "_lock", "_values", "_weight")

    def __init__(self, limit: int) -> None:
        """Take how much weight to hold at most."""
        self._limit = limit
        self._values: dict[Key, Value] = {}
        self._weight = 0
        self._lock = Lock()

    def get(self, key: Key) -> Value | None:
        """Return the value of a key, or None where it is not known."""
        return self._values.get(key)

    def put(self, key: Key, value: Value, weight: int = 1) -> None:
        """Remember a value, unless it alone is over the limit, or one is known."""
        self._put(key, value, weight, is_new=False)

    def replace(self, key: Key, value: Value, weight: int = 1) -> None:
        """Remember a value in place of the one that is known, unless it alone is over the limit.

        The weight of that one is not given back; the memory starts anew the sooner.
        """
        self._put(key, value, weight, is_new=True)

    def _put(self, key: Key, value: Value, weight: int, *, is_new: bool) -> None:
        with self._lock:
            if weight > self._limit or (key in self._values and not is_new):
                return
            if self._weight + weight > self._limit:
                self._values, self._weight = {}, 0
            self._values[key] = value
            self._weight += weight

    @property
    def weight(self) -> int:
        """How much it holds."""
        return self._weight
