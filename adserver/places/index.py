"""All places by the hash of their id: a compact array over the gazetteer's lines."""

from array import array
from bisect import bisect_left
from typing import Final

from adserver.domain.ids import IdHash, Kind, PlaceId, id_hash
from adserver.places.lines import SortedLines

_OFFSET_BITS: Final = 24
_OFFSET_MASK: Final = (1 << _OFFSET_BITS) - 1


class HashIndex:
    """Finds a place's id by its hash. Immutable, shared by all threads.

    A hash has 40 bits and a line's offset 24, so one 64-bit number holds the pair: 0.6 MB for all places, where a dict
    takes 12.
    """

    def __init__(self, places: SortedLines) -> None:
        """Hash every id, a few tenths of a second."""
        self._places = places
        self._pairs = array(
            "Q", sorted(_number(id_hash(Kind.PLACE, fields[0])) << _OFFSET_BITS | offset for offset, fields in places)
        )

    def find(self, hash_: IdHash) -> PlaceId | None:
        """Return the id that has this hash, or None."""
        if len(hash_) != Kind.PLACE.size_bytes:
            return None
        number = _number(hash_)
        at = bisect_left(self._pairs, number << _OFFSET_BITS)
        if at == len(self._pairs) or self._pairs[at] >> _OFFSET_BITS != number:
            return None
        return _id(self._places, self._pairs[at] & _OFFSET_MASK)


def _id(places: SortedLines, offset: int) -> PlaceId:
    return PlaceId(places.at(offset)[0])


def _number(hash_: IdHash) -> int:
    return int.from_bytes(hash_, "big")
