"""The console's page of statistics: a question by form, its answer as a table, a chart and a CSV file."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, Response, render_template, request

from adserver.domain.errors import Fault
from adserver.domain.ids import PlaceId
from adserver.domain.places import Place
from adserver.statistics.dimensions import PLACE_DIMENSIONS, TIME_DIMENSIONS, Dimension
from adserver.statistics.errors import QueryRefused
from adserver.statistics.metrics import MetricName
from adserver.statistics.parsing import parse_query
from adserver.statistics.reach import REACH_NOTE
from adserver.statistics.rendering import to_csv
from adserver.statistics.service import Number, Result, StatisticsService
from adserver.web.auth import Principal
from adserver.web.console.charts import Chart, make_chart
from adserver.web.console.navigation import Entry, Section
from adserver.web.console.query_form import OPERATORS, PAGE_ROWS, RANGES, Document, Form, read_form
from adserver.web.console.shell import current_caller
from adserver.web.console.words import grouped, percent
from adserver.web.limits import CallLimit, session_key
from adserver.web.store_gate import StoreGate

PlaceOf = Callable[[PlaceId], Place | None]

_NO_TOTAL: Final = "-"


@dataclass(frozen=True, slots=True)
class Answered:
    """What the page shows of an answer. Immutable."""

    result: Result
    rows: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    """Labels and values of each row, in words."""
    totals: tuple[str, ...]
    """The same without dimensions; empty: there are none to show."""
    chart: Chart | None
    """Of the first metric, where rows are times; None: of bars beside the rows."""
    parts: tuple[float, ...]
    """How long the bar of each row is, 0 to 100; empty where there is a chart."""
    pages: int
    notes: tuple[str, ...]


def statistics_section(service: StatisticsService, place_of: PlaceOf, limit: CallLimit, gate: StoreGate) -> Section:
    """Return the page `/console/statistics` and its file.

    Args:
        service: answers queries.
        place_of: returns a place by its id, or None.
        limit: how often somebody may ask.
        gate: how many calls may be with the store at once.
    """
    blueprint = Blueprint("console_statistics", __name__, template_folder="templates")

    def run(document: Document, caller: Principal) -> Result:
        asked = parse_query(document)
        with gate.entered():
            return service.run(asked if caller.advertisers is None else asked.within(caller.advertisers))

    @blueprint.get("/statistics")
    def page() -> tuple[str, int]:
        caller, form = current_caller(), read_form(request.args)
        limit.take(session_key(caller.token_id))
        answered: Answered | None = None
        faults: tuple[Fault, ...] = ()
        try:
            answered = _answered(form, run(form.document(), caller), _totals(form, caller, run), place_of)
        except QueryRefused as refused:
            faults = refused.faults
        shown = render_template(
            "console/statistics.html",
            form=form,
            answered=answered,
            faults=faults,
            metrics=tuple(MetricName),
            dimensions=tuple(Dimension),
            operators=OPERATORS,
            ranges=RANGES,
        )
        return shown, 422 if faults else 200

    @blueprint.get("/statistics.csv")
    def file() -> Response:
        caller, form = current_caller(), read_form(request.args)
        limit.take(session_key(caller.token_id))
        response = Response(to_csv(run(form.document(is_whole=True), caller)), content_type="text/csv; charset=utf-8")
        response.headers["Content-Disposition"] = 'attachment; filename="statistics.csv"'
        return response

    entry = Entry("Statistics", "console_statistics.page", "bar-chart", "Ask the counts, as a table or a file.")
    return Section(blueprint, (entry,))


def _totals(form: Form, caller: Principal, run: Callable[[Document, Principal], Result]) -> Result | None:
    """Return the same without dimensions; None where rows have none, or it cannot be told."""
    if not form.dimensions:
        return None
    try:
        return run(form.totals(), caller)
    except QueryRefused:
        return None


def _answered(form: Form, result: Result, totals: Result | None, place_of: PlaceOf) -> Answered:
    query = result.query
    rows = tuple(
        (
            tuple(_label(name, label, place_of) for name, label in zip(query.dimensions, row.dimensions, strict=True)),
            tuple(_value(name, value, result) for name, value in zip(query.metrics, row.metrics, strict=True)),
        )
        for row in result.rows
    )
    is_series = len(query.dimensions) == 1 and query.dimensions[0] in TIME_DIMENSIONS and form.sort in ("", form.by)
    first = [float(row.metrics[0]) for row in result.rows]
    chart = None
    if is_series and len(rows) > 1:
        columns = sorted(zip(result.rows, rows, strict=True), key=lambda pair: pair[0].dimensions)
        chart = make_chart([(row.dimensions[0], float(row.metrics[0]), shown[1][0]) for row, shown in columns])
    top = max(first, default=0.0)
    has_bars = bool(query.dimensions) and chart is None and top > 0
    return Answered(
        result,
        rows,
        _total_row(totals) if totals is not None and totals.rows else (),
        chart,
        tuple(100 * max(0.0, value) / top for value in first) if has_bars else (),
        max(1, -(-result.total_rows // PAGE_ROWS)),
        tuple(_notes(result)),
    )


def _total_row(totals: Result) -> tuple[str, ...]:
    """Return the totals; readers of several days or flights cannot be added up, so `reach` has none."""
    values = zip(totals.query.metrics, totals.rows[0].metrics, strict=True)
    return tuple(_NO_TOTAL if name is MetricName.REACH else _value(name, value, totals) for name, value in values)


def _value(metric: MetricName, value: Number, result: Result) -> str:
    if metric.ratio is not None:
        return percent(value)
    if metric is MetricName.REVENUE:
        return f"{value:,.2f} {result.currency or ''}".strip()
    return grouped(value)


def _label(dimension: Dimension, label: str, place_of: PlaceOf) -> str:
    if dimension in PLACE_DIMENSIONS:
        place = place_of(PlaceId(label))
        return place.name if place is not None else label
    return label.removesuffix(":00") if dimension is Dimension.HOUR else label


def _notes(result: Result) -> list[str]:
    notes = [f"{warning[:1].upper()}{warning[1:]}." for warning in result.standing.warnings()]
    if result.without_price:
        notes.append(f"Not in revenue, for they have no price that can be told: {', '.join(result.without_price)}.")
    if MetricName.REACH in result.query.metrics:
        notes.append(f"Reach: {REACH_NOTE}")
    return notes
