"""The numbers a query can ask for, and which stored counts each is made of."""

from enum import StrEnum
from typing import Final

from adserver.counting.cells import CLICKS, FILLS, IMPRESSIONS, VIEWABLE, Metric
from adserver.domain.reasons import EventKind, InvalidReason, NoFillReason


class Counter(StrEnum):
    """A number that can be added up over cells."""

    DECISIONS = "decisions"
    """How often the server was asked: fills and no fills."""
    FILLS = "fills"
    IMPRESSIONS = "impressions"
    """Net: what is billed."""
    GROSS = "gross"
    """Impressions and invalid `seen`, except prefetch."""
    VIEWABLE = "viewable"
    CLICKS = "clicks"
    INVALID = "invalid"
    """Invalid events of every kind and reason."""


class MetricName(StrEnum):
    """A metric, as queries write it."""

    DECISIONS = "decisions"
    FILLS = "fills"
    IMPRESSIONS = "impressions"
    GROSS = "gross"
    VIEWABLE = "viewable"
    CLICKS = "clicks"
    INVALID = "invalid"
    REVENUE = "revenue"
    FILL_RATE = "fill_rate"
    CTR = "ctr"
    VIEWABILITY = "viewability"
    REACH = "reach"

    @property
    def ratio(self) -> tuple[Counter, Counter] | None:
        """Numerator and denominator of a fraction, else None."""
        return _RATIOS.get(self)

    @property
    def counters(self) -> frozenset[Counter]:
        """What must be added up to tell this metric."""
        if self.ratio is not None:
            return frozenset(self.ratio)
        if self is MetricName.REVENUE:
            return frozenset({Counter.IMPRESSIONS})
        if self is MetricName.REACH:
            return frozenset()
        return frozenset({Counter(self.value)})


_RATIOS: Final = {
    MetricName.FILL_RATE: (Counter.FILLS, Counter.DECISIONS),
    MetricName.CTR: (Counter.CLICKS, Counter.IMPRESSIONS),
    MetricName.VIEWABILITY: (Counter.VIEWABLE, Counter.IMPRESSIONS),
}


def counters_of(metric: Metric) -> frozenset[Counter]:
    """Return the counters that a stored count is part of; none for a code that this version does not know."""
    return _COUNTERS.get(metric.code, frozenset())


def _counters_of_invalid(event: EventKind, reason: InvalidReason) -> frozenset[Counter]:
    is_gross = event is EventKind.SEEN and reason is not InvalidReason.PREFETCH
    return frozenset({Counter.INVALID, Counter.GROSS} if is_gross else {Counter.INVALID})


_COUNTERS: Final = {
    FILLS.code: frozenset({Counter.DECISIONS, Counter.FILLS}),
    IMPRESSIONS.code: frozenset({Counter.IMPRESSIONS, Counter.GROSS}),
    VIEWABLE.code: frozenset({Counter.VIEWABLE}),
    CLICKS.code: frozenset({Counter.CLICKS}),
    **{Metric.no_fill(reason).code: frozenset({Counter.DECISIONS}) for reason in NoFillReason},
    **{
        Metric.invalid(event, reason).code: _counters_of_invalid(event, reason)
        for event in EventKind
        for reason in InvalidReason
    },
}
