"""`adserver stats`: the counts in a table, or as JSON."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import click
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from adserver.cli.refusals import fault_to_json, refusing
from adserver.config import Settings
from adserver.runtime import open_statistics
from adserver.statistics.errors import QueryRefused
from adserver.statistics.metrics import MetricName
from adserver.statistics.parsing import parse_query
from adserver.statistics.query import MAX_ROWS, Days, Pagination, Query
from adserver.statistics.rendering import to_document
from adserver.statistics.service import Number, Result, Row

_DEFAULT_METRICS: Final = ("decisions", "fills", "impressions", "viewable", "clicks", "invalid", "ctr")
_WIDEST: Final = 2_000
_SHORT_TIMES: Final = {name: f"time:{name}" for name in ("hour", "day", "week", "month")}


@click.command("stats")
@click.option("--by", "dimensions", multiple=True, metavar="DIMENSION", help="Group by it; repeat, or comma. [flight]")
@click.option("--metrics", multiple=True, metavar="METRIC", help="Show it; repeat, or comma. [decisions, fills, …]")
@click.option(
    "--range", "date_range", default="day", metavar="RANGE", help="day, 7d, 30d, month, all, or FROM..TO. [day]"
)
@click.option(
    "--filter", "filters", multiple=True, metavar="D=V[,V…]", help="Only these, as flight=minnesota; != excludes."
)
@click.option("--timezone", metavar="ZONE", help="Whose days and hours; each site's own where left out.")
@click.option("--limit", type=click.IntRange(1, MAX_ROWS), default=50, show_default=True, help="Rows at most.")
@click.option("--json", "as_json", is_flag=True, help="For machines: what POST /v1/query answers.")
def stats_command(
    dimensions: tuple[str, ...],
    metrics: tuple[str, ...],
    date_range: str,
    filters: tuple[str, ...],
    timezone: str | None,
    limit: int,
    *,
    as_json: bool,
) -> None:
    """Show what was asked, filled, seen and clicked; today's by flight unless told otherwise."""
    document: dict[str, object] = {
        "metrics": list(_listed(metrics)) or list(_DEFAULT_METRICS),
        "dimensions": [_SHORT_TIMES.get(name, name) for name in _listed(dimensions)] or ["flight"],
        "date_range": _read_range(date_range),
        "filters": [_read_filter(text) for text in filters],
        "pagination": {"limit": limit},
    }
    if timezone:
        document["timezone"] = timezone
    with refusing(as_json=as_json), _refusing_queries(as_json=as_json):
        query = parse_query(document)
        service = open_statistics(Settings.from_environ(os.environ))
        result = service.run(query)
        totals = service.run(replace(query, dimensions=(), order_by=(), pagination=Pagination()))
    if as_json:
        click.echo(json.dumps(to_document(result)))
    else:
        _print(Console(), result, totals.rows[0])


@contextmanager
def _refusing_queries(*, as_json: bool) -> Iterator[None]:
    """Print what is wrong with a query and exit 1; there was nothing to publish."""
    try:
        yield
    except QueryRefused as refused:
        if as_json:
            click.echo(json.dumps({"errors": [fault_to_json(fault) for fault in refused.faults]}))
        for fault in () if as_json else refused.faults:
            click.echo(str(fault), err=True)
        raise SystemExit(1) from refused


def _listed(values: tuple[str, ...]) -> Iterator[str]:
    for value in values:
        yield from (part.strip() for part in value.split(",") if part.strip())


def _read_range(text: str) -> str | list[str]:
    first, dots, last = text.partition("..")
    return [first, last] if dots else text


def _read_filter(text: str) -> list[object]:
    name, equals, values = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text!r} is not written like flight=minnesota", param_hint="--filter")
    operator = "is_not" if name.endswith("!") else "is"
    name = name.removesuffix("!").strip()
    return [operator, _SHORT_TIMES.get(name, name), list(_listed((values,)))]


def _print(console: Console, result: Result, totals: Row) -> None:
    query = result.query
    table = Table(title=_title(result), caption=_caption(result), show_footer=True)
    for place, dimension in enumerate(query.dimensions):
        table.add_column(dimension.value, footer="" if place else "total")
    for metric, total in zip(query.metrics, totals.metrics, strict=True):
        table.add_column(metric.value, footer=_shown(metric, total), justify="right")
    for row in result.rows:
        numbers = (_shown(metric, value) for metric, value in zip(query.metrics, row.metrics, strict=True))
        table.add_row(*(Text(label) for label in row.dimensions), *numbers)
    whole = Measurement.get(console, console.options.update_width(_WIDEST), table).maximum
    console.width = max(console.width, whole)  # a terminal wraps a wide table; a number cut short would be a lie
    console.print(table)


def _title(result: Result) -> str:
    return f"{_span(result.query)}, {result.zone.key if result.zone else 'each site in its own time zone'}"


def _span(query: Query) -> str:
    if isinstance(query.date_range, Days):
        return f"{query.date_range.first} to {query.date_range.last}"
    return {"day": "Today", "7d": "7 days", "30d": "30 days", "month": "This month", "all": "All days"}[
        query.date_range
    ]


def _caption(result: Result) -> str | None:
    notes = []
    if len(result.rows) < result.total_rows:
        notes.append(f"{len(result.rows)} of {result.total_rows} rows; see --limit")
    if result.currency is not None:
        notes.append(f"revenue in {result.currency}, at the present prices")
    if result.without_price:
        gone = ", ".join(result.without_price)
        notes.append(f"not in revenue (gone from the catalog, or flat without an end): {gone}")
    return "; ".join(notes) or None


def _shown(metric: MetricName, value: Number) -> str:
    if metric.ratio is not None:
        return f"{value:.2%}"
    return f"{value:,.2f}" if metric is MetricName.REVENUE else f"{value:,}"
