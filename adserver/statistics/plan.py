"""Which of the three families of cells answers a query; pure. Refuses what is not kept together."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from adserver.counting.cells import Family
from adserver.domain.errors import Fault
from adserver.domain.reasons import EventKind, InvalidReason, NoFillReason
from adserver.domain.variants import Variant
from adserver.statistics.dimensions import (
    DAY_DIMENSIONS,
    FILL_DIMENSIONS,
    FILL_LABEL,
    NONE_LABEL,
    ORDER_DIMENSIONS,
    PLACE_DIMENSIONS,
    REACH_DIMENSIONS,
    SITE_DIMENSIONS,
    TIME_DIMENSIONS,
    Dimension,
)
from adserver.statistics.errors import QueryRefused
from adserver.statistics.filters import Operator, matches_of
from adserver.statistics.metrics import Counter, MetricName
from adserver.statistics.query import Query

KEPT: Final = {
    Family.HOURS: FILL_DIMENSIONS | SITE_DIMENSIONS | TIME_DIMENSIONS | {Dimension.EVENT},
    Family.PLACES: FILL_DIMENSIONS | SITE_DIMENSIONS | PLACE_DIMENSIONS | DAY_DIMENSIONS,
    Family.TOPICS: ORDER_DIMENSIONS | SITE_DIMENSIONS | DAY_DIMENSIONS | {Dimension.TOPIC},
}
"""The dimensions of each family, in the order in which they are tried; `reason` depends on the metric."""

TOGETHER: Final = (
    "Kept together are: flight and its parents, creative, variant, slot, site, any time, event and invalid reason; "
    "flight and its parents, creative, variant, slot, site, place, county, state, country, and the site's day, week or "
    "month; flight and its parents, slot, site, topic, and the site's day, week or month"
)


@dataclass(frozen=True, slots=True)
class Plan:
    """How a query is answered. Immutable."""

    family: Family
    counters: frozenset[Counter]
    """What must be added up."""


def make_plan(query: Query) -> Plan:
    """Return how a query is answered.

    Raises:
        QueryRefused: with every reason why it is not.
    """
    faults = tuple(fault for rule in _RULES for fault in rule(query))
    if faults:
        raise QueryRefused(faults)
    family = next(family for family in KEPT if query.used <= kept_with(family, query))
    counters = frozenset(counter for metric in query.metrics for counter in metric.counters)
    return Plan(family, counters)


def kept_with(family: Family, query: Query) -> frozenset[Dimension]:
    """Return the dimensions of a family, `reason` among them where it is kept for the query's metric."""
    reason = {Dimension.REASON}
    if query.metrics == (MetricName.INVALID,):
        return KEPT[family] | (reason if family is Family.HOURS else frozenset())
    return KEPT[family] | (reason if family is not Family.TOPICS else frozenset())


def _reach_of_more(query: Query) -> Iterator[Fault]:
    if MetricName.REACH in query.metrics:
        for dimension in sorted(query.used - REACH_DIMENSIONS):
            yield Fault(query.path_of(dimension), f"`reach` goes with `flight` and `time:day` only, not `{dimension}`")


def _event_without_invalid(query: Query) -> Iterator[Fault]:
    if Dimension.EVENT in query.used and query.metrics != (MetricName.INVALID,):
        yield Fault(query.path_of(Dimension.EVENT), "`event` goes with the metric `invalid` alone")


def _reason_without_its_metric(query: Query) -> Iterator[Fault]:
    if Dimension.REASON in query.used and query.metrics not in ((MetricName.DECISIONS,), (MetricName.INVALID,)):
        message = "`reason` goes with the metric `decisions` alone, or with `invalid` alone"
        yield Fault(query.path_of(Dimension.REASON), message)


def _no_fill_reason_of_a_fill(query: Query) -> Iterator[Fault]:
    if Dimension.REASON in query.used and query.metrics == (MetricName.DECISIONS,):
        for dimension in sorted(query.used & FILL_DIMENSIONS):
            message = (
                f"`{dimension}` does not go with `reason` of `decisions`, which goes with slot, site, place and time"
            )
            yield Fault(query.path_of(dimension), message)


def _fill_rate_of_a_fill(query: Query) -> Iterator[Fault]:
    if MetricName.FILL_RATE in query.metrics:
        for dimension in sorted(query.used & FILL_DIMENSIONS):
            message = f"`fill_rate` does not go with `{dimension}`: what was not filled has none"
            yield Fault(query.path_of(dimension), message)


def _kept_apart(query: Query) -> Iterator[Fault]:
    if any(query.used <= kept_with(family, query) for family in KEPT):
        return
    outside = query.used - frozenset.intersection(*(kept_with(family, query) for family in KEPT))
    named = ", ".join(f"`{dimension}`" for dimension in Dimension if dimension in outside)
    paths = sorted({query.path_of(dimension) for dimension in outside})
    for path in paths[:-1]:
        yield Fault(path, f"{named} are not kept together")
    yield Fault(paths[-1], f"{named} are not kept together. {TOGETHER}")


def _unknown_words(query: Query) -> Iterator[Fault]:
    for place, filter_ in enumerate(query.filters):
        for match in matches_of(filter_):
            words = _words_of(match.dimension, query)
            if words is None or match.operator not in (Operator.IS, Operator.IS_NOT):
                continue
            if not words.issuperset(match.values):
                message = f"`{match.dimension}` is one of {', '.join(sorted(words))}"
                yield Fault(f"filters[{place}]", message)


def _words_of(dimension: Dimension, query: Query) -> frozenset[str] | None:
    """Return all labels of a dimension with a closed set of them, else None."""
    match dimension:
        case Dimension.VARIANT:
            return frozenset({*Variant, NONE_LABEL})
        case Dimension.EVENT:
            return frozenset(EventKind)
        case Dimension.REASON:
            decisions = MetricName.DECISIONS in query.metrics
            return frozenset({*NoFillReason, FILL_LABEL}) if decisions else frozenset(InvalidReason)
        case _:
            return None


_RULES: Final[tuple[Callable[[Query], Iterator[Fault]], ...]] = (
    _reach_of_more,
    _event_without_invalid,
    _reason_without_its_metric,
    _no_fill_reason_of_a_fill,
    _fill_rate_of_a_fill,
    _kept_apart,
    _unknown_words,
)
