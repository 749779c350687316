"""The form of the statistics page as a query: what was chosen, and what `POST /v1/query` would take; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final, Protocol

from adserver.statistics.dimensions import Dimension
from adserver.statistics.query import Period

PAGE_ROWS: Final = 100
FILTER_ROWS: Final = 2
CUSTOM: Final = "days"
"""The range of two days that are given."""
OPERATORS: Final = {"is": "is", "is_not": "is not", "contains": "contains"}
RANGES: Final = {
    Period.DAY.value: "today",
    Period.WEEK.value: "7 days",
    Period.THIRTY_DAYS.value: "30 days",
    Period.MONTH.value: "this month",
    Period.ALL.value: "all time",
    CUSTOM: "from … to …",
}
DEFAULT_METRICS: Final = ("impressions", "viewable", "clicks", "ctr")

Document = dict[str, object]


class Arguments(Protocol):
    """The query of an address; Werkzeug's is one."""

    def get(self, key: str, default: str) -> str:
        """Return the first value of a name."""
        ...

    def getlist(self, key: str) -> list[str]:
        """Return all values of a name."""
        ...


@dataclass(frozen=True, slots=True)
class FilterRow:
    """One filter of the form. Immutable."""

    field: str = ""
    """A dimension; empty: none."""
    operator: str = "is"
    value: str = ""
    """Several with commas between them."""


@dataclass(frozen=True, slots=True)
class Form:
    """What was chosen. Immutable."""

    metrics: tuple[str, ...]
    by: str
    then_by: str
    range: str
    first: str
    last: str
    filters: tuple[FilterRow, ...]
    sort: str
    is_descending: bool
    page: int

    @property
    def dimensions(self) -> tuple[str, ...]:
        """What rows are grouped by."""
        return tuple(dict.fromkeys(filter(None, (self.by, self.then_by))))

    def document(self, *, is_whole: bool = False) -> Document:
        """Return the query; `is_whole`: all rows, for a file, else the page that was asked for."""
        asked: Document = {
            "metrics": list(self.metrics),
            "dimensions": list(self.dimensions),
            "date_range": [self.first, self.last] if self.range == CUSTOM else self.range,
            "filters": [row for each in self.filters if (row := _filter(each)) is not None],
        }
        if self.sort in (*self.metrics, *self.dimensions):
            asked["order_by"] = [[self.sort, "desc" if self.is_descending else "asc"]]
        if not is_whole:
            asked["pagination"] = {"limit": PAGE_ROWS, "offset": (self.page - 1) * PAGE_ROWS}
        return asked

    def totals(self) -> Document:
        """Return the query of the same without its dimensions."""
        plain = {name: value for name, value in self.document(is_whole=True).items() if name != "order_by"}
        return {**plain, "dimensions": []}

    def query(self, **changes: object) -> dict[str, object]:
        """Return the query of an address that asks the same, but for changes."""
        values: dict[str, object] = {
            "metrics": list(self.metrics),
            "by": self.by,
            "then": self.then_by,
            "range": self.range,
            "from": self.first if self.range == CUSTOM else "",
            "to": self.last if self.range == CUSTOM else "",
            "field": [row.field for row in self.filters if row.field],
            "op": [row.operator for row in self.filters if row.field],
            "value": [row.value for row in self.filters if row.field],
            "sort": self.sort,
            "order": ("desc" if self.is_descending else "asc") if self.sort else "",
            "page": self.page if self.page > 1 else "",
            **changes,
        }
        return {name: value for name, value in values.items() if value}


def read_form(arguments: Arguments) -> Form:
    """Return what an address asks; what is no choice of the form is left for the query to refuse, with its reason."""
    page = arguments.get("page", "")
    rows = zip_longest(*(arguments.getlist(name) for name in ("field", "op", "value")), fillvalue="")
    filters = tuple(FilterRow(field, operator or "is", value.strip()) for field, operator, value in rows)
    return Form(
        tuple(arguments.getlist("metrics")) or DEFAULT_METRICS,
        arguments.get("by", Dimension.DAY.value),
        arguments.get("then", ""),
        arguments.get("range", Period.THIRTY_DAYS.value),
        arguments.get("from", ""),
        arguments.get("to", ""),
        _padded(filters),
        arguments.get("sort", ""),
        arguments.get("order", "desc") != "asc",
        int(page) if page.isascii() and page.isdigit() and 0 < len(page) < 6 and int(page) > 0 else 1,
    )


def _padded(filters: Sequence[FilterRow]) -> tuple[FilterRow, ...]:
    return (*filters, *(FilterRow() for _ in range(FILTER_ROWS - len(filters))))


def _filter(row: FilterRow) -> list[object] | None:
    if not row.field or not row.value:
        return None
    values = [value for part in row.value.split(",") if (value := part.strip())]
    return [row.operator, row.field, values]
