"""Reads the campaign sheet of an XLSX workbook."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Final

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from adserver.catalog.faults import refusal
from adserver.catalog.reading import stop_reading
from adserver.catalog.sheet_cells import CellValue, is_blank
from adserver.catalog.sheet_table import Table, TableRow
from adserver.catalog.texts import shown
from adserver.catalog.xlsx_inspection import NO_WORKBOOK, inspect_sheet, inspect_workbook
from adserver.domain.errors import Fault

SHEET_NAME: Final = "Campaigns"
"""Which of several sheets is read; the only one may be called as it likes."""

_WHOLE_UP_TO: Final = 2**53
_Held = int | float | str | bool | time | date | datetime | timedelta


def read_xlsx(data: bytes, file: str | None = None) -> Table:
    """Return the table of a workbook's sheet `Campaigns`, or of its only sheet.

    Raises:
        InputTooLarge: for too many bytes, packed or unpacked.
        UnreadableDocument: it is no workbook.
        InputRefused: for several sheets none of which has that name, and for too many rows or columns.
    """
    inspected = inspect_workbook(data, file)
    sheet = _choose([*inspected.sheets], file)
    faults = inspect_sheet(inspected, sheet, file)
    try:
        opened = CalamineWorkbook.from_filelike(BytesIO(inspected.data)).get_sheet_by_name(sheet)
        rows = tuple(_rows(opened))
    except (CalamineError, ValueError, OverflowError):
        stop_reading(NO_WORKBOOK, file)
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # what the library's own faults are, in Rust's words
            raise
        stop_reading(NO_WORKBOOK, file)
    return Table(rows, sheet, faults)


def _choose(sheets: Sequence[str], file: str | None) -> str:
    named = [sheet for sheet in sheets if sheet.strip().casefold() == SHEET_NAME.casefold()]
    if named or len(sheets) == 1:
        return (named or sheets)[0]
    if not sheets:
        raise refusal([Fault("", "has no sheet that can be seen", file)])
    there_are = ", ".join(shown(sheet) for sheet in sheets[:20])
    raise refusal([Fault("", f"has several sheets; call the one to read {SHEET_NAME}, there are {there_are}", file)])


def _rows(sheet: CalamineSheet) -> list[TableRow]:
    top, left = sheet.start or (0, 0)
    before: list[CellValue] = [""] * left
    rows = (
        TableRow(number, [*before, *map(_value, cells)])
        for number, cells in enumerate(sheet.to_python(skip_empty_area=True), top + 1)
    )
    return [row for row in rows if not all(map(is_blank, row.cells))]


def _value(held: _Held) -> CellValue:
    """Return what a cell holds as it would be written in a CSV file: days as ISO text, numbers as written."""
    if isinstance(held, bool | str):
        return held
    if isinstance(held, int | float):
        return int(held) if held == held // 1 and abs(held) < _WHOLE_UP_TO else Decimal(repr(held))
    if isinstance(held, datetime):
        is_day = held.time() == time()
        return held.date().isoformat() if is_day else held.isoformat(" ", "seconds")
    if isinstance(held, timedelta):
        minutes, seconds = divmod(int(held.total_seconds()), 60)
        return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
    return held.isoformat() if isinstance(held, date) else held.isoformat("seconds")
