"""Write the workbook that `adserver import --template` gives out: scripts/sheet_template.py.

A test fails where it is not of the columns that the code has.
"""

import csv
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import xlsxwriter
from xlsxwriter.workbook import Workbook

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from adserver.catalog.sheet_columns import COLUMNS, Cell  # noqa: E402 - found by the line above
from adserver.catalog.sheet_template import WORKBOOK  # noqa: E402
from adserver.domain.catalog import Pacing, Status, Tier  # noqa: E402

EXAMPLE: Final = ROOT / "docs" / "campaign-sheet-example.csv"
HOW: Final = {
    Cell.TEXT: "text",
    Cell.NUMBER: "a whole number",
    Cell.FLAG: "TRUE or FALSE",
    Cell.TIME: "a time such as 06:00",
    Cell.WORDS: "several, with ; between them",
    Cell.PLACES: "MN; Duluth, MN; Ely, MN (40 miles)",
    Cell.CAPS: "3 per visit; 900 per day",
    Cell.CREATIVES: "ids of creatives: boots (2); phone",
}
CHOICES: Final = {"campaign_status": Status, "status": Status, "tier": Tier, "pacing": Pacing}
DAYS: Final = ("campaign_starts", "campaign_ends", "starts", "ends")
FILLED_ROWS: Final = 20_000


def main() -> None:
    """Write it."""
    with xlsxwriter.Workbook(ROOT / "adserver" / "catalog" / WORKBOOK) as book:
        book.set_properties({"title": "Campaigns", "created": datetime(2026, 11, 1, tzinfo=UTC)})
        _write_campaigns(book)
        _write_example(book)
        _write_columns(book)


def _write_campaigns(book: Workbook) -> None:
    sheet = book.add_worksheet("Campaigns")
    needed = book.add_format({"bold": True, "bg_color": "#1F4E79", "font_color": "#FFFFFF"})
    other = book.add_format({"bold": True, "bg_color": "#DDEBF7"})
    text, day = book.add_format({"num_format": "@"}), book.add_format({"num_format": "yyyy-mm-dd"})
    for number, column in enumerate(COLUMNS):
        cells = day if column.name in DAYS else text if column.cell in (Cell.TEXT, Cell.PLACES, Cell.TIME) else None
        sheet.set_column(number, number, max(12, len(column.name) + 3), cells)
        sheet.write(0, number, column.name, needed if column.needed else other)
        if column.name in CHOICES:
            allowed = {"validate": "list", "source": [word.value for word in CHOICES[column.name]]}
            sheet.data_validation(1, number, FILLED_ROWS - 1, number, allowed)
    sheet.freeze_panes(1, 0)


def _write_example(book: Workbook) -> None:
    sheet = book.add_worksheet("Example")
    bold = book.add_format({"bold": True})
    with EXAMPLE.open(newline="", encoding="utf-8") as file:
        for number, row in enumerate(csv.reader(file)):
            sheet.write_row(number, 0, row, bold if number == 0 else None)
    sheet.freeze_panes(1, 0)
    sheet.autofit()


def _write_columns(book: Workbook) -> None:
    sheet = book.add_worksheet("Columns")
    bold = book.add_format({"bold": True})
    sheet.write_row(0, 0, ("column", "needed", "of the", "is there", "how it is written"), bold)
    for number, column in enumerate(COLUMNS, 1):
        choices = " or ".join(word.value for word in CHOICES.get(column.name, ()))
        how = "a day such as 2026-06-01" if column.name in DAYS else choices or HOW[column.cell]
        needed = "yes" if column.needed else ""
        sheet.write_row(number, 0, (column.name, needed, column.thing.value, ".".join(map(str, column.path)), how))
    sheet.freeze_panes(1, 0)
    sheet.autofit()


if __name__ == "__main__":
    main()
