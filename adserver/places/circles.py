"""Which circles a place lies in, by great circle from middle to middle."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

from adserver.domain.places import Circle, Place, PlaceLevel
from adserver.places.sphere import EARTH_KILOMETRES, kilometres, vector

_FINEST: Final = frozenset({PlaceLevel.TOWN, PlaceLevel.ZIP})
_MARGIN_DEGREES: Final = 1e-6


def lies_in(place: Place, circle: Circle) -> bool:
    """Return whether a town or a ZIP lies in a circle; what is coarser is not all where its middle is, and in none."""
    if place.level not in _FINEST:
        return False
    centre = vector(circle.latitude, circle.longitude)
    return kilometres(centre, vector(place.latitude, place.longitude)) <= circle.kilometres


class CircleIndex:
    """Finds the circles around a place. Immutable, shared by all threads."""

    __slots__ = ("_circles", "_latitudes", "_order", "_widest_degrees")

    def __init__(self, circles: Sequence[Circle]) -> None:
        """Take the circles; each is named by its place in the list."""
        self._circles = circles
        self._order = sorted(range(len(circles)), key=lambda at: circles[at].latitude)
        self._latitudes = [circles[at].latitude for at in self._order]
        widest = max((circle.kilometres for circle in circles), default=0.0)
        self._widest_degrees = math.degrees(widest / EARTH_KILOMETRES) + _MARGIN_DEGREES

    def around(self, place: Place) -> Iterator[int]:
        """Yield the circles that a place lies in: only those near its latitude are measured."""
        if not self._order:
            return
        first = bisect_left(self._latitudes, place.latitude - self._widest_degrees)
        last = bisect_right(self._latitudes, place.latitude + self._widest_degrees)
        yield from (at for at in self._order[first:last] if lies_in(place, self._circles[at]))
