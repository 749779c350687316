"""A sheet as it was read from whatever file: headings, and rows of cells."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from adserver.catalog.sheet_cells import CellValue
from adserver.domain.errors import Fault

MAX_ROWS: Final = 20_000
"""More rows are refused: checking them would take longer than an upload may."""
MAX_COLUMNS: Final = 200


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row. Immutable by agreement."""

    number: int
    """As programs for spreadsheets count: 1 is the first."""
    cells: Sequence[CellValue]
    """From column 1 on; what is missing at the end is blank."""


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a sheet that are not blank, the headings first. Immutable by agreement."""

    rows: tuple[TableRow, ...]
    sheet: str | None = None
    """The sheet's name; None where a file has no sheets."""
    faults: tuple[Fault, ...] = ()
    """What the file alone tells: formulas, merged cells."""


def too_many_rows(file: str | None, sheet: str | None) -> Fault:
    """Return the fault of a sheet without an end."""
    message = f"has more than {MAX_ROWS:,} rows; split it into several files"
    return Fault("", message, file, MAX_ROWS + 1, 1, sheet)


def too_many_columns(file: str | None, sheet: str | None, row: int) -> Fault:
    """Return the fault of a sheet that is too wide."""
    return Fault("", f"has more than {MAX_COLUMNS} columns", file, row, MAX_COLUMNS + 1, sheet)
