"""Reads JSON strictly (RFC 8259): keys once, numbers as written, bounded depth; knows where each field stands."""

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Final

from adserver.catalog.faults import make_fault
from adserver.catalog.positions import FieldPath, Point, Positions
from adserver.catalog.reading import MAX_DEPTH, Parsed, RawValue, decode_text, read_number, stop_reading
from adserver.catalog.texts import shown
from adserver.domain.errors import Fault

_TOKEN: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},:]|[^\s\[\]{},:"]+')


def read_json(data: bytes, file: str | None = None) -> Parsed:
    """Return what a JSON document holds.

    NaN and infinities come out as decimals that no field takes, lone surrogates as texts that no field takes.

    Raises:
        InputTooLarge: for too many bytes.
        UnreadableDocument: for what is not UTF-8, not JSON, nested too deep, or holds a number of absurd length.
    """
    text = decode_text(data, file)
    repeated: list[str] = []
    content = _load(text, file, repeated)
    _check_depth(content, file)
    positions = Positions(cache(lambda: _index(text)))
    faults = _repeated_faults(text, file, positions) if repeated else ()
    return Parsed(content, positions, faults)


def _load(text: str, file: str | None, repeated: list[str]) -> RawValue:
    def build(pairs: list[tuple[str, RawValue]]) -> dict[str, RawValue]:
        built = dict(pairs)
        if len(built) < len(pairs):
            repeated.append("")
        return built

    try:
        content: RawValue = json.loads(
            text, object_pairs_hook=build, parse_int=read_number, parse_float=read_number, parse_constant=Decimal
        )
    except RecursionError:
        stop_reading(f"nested deeper than {MAX_DEPTH} levels", file)
    except json.JSONDecodeError as error:
        stop_reading(f"this is not JSON: {error.msg}", file, error.lineno, error.colno)
    except ValueError as error:
        stop_reading(str(error), file)
    return content


def _check_depth(content: RawValue, file: str | None) -> None:
    level = [content]
    for _ in range(MAX_DEPTH + 1):
        level = [child for value in level for child in _children(value)]
        if not level:
            return
    stop_reading(f"nested deeper than {MAX_DEPTH} levels", file)


def _children(value: RawValue) -> Iterator[RawValue]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _repeated_faults(text: str, file: str | None, positions: Positions) -> tuple[Fault, ...]:
    seen: set[FieldPath] = set()
    faults: list[Fault] = []
    points = _Lines(text)
    for path, offset in _walk(text):
        if path in seen and isinstance(path[-1], str):
            fault = make_fault(path, f"the key {shown(path[-1])} stands twice; keep one of them", file, positions)
            faults.append(Fault(fault.path, fault.message, file, *points.at(offset)))
        seen.add(path)
    return tuple(faults)


def _index(text: str) -> Mapping[FieldPath, Point]:
    lines = _Lines(text)
    points: dict[FieldPath, Point] = {(): Point(1, 1)}
    for path, offset in _walk(text):
        points.setdefault(path, lines.at(offset))
    return points


class _Lines:
    """Turns offsets of a text into lines and columns. Immutable."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def at(self, offset: int) -> Point:
        line = bisect_right(self._starts, offset)
        return Point(line, offset - self._starts[line - 1] + 1)


def _walk(text: str) -> Iterator[tuple[FieldPath, int]]:
    """Yield each key's and each list item's path and offset, of a text that is known to be valid JSON."""
    path: list[str | int] = []
    before = ""
    for match in _TOKEN.finditer(text):
        word = match[0]
        if word in "]}":
            path.pop()
        elif word == "," and isinstance(path[-1], int):
            path[-1] += 1
        elif word not in ",:":
            if path and _names_field(path[-1], before):
                if isinstance(path[-1], str):
                    path[-1] = str(json.loads(word))
                yield tuple(path), match.start()
            if word in "[{":
                path.append(0 if word == "[" else "")
        before = word


def _names_field(innermost: str | int, before: str) -> bool:
    """Tell whether the word after `before` is an item of a list, or a key rather than a value."""
    return isinstance(innermost, int) or before in ("{", ",")
