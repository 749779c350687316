"""A sorted text of lines `key TAB field TAB field …`, searched where it lies: no index, nothing to build at load."""

from collections.abc import Iterator
from typing import Final

_TAB: Final = b"\t"
_END: Final = b"\n"


class SortedLines:
    """Lines sorted by their bytes, each with a key of its own. Immutable, shared by all threads.

    A lookup is a bisection over the text itself, about 20 steps; a dict of the same rows costs ten times the memory
    and is what makes a load slow.
    """

    def __init__(self, text: bytes) -> None:
        """Take the text; every line of it ends with a newline, and keys hold no byte below 0x20."""
        self._text = text

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """Give each line's offset in bytes, and its fields with the key first."""
        start = 0
        while start < len(self._text):
            end = self._text.index(_END, start)
            yield start, self._text[start:end].decode().split("\t")
            start = end + 1

    def find(self, key: str) -> list[str] | None:
        """Return the fields after a key, or None where no line has it."""
        sought = key.encode() + _TAB
        start = self._first_not_below(sought)
        return self.at(start)[1:] if self._text.startswith(sought, start) else None

    def at(self, start: int) -> list[str]:
        """Return the fields of the line that begins at a byte, its key first."""
        return self._text[start : self._text.index(_END, start)].decode().split("\t")

    def beginning(self, prefix: str) -> Iterator[list[str]]:
        """Give the fields of each line whose key begins so, in order."""
        sought = prefix.encode()
        start = self._first_not_below(sought)
        while start < len(self._text) and self._text.startswith(sought, start):
            end = self._text.index(_END, start)
            yield self._text[start:end].decode().split("\t")
            start = end + 1

    def _first_not_below(self, sought: bytes) -> int:
        low, high, size = 0, len(self._text), len(sought)
        while low < high:
            newline = self._text.rfind(_END, low, (low + high) // 2)
            start = low if newline < 0 else newline + 1
            if self._text[start : start + size] < sought:
                low = self._text.index(_END, start) + 1
            else:
                high = start
        return low
