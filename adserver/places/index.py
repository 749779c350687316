"""All places by the hash of their id, and by where they are: compact arrays over the gazetteer's lines."""

import math
from array import array
from bisect import bisect_left
from typing import Final

from adserver.domain.ids import IdHash, Kind, PlaceId, id_hash
from adserver.domain.places import PlaceLevel
from adserver.places.lines import SortedLines
from adserver.places.sphere import EARTH_KILOMETRES, kilometres, vector

_OFFSET_BITS: Final = 24
_OFFSET_MASK: Final = (1 << _OFFSET_BITS) - 1
_FINEST: Final = frozenset({PlaceLevel.TOWN, PlaceLevel.ZIP})


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


class PositionIndex:
    """Finds the towns, and ZIPs without a town, around a point. Immutable, shared by all threads."""

    def __init__(self, places: SortedLines) -> None:
        """Read every position, a few tenths of a second."""
        self._places = places
        points = sorted(
            (float(latitude), float(longitude), offset)
            for offset, (_, level, _, _, latitude, longitude) in places
            if level in _FINEST
        )
        self._latitudes = array("d", (point[0] for point in points))
        self._longitudes = array("d", (point[1] for point in points))
        self._offsets = array("L", (point[2] for point in points))

    def within(self, latitude: float, longitude: float, reach_kilometres: float) -> frozenset[PlaceId]:
        """Return the ids at most so far, along the great circle, from a point in degrees."""
        centre = vector(latitude, longitude)
        band = math.degrees(reach_kilometres / EARTH_KILOMETRES) + 1e-6  # what is farther north or south is farther
        found = []
        for at in range(bisect_left(self._latitudes, latitude - band), len(self._latitudes)):
            if self._latitudes[at] > latitude + band:
                break
            if kilometres(centre, vector(self._latitudes[at], self._longitudes[at])) <= reach_kilometres:
                found.append(_id(self._places, self._offsets[at]))
        return frozenset(found)


def _id(places: SortedLines, offset: int) -> PlaceId:
    return PlaceId(places.at(offset)[0])


def _number(hash_: IdHash) -> int:
    return int.from_bytes(hash_, "big")
