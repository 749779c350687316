"""A campaign sheet as checked campaign files, as folders and uploads take it."""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from adserver.catalog.checking import check_campaign_file
from adserver.catalog.csv_reading import read_csv
from adserver.catalog.documents import Documents, JsonObject
from adserver.catalog.faults import refusal
from adserver.catalog.positions import Positions
from adserver.catalog.sheet_reading import read_table
from adserver.catalog.sheet_table import Table
from adserver.catalog.xlsx_reading import read_xlsx
from adserver.domain.errors import Fault, InputRefused

_PART: Final = re.compile(r"(?P<file>.*) \([a-z0-9-]+\)")


class SheetFormat(StrEnum):
    """The forms in which sheets are taken."""

    CSV = "csv"
    XLSX = "xlsx"


_READERS: Final[Mapping[SheetFormat, Callable[[bytes, str | None], Table]]] = {
    SheetFormat.CSV: read_csv,
    SheetFormat.XLSX: read_xlsx,
}


def read_sheet(data: bytes, form: SheetFormat, file: str) -> Documents:
    """Return the campaign files of a sheet: one called as its file, or, of several advertisers, one for each.

    Raises:
        InputTooLarge, UnreadableInput: if it cannot be read.
        InputRefused: with every fault of the sheet taken alone, by row and column.
    """
    parts = read_table(_READERS[form](data, file), file)
    files: dict[str, JsonObject] = {}
    positions: dict[str, Positions] = {}
    faults: list[Fault] = []
    for part in parts:
        name = file if len(parts) == 1 else f"{file} ({part.advertiser})"
        positions[name] = part.parsed.positions
        try:
            files[name] = check_campaign_file(part.parsed, name)
        except InputRefused as refused:
            faults.extend(refused.faults)
    if faults:
        raise refusal(sorted(faults, key=lambda fault: (fault.line or 0, fault.column or 0)))
    return Documents(files, positions=positions)


def file_of(name: str) -> str:
    """Return the file that a campaign file is read from: a sheet's, for one of those that are made of it."""
    found = _PART.fullmatch(name)
    return found["file"] if found else name
