"""Reads YAML 1.2 strictly: one document, keys once, no tags, bounded depth and aliases, and no guessing.

Only `null`, `true`/`false` and numbers as JSON writes them are more than text: `NO`, `012345`, `1_000`, `12:30` and
`2025-06-01` stay as written.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NoReturn

from ruamel.yaml.error import MarkedYAMLError, YAMLError

from adserver.catalog.faults import refusal
from adserver.catalog.positions import FieldPath, Point, Positions, path_text
from adserver.catalog.reading import MAX_DEPTH, Parsed, RawValue, decode_text, read_number, stop_reading
from adserver.catalog.texts import shown
from adserver.catalog.yaml_events import (
    ALIAS,
    DOCUMENT_START,
    MAPPING_END,
    MAPPING_START,
    NODE,
    SCALAR,
    SEQUENCE_END,
    SEQUENCE_START,
    Event,
    FastParserRefused,
    fast_events,
    is_read_alike,
    slow_events,
)
from adserver.domain.errors import Fault, InputRefused, InputTooLarge, UnreadableInput

MAX_YAML_BYTES: Final = 2_000_000
"""What the fast parser does not take reads at some 150 KB a second; larger uploads come as JSON."""
MAX_ALIASED_NODES: Final = 100_000
"""How many values all aliases of a document may stand for together."""

_NOT_TEXT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_LOOK: Final = "check the quotes and indents on this line or just above"
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_FLAGS: Final = {word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")}


def read_yaml(data: bytes, file: str | None = None) -> Parsed:
    """Return what a YAML document holds.

    Raises:
        InputTooLarge: for too many bytes.
        UnreadableDocument: for what is not UTF-8, not YAML, nested too deep, or holds a number of absurd length.
        InputRefused: for control characters, tags, several documents, YAML 1.1, and aliases that stand for too much.
    """
    text = decode_text(data, file)
    if len(data) > MAX_YAML_BYTES:
        name = file or "the document"
        raise InputTooLarge(f"{name} must be at most {MAX_YAML_BYTES:,} bytes of YAML, not {len(data):,}; send JSON")
    _refuse_controls(text, file)
    if is_read_alike(text):
        with suppress(FastParserRefused, UnreadableInput, InputRefused):  # what is refused, the other one says
            return _Reader(file).read(fast_events(text))
    try:
        return _Reader(file).read(slow_events(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        stop_reading(f"this is not YAML: {error.problem or error.context}; {_LOOK}", file, line, column)
    except YAMLError as error:
        stop_reading(f"this is not YAML: {error}", file)


def _refuse_controls(text: str, file: str | None) -> None:
    if found := _NOT_TEXT.search(text):
        before = text[: found.start()]
        point = Point(before.count("\n") + 1, found.start() - before.rfind("\n"))
        message = f"the character U+{ord(found[0]):04X} must not stand in a YAML file"
        raise refusal([Fault("", message, file, *point)])


@dataclass(frozen=True, slots=True)
class _Anchored:
    """What an anchor stands for. Immutable by agreement."""

    value: RawValue
    nodes: int
    height: int


class _Reader:
    """Builds plain data from parser events. For one document and one thread."""

    def __init__(self, file: str | None) -> None:
        self._file = file
        self._events: Iterator[Event] = iter(())
        self._anchors: dict[str, _Anchored] = {}
        self._points: dict[FieldPath, Point] = {(): Point(1, 1)}
        self._faults: list[Fault] = []
        self._nodes = 0
        self._aliased = 0
        self._deepest = 0

    def read(self, events: Iterator[Event]) -> Parsed:
        """Return the one document of these events."""
        self._events = events
        content: RawValue = None
        documents = 0
        for event in events:
            if isinstance(event, DOCUMENT_START):
                documents += 1
                self._check_start(event, documents)
                content = self._value(next(events), ())
        points: Mapping[FieldPath, Point] = self._points
        return Parsed(content, Positions(lambda: points), tuple(self._faults))

    def _check_start(self, event: Event, documents: int) -> None:
        if documents > 1:
            self._refuse(event, (), "a second document begins here; write one document a file")
        if event.version is not None and tuple(event.version) != (1, 2):
            self._refuse(event, (), "only YAML 1.2 is read; leave the %YAML line out")

    def _value(self, event: Event, path: FieldPath) -> RawValue:
        self._nodes += 1
        if isinstance(event, ALIAS):
            return self._alias(event, path)
        if len(path) > self._deepest:
            self._deepest = len(path)
            self._check_depth(event, len(path))
        nodes, deepest = self._nodes, self._deepest
        self._deepest = len(path)
        value = self._plain(event, path)
        if isinstance(event, NODE) and event.anchor:
            self._anchors[event.anchor] = _Anchored(value, self._nodes - nodes + 1, self._deepest - len(path))
        self._deepest = max(deepest, self._deepest)
        return value

    def _plain(self, event: Event, path: FieldPath) -> RawValue:
        if getattr(event, "tag", None) is not None:
            self._refuse(event, path, "tags such as !!python/object are not taken; write plain values")
        if isinstance(event, SEQUENCE_START):
            return self._list(path)
        if isinstance(event, MAPPING_START):
            return self._mapping(path)
        if isinstance(event, SCALAR):
            return self._scalar(event)
        raise TypeError(f"the YAML parser sent {type(event).__name__} where a value is due")

    def _list(self, path: FieldPath) -> RawValue:
        items: list[RawValue] = []
        while not isinstance(event := next(self._events), SEQUENCE_END):
            place = (*path, len(items))
            self._points[place] = _point(event)
            items.append(self._value(event, place))
        return items

    def _mapping(self, path: FieldPath) -> RawValue:
        fields: dict[str, RawValue] = {}
        while not isinstance(event := next(self._events), MAPPING_END):
            key = self._key(event, path)
            place = (*path, key)
            value_event = next(self._events)
            if key in fields:
                message = f"the key {shown(key)} stands twice; keep one of them"
                self._faults.append(Fault(path_text(place), message, self._file, *_point(event)))
            else:
                self._points[place] = _point(event)
            value = self._value(value_event, place)
            fields.setdefault(key, value)
        return fields

    def _key(self, event: Event, path: FieldPath) -> str:
        if not isinstance(event, SCALAR) or event.tag is not None or event.anchor:
            self._refuse(event, path, "a key must be a plain word")
        return str(event.value)

    def _scalar(self, event: Event) -> RawValue:
        text = str(event.value)
        if not event.implicit[0]:  # quoted, or a block
            return text
        if text in _NULLS:
            return None
        if text in _FLAGS:
            return _FLAGS[text]
        try:
            number = read_number(text)
        except ValueError as error:
            stop_reading(str(error), self._file, *_point(event))
        return text if number is None else number

    def _alias(self, event: Event, path: FieldPath) -> RawValue:
        anchored = self._anchors.get(event.anchor)
        if anchored is None:
            self._refuse(event, path, f"the alias *{event.anchor} stands for nothing before it")
        self._check_depth(event, len(path) + anchored.height)
        self._deepest = max(self._deepest, len(path) + anchored.height)
        self._nodes += anchored.nodes
        self._aliased += anchored.nodes
        if self._aliased > MAX_ALIASED_NODES:
            self._refuse(event, path, f"aliases stand for more than {MAX_ALIASED_NODES:,} values; write them out")
        return anchored.value

    def _check_depth(self, event: Event, depth: int) -> None:
        if depth > MAX_DEPTH:
            stop_reading(f"nested deeper than {MAX_DEPTH} levels", self._file, *_point(event))

    def _refuse(self, event: Event, path: FieldPath, message: str) -> NoReturn:
        """Refuse the whole document: what follows could not be judged."""
        raise refusal([*self._faults, Fault(path_text(path), message, self._file, *_point(event))])


def _point(event: Event) -> Point:
    mark = event.start_mark
    return Point(mark.line + 1, mark.column + 1)
