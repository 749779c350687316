"""Takes campaigns, creatives and flights out of a YAML text, and puts new ones and new fields in, line by line.

An editor of parsed YAML hangs a comment on what stands before it: there it would go with the wrong thing.
"""

from collections.abc import Callable, Mapping
from typing import Final

from adserver.catalog.documents import JsonObject, JsonValue, objects
from adserver.catalog.positions import FieldPath, Point, Positions

_LISTS: Final[tuple[tuple[str, ...], ...]] = (("campaigns",), ("creatives", "flights"), ())
"""The lists of things with an id, by their depth: a file's, a campaign's, a flight's."""
_ALL_LISTS: Final = frozenset({"campaigns", "creatives", "flights"})

Render = Callable[[JsonValue, int], str]
"""Takes a value (a list of one item, or a mapping) and a column; returns it as lines of YAML that begin there."""


class LineEditor:
    """Edits one text. For one thread."""

    def __init__(self, text: str, positions: Positions, render: Render) -> None:
        """Take the text, where its fields stand, and what writes new parts."""
        self._lines = text.split("\n")
        self._positions = positions
        self._render = render
        self._gone: set[int] = set()
        self._new: dict[int, list[str]] = {}
        """Lines to insert before a line."""

    def edit(self, before: JsonObject, after: JsonObject) -> tuple[str, JsonObject]:
        """Return the text with the things that go taken out, and those that come put in, and what it says then.

        Things without lines of their own, such as `{id: a}` within brackets, stay as they are.
        """
        says = self._edit(before, after, ())
        lines: list[str] = []
        for number, line in enumerate(self._lines):
            lines.extend(self._new.get(number, ()))
            if number not in self._gone:
                lines.append(line)
        return "\n".join(lines), says

    def _edit(self, before: JsonObject, after: JsonObject, path: FieldPath) -> JsonObject:
        says = self._with_fields(before, after, path)
        for kind in _LISTS[len(path) // 2]:
            old, new = objects(before, kind), {str(one["id"]): one for one in objects(after, kind)}
            if any(str(one["id"]) in new for one in old):  # a list that loses all would read as null
                says[kind] = self._edit_list(old, new, (*path, kind))
        return says

    def _edit_list(self, old: list[JsonObject], new: Mapping[str, JsonObject], path: FieldPath) -> list[JsonValue]:
        items: list[JsonValue] = []
        last: range | None = None
        for index, one in enumerate(old):
            following, span = new.get(str(one["id"])), self._span((*path, index))
            last = span
            if following is not None:
                items.append(self._edit(one, following, (*path, index)))
            elif span is None:
                items.append(one)
            else:
                self._gone.update(span)
        there = {str(one["id"]) for one in old}
        for id_, one in new.items():
            if last is None or id_ in there:
                continue
            items.append(one)
            self._insert(last.stop, [one], self._dash((*path, len(old) - 1)))
        return items

    def _with_fields(self, before: JsonObject, after: JsonObject, path: FieldPath) -> JsonObject:
        """Put the fields in that a thing lacks: before its lists of things, else at its end."""
        span = self._span(path) if path else None
        new = {name: value for name, value in after.items() if name not in before and name not in _ALL_LISTS}
        if span is None or not new or self._is_in_braces(path):
            return dict(before)
        heads = [point.line - 1 for name in _LISTS[len(path) // 2] if (point := self._key(path, name, before))]
        line = self._above(min(heads)) if heads else span.stop
        point = self._positions.locate(path)
        self._insert(line, new, point.column - 1 if point else 0)
        first = {name: value for name, value in before.items() if name not in _ALL_LISTS}
        return {**first, **new, **before}

    def _key(self, path: FieldPath, name: str, before: JsonObject) -> Point | None:
        return self._positions.locate((*path, name)) if name in before else None

    def _insert(self, line: int, value: JsonValue, column: int) -> None:
        self._new.setdefault(line, []).extend(self._render(value, column).rstrip("\n").split("\n"))

    def _is_in_braces(self, path: FieldPath) -> bool:
        point = self._positions.locate(path)
        return point is None or self._lines[point.line - 1][point.column - 1 :].startswith("{")

    def _dash(self, place: FieldPath) -> int:
        point = self._positions.locate(place)
        return _indent(self._lines[point.line - 1]) if point else 0

    def _span(self, place: FieldPath) -> range | None:
        """Return the lines of a list's item with the comments just above it; None where it has no lines of its own."""
        point = self._positions.locate(place)
        if point is None:
            return None
        lines, first = self._lines, point.line - 1
        dash = _indent(lines[first])
        if not lines[first].lstrip(" ").startswith("- ") or point.column <= dash + 1:
            return None
        last = first + 1
        while last < len(lines) and (_is_aside(lines[last]) or _indent(lines[last]) > dash):
            last += 1
        while last > first + 1 and _is_aside(lines[last - 1]):
            last -= 1
        return range(self._above(first), last)

    def _above(self, line: int) -> int:
        """Return the first of the comment lines just above a line, or the line itself."""
        while line > 0 and self._lines[line - 1].lstrip(" ").startswith("#"):
            line -= 1
        return line


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _is_aside(line: str) -> bool:
    return not line.strip() or line.lstrip(" ").startswith("#")
