"""Looks through an XLSX file before anything reads its cells: what may not be read at all, and what would read wrong.

A reader of values gives a formula's last result, an error's nothing, and to one cell in the last corner all that lies
before it; none of that is said. Source of the format: ECMA-376, part 1, 18.3.1 (worksheets) and part 2 (packages).
"""

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Final
from xml.parsers import expat

from adserver.catalog.faults import refusal
from adserver.catalog.reading import LIMIT_BYTES, stop_reading
from adserver.catalog.sheet_table import MAX_COLUMNS, MAX_ROWS, too_many_columns, too_many_rows
from adserver.domain.errors import Fault, InputTooLarge

MAX_UNPACKED_BYTES: Final = 100_000_000
"""Of all parts together: 20,000 full rows take some 40 MB."""
MAX_PARTS: Final = 1_000
NO_WORKBOOK: Final = "this is no XLSX workbook, or a damaged one; save it as .xlsx, or as CSV"

_CELL: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_DIGITS: Final = re.compile(r"[0-9]{1,7}")
_RELATION: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships id"
_WORKBOOK: Final = "xl/workbook.xml"
_RELATIONS: Final = "xl/_rels/workbook.xml.rels"

_Start = Callable[[str, Mapping[str, str]], None]
"""Takes the local name and the attributes of an element that begins."""


@dataclass(slots=True)
class Inspected:
    """A workbook whose parts are small enough and are what they say. For one thread."""

    data: bytes
    """The same workbook, its parts unpacked: nothing grows any more."""
    parts: Mapping[str, bytes]
    """By name, of the workbook and its sheets."""
    sheets: dict[str, str] = field(default_factory=dict)
    """The part of each visible sheet, by the sheet's name, in their order."""


