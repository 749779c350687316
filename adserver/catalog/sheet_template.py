"""The sheet to fill: every column there is, and in a workbook also an example, and how each column is written."""

from functools import cache
from importlib.resources import files
from typing import Final

from adserver.catalog.sheet_columns import COLUMNS

WORKBOOK: Final = "campaign-sheet.xlsx"
"""Made by `scripts/sheet_template.py`."""


def template(suffix: str) -> bytes:
    """Return the sheet to fill as `.csv`, or as `.xlsx`."""
    return _csv() if suffix == ".csv" else _workbook()


def _csv() -> bytes:
    return (",".join(column.name for column in COLUMNS) + "\r\n").encode()


@cache
def _workbook() -> bytes:
    return (files("adserver.catalog") / WORKBOOK).read_bytes()
