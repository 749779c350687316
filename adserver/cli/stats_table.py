"""The table of `adserver stats`, as wide as the terminal: labels fold before a number is cut, and none ever is."""

from collections.abc import Iterator
from typing import Final

from rich import box
from rich.cells import cell_len
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from adserver.statistics.metrics import MetricName
from adserver.statistics.query import Days, Query
from adserver.statistics.service import Number, Result, Row

_TOTAL: Final = "total"
_GAPS: Final = (2, 1)
"""Columns between two of the table's: as it looks best, and where room is short."""
_LABEL_COLUMNS: Final = 10
"""Narrower than this a folded label cannot be read."""


def print_result(console: Console, result: Result, totals: Row) -> None:
    """Print the rows and their totals: as a table, else as a closer one, else with labels folded, else stacked."""
    console.print(Text(_title(result), style="italic"))
    widths = [max(cell_len(label) for label in labels) for labels in _labels(result)]
    numbers = _numbers_width(result, totals)
    for gap in _GAPS:
        room = console.width - numbers - gap * (len(widths) + len(result.query.metrics) - 1)
        if sum(widths) <= room:
            console.print(_table(result, totals, gap, widths))
            break
    else:
        folded = _folded(widths, room)
        if folded is None:
            console.print(_stacked(result, totals))
        else:
            console.print(_table(result, totals, _GAPS[-1], folded))
    for note in _notes(result):
        console.print(Text(note, style="italic"))


def _labels(result: Result) -> Iterator[list[str]]:
    for place, dimension in enumerate(result.query.dimensions):
        total = [] if place else [_TOTAL]
        yield [dimension.value, *total, *(row.dimensions[place] for row in result.rows)]


def _numbers_width(result: Result, totals: Row) -> int:
    return sum(
        max(len(metric.value), *(len(_shown(metric, row.metrics[place])) for row in (*result.rows, totals)))
        for place, metric in enumerate(result.query.metrics)
    )


def _folded(widths: list[int], room: int) -> list[int] | None:
    """Return label widths that fit, the widest cut first; None where that would leave some too narrow."""
    widths = [*widths]
    while sum(widths) > room:
        widest = max(widths, default=0)
        if widest <= _LABEL_COLUMNS:
            return None
        widths[widths.index(widest)] -= 1
    return widths


def _table(result: Result, totals: Row, gap: int, widths: list[int]) -> Table:
    query = result.query
    table = Table(box=box.SIMPLE, padding=(0, gap - 1, 0, 0), pad_edge=False, show_edge=False, show_footer=True)
    for place, (dimension, width) in enumerate(zip(query.dimensions, widths, strict=True)):
        table.add_column(dimension.value, footer="" if place else _TOTAL, overflow="fold", width=width)
    for metric, total in zip(query.metrics, totals.metrics, strict=True):
        table.add_column(metric.value, footer=_shown(metric, total), justify="right", no_wrap=True)
    for row in result.rows:
        numbers = (_shown(metric, value) for metric, value in zip(query.metrics, row.metrics, strict=True))
        table.add_row(*(Text(label) for label in row.dimensions), *numbers)
    return table


def _stacked(result: Result, totals: Row) -> Group:
    """Return one number a line, for terminals too narrow for a row of them."""
    return Group(
        *(line for row in (*result.rows, totals) for line in _lines(result.query, row, is_total=row is totals))
    )


def _lines(query: Query, row: Row, *, is_total: bool) -> Iterator[Text]:
    yield Text(_TOTAL if is_total else ", ".join(row.dimensions), style="bold", overflow="fold")
    for metric, value in zip(query.metrics, row.metrics, strict=True):
        yield Text(f"  {metric.value} {_shown(metric, value)}")


def _title(result: Result) -> str:
    return f"{_span(result.query)}, {result.zone.key if result.zone else 'each site in its own time zone'}"


def _span(query: Query) -> str:
    if isinstance(query.date_range, Days):
        return f"{query.date_range.first} to {query.date_range.last}"
    return {"day": "Today", "7d": "7 days", "30d": "30 days", "month": "This month", "all": "All days"}[
        query.date_range
    ]


def _notes(result: Result) -> Iterator[str]:
    if len(result.rows) < result.total_rows:
        yield f"{len(result.rows)} of {result.total_rows} rows; see --limit"
    if result.currency is not None:
        yield f"revenue in {result.currency}, at the present prices"
    if result.without_price:
        gone = ", ".join(result.without_price)
        yield f"not in revenue (gone from the catalog, or flat without an end): {gone}"


def _shown(metric: MetricName, value: Number) -> str:
    if metric.ratio is not None:
        return f"{value:.2%}"
    return f"{value:,.2f}" if metric is MetricName.REVENUE else f"{value:,}"
