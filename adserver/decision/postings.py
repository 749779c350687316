"""Sets of flights by key, as bits or as lists, whichever is smaller."""

from array import array
from collections.abc import Hashable, Iterable, Iterator
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Postings(Generic[Key]):
    """For each key, the positions of the flights that name it. Immutable once made; shared by all threads.

    A set is kept as an integer's bits or, where that is smaller, as a list of positions: of 100,000 flights, three that
    run in one town take 12 bytes and not 12 kB.
    """

    __slots__ = ("_dense", "_size_bytes", "_sparse")

    def __init__(self, flights: int, keys_by_position: Iterable[Iterable[Key]]) -> None:
        """Take the number of flights, and the keys that each one names, in order."""
        self._size_bytes = flights // 8 + 1
        lists: dict[Key, array[int]] = {}
        for position, keys in enumerate(keys_by_position):
            for key in keys:
                lists.setdefault(key, array("I")).append(position)
        self._sparse = {key: each for key, each in lists.items() if len(each) * each.itemsize < self._size_bytes}
        self._dense = {key: bits_of(each, flights) for key, each in lists.items() if key not in self._sparse}

    @property
    def keys(self) -> frozenset[Key]:
        """All keys that some flight names."""
        return frozenset(self._sparse) | frozenset(self._dense)

    def union(self, keys: Iterable[Key]) -> int:
        """Return the bits of the flights that name at least one of the keys."""
        dense, sparse = 0, bytearray(self._size_bytes)
        for key in keys:
            dense |= self._dense.get(key, 0)
            _mark(sparse, self._sparse.get(key, ()))
        return dense | int.from_bytes(sparse, "little")


def bits_of(positions: Iterable[int], flights: int) -> int:
    """Return an integer whose bits at these positions are set."""
    marks = bytearray(flights // 8 + 1)
    _mark(marks, positions)
    return int.from_bytes(marks, "little")


def positions_of(bits: int) -> Iterator[int]:
    """Yield the positions of the bits that are set, lowest first."""
    digits = f"{bits:b}"[::-1]
    position = digits.find("1")
    while position >= 0:
        yield position
        position = digits.find("1", position + 1)


def _mark(marks: bytearray, positions: Iterable[int]) -> None:
    for position in positions:
        marks[position >> 3] |= 1 << (position & 7)
