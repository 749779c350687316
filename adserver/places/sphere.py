"""Points on the globe as unit vectors: distances and neighbours without special cases at poles or date line."""

import itertools
import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from heapq import nsmallest
from operator import itemgetter
from typing import Final, Generic, TypeVar

EARTH_KILOMETRES: Final = 6371.0088
"""Mean radius (IUGG)."""

Vector = tuple[float, float, float]
"""A point of the unit sphere."""

T = TypeVar("T", bound=Hashable)

_CELL: Final = 0.004
"""Edge of a cell of the neighbour grid, in radii: 25 km."""
_FIRST: Final = itemgetter(0)


def vector(latitude: float, longitude: float) -> Vector:
    """Return the point at a latitude and longitude in degrees."""
    north, east = math.radians(latitude), math.radians(longitude)
    return math.cos(north) * math.cos(east), math.cos(north) * math.sin(east), math.sin(north)


def degrees(at: Vector) -> tuple[float, float]:
    """Return the latitude and longitude in degrees; the vector may have any length but 0."""
    x, y, z = at
    return math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x))


def middle(points: Iterable[Vector]) -> Vector:
    """Return the direction of the mean of some points, not of unit length."""
    x, y, z = (math.fsum(parts) for parts in zip(*points, strict=True))
    return x, y, z


def kilometres(one: Vector, other: Vector) -> float:
    """Return the great circle distance of two points of the unit sphere."""
    return _along_the_ground(math.dist(one, other))


class Nearest(Generic[T]):
    """Finds what lies nearest to a point, over a grid of cells. Immutable, shared by all threads."""

    def __init__(self, points: Mapping[T, Vector]) -> None:
        """Take the things and where they are."""
        self._points = points
        self._cells: dict[tuple[int, ...], list[T]] = defaultdict(list)
        for thing, at in points.items():
            self._cells[_cell(at)].append(thing)

    def to(self, at: Vector, count: int) -> list[tuple[float, T]]:
        """Return up to `count` things with their distance in kilometres, nearest first; equals in their own order."""
        reach = 1
        while True:
            found = nsmallest(
                count, ((math.dist(at, self._points[thing]), thing) for thing in self._around(at, reach)), key=_FIRST
            )
            complete = len(found) >= count and found[-1][0] <= reach * _CELL  # nothing outside can be nearer
            if complete or reach * _CELL > 2:
                return [(_along_the_ground(chord), thing) for chord, thing in found]
            reach *= 2

    def _around(self, at: Vector, reach: int) -> Iterable[T]:
        steps = range(-reach, reach + 1)
        centre = _cell(at)
        if len(steps) ** 3 > len(self._cells):
            return self._points
        return itertools.chain.from_iterable(
            self._cells.get((centre[0] + x, centre[1] + y, centre[2] + z), ())
            for x, y, z in itertools.product(steps, repeat=3)
        )


def _along_the_ground(chord: float) -> float:
    return 2 * EARTH_KILOMETRES * math.asin(min(1.0, chord / 2))


def _cell(at: Vector) -> tuple[int, ...]:
    return tuple(math.floor(part / _CELL) for part in at)
