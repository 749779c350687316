"""`adserver stats`: the counts in a table, or as JSON."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import click
from rich.console import Console

from adserver.cli.reaching import reaching_store
from adserver.cli.refusals import fault_to_json, refusing
from adserver.cli.stats_options import in_words_of_options, read_dimensions, read_filters, read_metrics, read_range
from adserver.cli.stats_table import print_result
from adserver.config import Settings
from adserver.runtime.analysis import open_statistics
from adserver.statistics.errors import QueryRefused
from adserver.statistics.parsing import parse_query
from adserver.statistics.query import MAX_ROWS, Pagination, Query
from adserver.statistics.rendering import to_document

_DEFAULT_METRICS: Final = ("decisions", "fills", "impressions", "viewable", "clicks", "invalid", "ctr")


@click.command("stats")
@click.option(
    "--by",
    "dimensions",
    multiple=True,
    callback=read_dimensions,
    metavar="DIMENSION",
    help="Group by it; repeat, or comma. [flight]",
)
@click.option(
    "--metrics",
    multiple=True,
    callback=read_metrics,
    metavar="METRIC",
    help="Show it; repeat, or comma. [decisions, fills, …]",
)
@click.option(
    "--range",
    "date_range",
    default="day",
    callback=read_range,
    metavar="RANGE",
    help="day, 7d, 30d, month, all, or FROM..TO. [day]",
)
@click.option(
    "--filter",
    "filters",
    multiple=True,
    callback=read_filters,
    metavar="D=V[,V…]",
    help="Only these, as flight=minnesota; != excludes.",
)
@click.option("--timezone", metavar="ZONE", help="Whose days and hours; each site's own where left out.")
@click.option("--limit", type=click.IntRange(1, MAX_ROWS), default=50, show_default=True, help="Rows at most.")
@click.option("--json", "as_json", is_flag=True, help="For machines: what POST /v1/query answers.")
def stats_command(
    dimensions: list[str],
    metrics: list[str],
    date_range: str | list[str],
    filters: list[list[object]],
    timezone: str | None,
    limit: int,
    *,
    as_json: bool,
) -> None:
    """Show what was asked, filled, seen and clicked; today's by flight unless told otherwise."""
    document: dict[str, object] = {
        "metrics": metrics or list(_DEFAULT_METRICS),
        "dimensions": dimensions or ["flight"],
        "date_range": date_range,
        "filters": filters,
        "pagination": {"limit": limit},
    }
    if timezone:
        document["timezone"] = timezone
    query = _parsed(document)
    with refusing(as_json=as_json), _refusing_query(document, as_json=as_json):
        settings = Settings.from_environ(os.environ)
        with reaching_store(settings):
            service = open_statistics(settings)
            result = service.run(query)
            totals = service.run(replace(query, dimensions=(), order_by=(), pagination=Pagination()))
            strangers = service.strangers(query)
    if as_json:
        click.echo(json.dumps(to_document(result)))
    else:
        print_result(Console(), result, totals.rows[0])
    for stranger in strangers:
        click.echo(f"note: {stranger}", err=True)


def _parsed(document: dict[str, object]) -> Query:
    """Return the query.

    Raises:
        click.UsageError: an option is not as it is written; in the option's words.
    """
    try:
        return parse_query(document)
    except QueryRefused as refused:
        faults = (in_words_of_options(fault, document) for fault in refused.faults)
        raise click.UsageError("\n".join(str(fault) for fault in faults)) from refused


@contextmanager
def _refusing_query(document: dict[str, object], *, as_json: bool) -> Iterator[None]:
    """Print what is wrong with a query and exit 1; there was nothing to publish."""
    try:
        yield
    except QueryRefused as refused:
        if as_json:
            click.echo(json.dumps({"errors": [fault_to_json(fault) for fault in refused.faults]}))
        else:
            for fault in refused.faults:
                click.echo(str(in_words_of_options(fault, document)), err=True)
        raise SystemExit(1) from refused
