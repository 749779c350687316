"""Reads CSV as programs for spreadsheets write it: commas, semicolons or tabs, with or without a byte order mark."""

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Final

from adserver.catalog.faults import refusal
from adserver.catalog.reading import decode_text, stop_reading
from adserver.catalog.sheet_cells import is_blank
from adserver.catalog.sheet_table import MAX_COLUMNS, MAX_ROWS, Table, TableRow, too_many_columns, too_many_rows

_SEPARATORS: Final = ",;\t"
_DECLARED: Final = tuple(f"sep={separator}" for separator in _SEPARATORS)
"""What some programs write as the first line, and show nobody."""


def read_csv(data: bytes, file: str | None = None) -> Table:
    """Return the table of a CSV file (RFC 4180), whichever of `,`, `;` and tab its first line has most of.

    Raises:
        InputTooLarge: for too many bytes.
        UnreadableDocument: for what is not UTF-8, or no CSV.
        InputRefused: for too many rows or columns.
    """
    text = decode_text(data, file)
    first, _, rest = text.partition("\n")
    if (declared := first.rstrip("\r").casefold()) in _DECLARED:
        separator, text = declared[-1], rest
    else:
        separator = max(_SEPARATORS, key=first.count)
    rows = _rows(text, separator, file)
    return Table(tuple(row for row in rows if not all(map(is_blank, row.cells))))


def _rows(text: str, separator: str, file: str | None) -> Iterator[TableRow]:
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for number, cells in enumerate(reader, 1):
            if number > MAX_ROWS and not all(map(is_blank, cells)):
                raise refusal([too_many_rows(file, None)])
            if len(cells) > MAX_COLUMNS and not all(map(is_blank, cells[MAX_COLUMNS:])):
                raise refusal([too_many_columns(file, None, number)])
            yield TableRow(number, cells)
    except csv.Error as error:
        stop_reading(f"this is not CSV: {error}; check the quotes", file, reader.line_num)
