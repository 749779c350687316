"""Where in a file each field stands, so that a fault can name its line and column."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from adserver.catalog.texts import shown

FieldPath: TypeAlias = tuple[str | int, ...]
"""Keys and list indexes from the top of a document down to a field."""

_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Point(NamedTuple):
    """A place in a text; both numbers 1-based. Immutable."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class SheetPlace:
    """The sheet that a document was made of. Immutable."""

    file: str | None
    """The file as its sender knows it: several documents may be made of one."""
    sheet: str | None
    """The sheet's name; None where a file has no sheets."""
    column_of: Callable[[FieldPath], str]
    """Returns what the column of a field is called."""


@dataclass(frozen=True, slots=True)
class Positions:
    """The point of every field of one document. Immutable; shared freely.

    `index` is called only when a fault has to be placed: most documents have none.
    """

    index: Callable[[], Mapping[FieldPath, Point]]
    place: SheetPlace | None = None
    """Of a document that was made of a sheet: its points are rows and columns."""

    def locate(self, path: FieldPath) -> Point | None:
        """Return where a field stands, or, where it is missing, the nearest thing around it."""
        points = self.index()
        for length in range(len(path), -1, -1):
            if (point := points.get(path[:length])) is not None:
                return point
        return None


def path_text(path: FieldPath) -> str:
    """Return a path as people read it: `campaigns[0].flights[1].slots[0]`; keys that are no plain words are quoted."""
    parts: list[str] = []
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif _PLAIN_KEY.fullmatch(step):
            parts.append(f".{step}" if parts else step)
        else:
            parts.append(f"[{shown(step)}]")
    return "".join(parts)
