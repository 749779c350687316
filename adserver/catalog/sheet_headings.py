"""The first row of a campaign sheet: which of its columns is what."""

from difflib import get_close_matches

from adserver.catalog.faults import refusal
from adserver.catalog.sheet_cells import is_blank
from adserver.catalog.sheet_columns import BY_NAME, COLUMNS, Column, column_name
from adserver.catalog.sheet_table import Table, TableRow
from adserver.catalog.texts import shown
from adserver.domain.errors import Fault


class Headings:
    """The columns of one sheet. For one thread."""

    def __init__(self, table: Table, file: str | None) -> None:
        """Take the sheet, and what its file is called."""
        self.columns: dict[int, Column] = {}
        """By their numbers."""
        self._faults: list[Fault] = list(table.faults)
        head = table.rows[0] if table.rows else TableRow(1, ())
        self._row, self._file, self._sheet = head.number, file, table.sheet
        names: set[str] = set()
        for number, cell in enumerate(head.cells, 1):
            if is_blank(cell):
                continue
            name = column_name(str(cell))
            self._take(name, number, is_again=name in names)
            names.add(name)
        if not names & BY_NAME.keys():
            self._faults = [fault for fault in self._faults if fault.path == ""]  # all unknown: one fault says it
            needed = ", ".join(column.name for column in COLUMNS if column.needed)
            self._add("", 1, f"the first row must name the columns; every sheet has {needed}")
            return
        for column in COLUMNS:
            if column.needed and column.name not in names:
                self._add(column.name, 1, "this column is missing; every sheet has it")

    def refuse_any(self) -> None:
        """Refuse a sheet whose columns are not as they should be: its rows could not be judged.

        Raises:
            InputRefused: with every fault of them.
        """
        if self._faults:
            raise refusal(self._faults)

    def _take(self, name: str, number: int, *, is_again: bool) -> None:
        column = BY_NAME.get(name)
        if is_again:
            self._add(name, number, "this column stands twice; keep one of them")
        elif column is None:
            meant = get_close_matches(name, BY_NAME, 1)
            hint = f"did you mean {meant[0]}?" if meant else "take it out; the template has all there are"
            self._add(name, number, f"unknown column {shown(name)}; {hint}")
        else:
            self.columns[number] = column

    def _add(self, path: str, number: int, message: str) -> None:
        self._faults.append(Fault(path, message, self._file, self._row, number, self._sheet))
