"""Campaign sheets for tests: rows as mappings of column to cell, written as CSV or as a workbook."""

import csv
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from io import BytesIO, StringIO

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

Cell = str | int | float | bool | date | time | None

NEEDED = (
    "advertiser_id", "advertiser_name", "campaign_id", "campaign_name", "campaign_starts", "timezone", "creative_id",
    "click_url", "name", "flight_id",
)  # fmt: skip


def row(flight: str = "shop-flight", **cells: Cell) -> dict[str, Cell]:
    """Return a row that is right, with other cells in it."""
    return {
        "advertiser_id": "shop",
        "advertiser_name": "The Shop",
        "campaign_id": "shop-winter",
        "campaign_name": "Winter",
        "campaign_starts": "2026-01-01",
        "campaign_ends": "2027-12-31",
        "timezone": "America/Chicago",
        "creative_id": "boots",
        "click_url": "https://shop.example/",
        "name": "The Shop",
        "flight_id": flight,
        **cells,
    }


def columns(rows: Sequence[Mapping[str, Cell]]) -> list[str]:
    """Return the columns that rows have, and those that every sheet needs."""
    return list(dict.fromkeys([*NEEDED, *(name for one in rows for name in one)]))


def csv_bytes(*rows: Mapping[str, Cell], separator: str = ",", drop: str = "") -> bytes:
    """Return rows as a CSV file, without the column `drop`."""
    names = [name for name in columns(rows) if name != drop]
    stream = StringIO()
    writer = csv.writer(stream, delimiter=separator)
    writer.writerow(names)
    writer.writerows([["" if one.get(name) is None else one[name] for name in names] for one in rows])
    return stream.getvalue().encode()


def xlsx_bytes(
    *rows: Mapping[str, Cell],
    sheet: str = "Campaigns",
    others: Sequence[str] = (),
    change: Callable[[Worksheet, list[str]], object] = lambda _sheet, _names: None,
) -> bytes:
    """Return rows as a workbook.

    Args:
        rows: the cells.
        sheet: what their sheet is called.
        others: empty sheets before it.
        change: does something to the sheet, which has these columns, before it is saved.
    """
    stream = BytesIO()
    book = xlsxwriter.Workbook(stream)
    for other in others:
        book.add_worksheet(other)
    made, names = book.add_worksheet(sheet), columns(rows)
    day, clock = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"num_format": "hh:mm"})
    made.write_row(0, 0, names)
    for number, one in enumerate(rows, 1):
        for index, name in enumerate(names):
            _write(made, number, index, one.get(name), day, clock)
    change(made, names)
    book.close()
    return stream.getvalue()


def _write(sheet: Worksheet, row_: int, column: int, cell: Cell, day: object, clock: object) -> None:
    if isinstance(cell, date | datetime):
        sheet.write_datetime(row_, column, cell, day)
    elif isinstance(cell, time):
        sheet.write_datetime(row_, column, cell, clock)
    elif isinstance(cell, str):
        sheet.write_string(row_, column, cell)
    elif cell is not None:
        sheet.write(row_, column, cell)
