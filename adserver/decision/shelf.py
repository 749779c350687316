"""A bounded memory by position, of what can be worked out again."""

from typing import Final, Generic, TypeVar

Value = TypeVar("Value")

_NOBODY: Final = -1


class Shelf(Generic[Value]):
    """What was worked out lately of positions; each has one place, which it shares with those of equal remainder.

    Shared by all threads without a lock: an entry is one tuple, put by one assignment. To remember costs the same each
    time, for it forgets one entry at most; a dict that starts anew when full frees thousands at once.
    """

    __slots__ = ("_entries", "_size")

    def __init__(self, size: int) -> None:
        """Take how many to hold at most."""
        self._size = size
        self._entries: list[tuple[int, Value | None]] = [(_NOBODY, None)] * size

    def get(self, at: int) -> Value | None:
        """Return the value of a position, or None where it is not known."""
        whose, value = self._entries[at % self._size]
        return value if whose == at else None

    def put(self, at: int, value: Value) -> None:
        """Remember a value, in place of the one that stands there."""
        self._entries[at % self._size] = (at, value)
