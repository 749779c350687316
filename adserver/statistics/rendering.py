"""A result as JSON has it, and as CSV; pure."""

import csv
import io
from typing import Final

from adserver.statistics.filters import And, Filter, Match, Not, Or
from adserver.statistics.metrics import MetricName
from adserver.statistics.query import DateRange, Days, Period, days_of
from adserver.statistics.reach import REACH_NOTE
from adserver.statistics.service import Result

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take a text for a formula (OWASP, CSV injection)."""


def to_document(result: Result) -> dict[str, JsonValue]:
    """Return the shape of Plausible's Stats API v2: `results`, `meta`, and the query as it was understood."""
    return {
        "results": [{"dimensions": list(row.dimensions), "metrics": list(row.metrics)} for row in result.rows],
        "meta": _meta(result),
        "query": _query(result),
    }


def to_csv(result: Result) -> str:
    """Return a header and the page's rows (RFC 4180); a text that a spreadsheet would run gets a `'` before it."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*result.query.dimensions, *result.query.metrics])
    for row in result.rows:
        writer.writerow([*(_inert(label) for label in row.dimensions), *row.metrics])
    return text.getvalue()


def _inert(label: str) -> str:
    return f"'{label}" if label.startswith(_FORMULA_STARTS) else label


def _meta(result: Result) -> dict[str, JsonValue]:
    meta: dict[str, JsonValue] = {"total_rows": result.total_rows}
    if result.currency is not None:
        meta["currency"] = result.currency
    if result.without_price:
        meta["without_price"] = list(result.without_price)
    if MetricName.REACH in result.query.metrics:
        meta["reach"] = REACH_NOTE
    warnings = result.standing.warnings()
    if warnings:
        standing = result.standing
        meta["warnings"] = list(warnings)
        meta["counting"] = {
            "gaps": standing.losses.gaps,
            "dropped": dict(standing.losses.by_cause),
            "backlog_bytes": standing.backlog_bytes,
            "lag_seconds": round(standing.lag_seconds, 3),
        }
    return meta


def _query(result: Result) -> dict[str, JsonValue]:
    query = result.query
    return {
        "metrics": [metric.value for metric in query.metrics],
        "dimensions": [dimension.value for dimension in query.dimensions],
        "date_range": _date_range(query.date_range, result),
        "filters": [_filter(filter_) for filter_ in query.filters],
        "order_by": [[order.by.value, order.direction.value] for order in query.order],
        "pagination": {"limit": query.pagination.limit, "offset": query.pagination.offset},
        "timezone": result.zone.key if result.zone else None,
    }


def _date_range(date_range: DateRange, result: Result) -> JsonValue:
    """Return the two days meant; the word itself for `all`, and where each site has a zone and a today of its own."""
    if not isinstance(date_range, Days) and (date_range is Period.ALL or result.zone is None):
        return date_range.value
    days = days_of(date_range, result.at.astimezone(result.zone).date())
    return [days.first.isoformat(), days.last.isoformat()]


def _filter(filter_: Filter) -> JsonValue:
    match filter_:
        case Match():
            return [filter_.operator.value, filter_.dimension.value, list(filter_.values)]
        case Not():
            return ["not", _filter(filter_.part)]
        case And():
            return ["and", [_filter(part) for part in filter_.parts]]
        case Or():
            return ["or", [_filter(part) for part in filter_.parts]]