def inspect_workbook(data: bytes, file: str | None) -> Inspected:
    """Return a workbook unpacked, and which sheets it has.

    Raises:
        InputTooLarge: for too many bytes, packed or unpacked.
        UnreadableDocument: it is no workbook.
    """
    if len(data) >= LIMIT_BYTES:
        raise InputTooLarge(f"{file or 'the document'} must be smaller than {LIMIT_BYTES:,} bytes, not {len(data):,}")
    parts = _unpack(data, file)
    if _WORKBOOK not in parts or _RELATIONS not in parts:
        stop_reading(NO_WORKBOOK, file)
    again = BytesIO()
    with zipfile.ZipFile(again, "w", zipfile.ZIP_STORED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    inspected = Inspected(again.getvalue(), parts)
    inspected.sheets.update(_visible_sheets(parts, file))
    return inspected


def inspect_sheet(inspected: Inspected, sheet: str, file: str | None) -> tuple[Fault, ...]:
    """Return the cells of a sheet that would read wrong: formulas, errors, and merged ones.

    Raises:
        InputRefused: it has too many rows or columns.
        UnreadableDocument: it is not XML, or has a document type.
    """
    looked = _SheetLook(file, sheet)
    _parse(inspected.parts[inspected.sheets[sheet]], looked.start, file)
    return tuple(looked.faults)


class _SheetLook:
    """Collects what a sheet's XML tells. For one thread."""

    def __init__(self, file: str | None, sheet: str) -> None:
        self._file = file
        self._sheet = sheet
        self._cell = (0, 0)
        """Row and column that the parser is at."""
        self._is_error = False
        self.faults: list[Fault] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take the start of an element."""
        if name == "c":
            row, column = self._cell
            self._cell = _cell(attributes.get("r", "")) or (row, column + 1)
            self._is_error = attributes.get("t") == "e"
        elif name in ("v", "is", "f"):
            self._take(name)
        elif name == "row":
            self._cell = (_row_number(attributes) or self._cell[0] + 1, 0)
        elif name == "mergeCell":
            self._cell = _cell(attributes.get("ref", "").partition(":")[0]) or (1, 1)
            self._add("is merged with cells beside it; unmerge them, and fill each row")

    def _take(self, name: str) -> None:
        row, column = self._cell
        if row > MAX_ROWS:
            raise refusal([too_many_rows(self._file, self._sheet)])
        if column > MAX_COLUMNS:
            raise refusal([too_many_columns(self._file, self._sheet, row)])
        if name == "f":
            self._add("holds a formula; put its value there instead (copy, then paste values only)")
        elif name == "v" and self._is_error:
            self._add("holds an error; put a value there")

    def _add(self, message: str) -> None:
        row, column = self._cell
        said = self.faults[-1] if self.faults else None
        if said is None or (said.line, said.column) != (row, column):  # a formula whose value is an error: one fault
            self.faults.append(Fault("", message, self._file, row, column, self._sheet))


def _row_number(attributes: Mapping[str, str]) -> int | None:
    text = attributes.get("r", "")
    return int(text) if _DIGITS.fullmatch(text) else None


def _cell(reference: str) -> tuple[int, int] | None:
    """Return the row and column of a reference such as `C5`."""
    found = _CELL.fullmatch(reference.upper())
    if found is None:
        return None
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(found[2]), column


def _unpack(data: bytes, file: str | None) -> dict[str, bytes]:
    parts: dict[str, bytes] = {}
    left = MAX_UNPACKED_BYTES
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            for entry in _entries(archive, file):
                if entry.flag_bits & 1:
                    stop_reading("this workbook has a password; save it without one", file)
                with archive.open(entry) as opened:
                    content = opened.read(left + 1)
                left -= len(content)
                if left < 0:
                    name = file or "the document"
                    raise InputTooLarge(f"{name} unpacks to more than {MAX_UNPACKED_BYTES:,} bytes; split it")
                parts[entry.filename] = content
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError, zlib.error):
        # `zipfile` raises the second for a compression that it does not know, and each of the others for damage.
        stop_reading(NO_WORKBOOK, file)
    if len({name.casefold() for name in parts}) < len(parts):
        stop_reading(NO_WORKBOOK, file)  # which of two parts is read, programs do not agree on
    return parts


def _entries(archive: zipfile.ZipFile, file: str | None) -> Iterator[zipfile.ZipInfo]:
    entries = archive.infolist()
    if len(entries) > MAX_PARTS:
        stop_reading(f"this workbook has more than {MAX_PARTS:,} parts", file)
    return (entry for entry in entries if entry.filename.endswith((".xml", ".rels")))


def _visible_sheets(parts: Mapping[str, bytes], file: str | None) -> Iterator[tuple[str, str]]:
    targets: dict[str, str] = {}
    listed: list[tuple[str, str]] = []

    def relation(name: str, attributes: Mapping[str, str]) -> None:
        if name == "Relationship":
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    def workbook(name: str, attributes: Mapping[str, str]) -> None:
        if name == "sheet" and attributes.get("state", "visible") == "visible":
            listed.append((attributes.get("name", ""), attributes.get(_RELATION, "")))

    _parse(parts[_RELATIONS], relation, file)
    _parse(parts[_WORKBOOK], workbook, file)
    if len(dict(listed)) < len(listed):
        stop_reading(NO_WORKBOOK, file)
    for name, relation_id in listed:
        target = targets.get(relation_id, "")
        part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
        if part in parts and "worksheets/" in part:
            yield name, part


def _parse(content: bytes, start: _Start, file: str | None) -> None:
    """Parse XML, and call `start` with the local name and the attributes of each element."""
    parser = expat.ParserCreate(namespace_separator=" ")

    def started(name: str, attributes: Mapping[str, str]) -> None:
        start(name.rpartition(" ")[2], attributes)

    def has_doctype(*_: object) -> None:
        stop_reading(NO_WORKBOOK, file)  # none has a document type; entities are defined in one

    parser.StartElementHandler = started
    parser.StartDoctypeDeclHandler = has_doctype
    try:
        parser.Parse(content, True)  # noqa: FBT003 - by position only
    except (expat.ExpatError, LookupError):  # the latter: an encoding that nobody knows
        stop_reading(NO_WORKBOOK, file)
