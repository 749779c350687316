"""Which of a flight's creatives shows: in proportion to their weights, among those that fit."""

from bisect import bisect_right
from itertools import accumulate
from random import Random
from typing import Final, NamedTuple

from adserver.decision.columns import Columns
from adserver.decision.fitting import FittingCreative, fit
from adserver.decision.limits import Limits
from adserver.decision.question import Question
from adserver.decision.records import CatalogRecords
from adserver.decision.shelf import Shelf

REMEMBERED: Final = 16_384


class _Weighed(NamedTuple):
    """The creatives of a flight that fit some limits, by position, and their cumulative weights. Immutable."""

    limits: Limits
    creatives: tuple[int, ...]
    bounds: tuple[int, ...]


class _Fitted(NamedTuple):
    """A creative with the lengths of it that fit some limits. Immutable."""

    limits: Limits
    fitting: FittingCreative


class Rotation:
    """Draws creatives. Shared by all threads: immutable, but for two bounded memories."""

    __slots__ = ("_columns", "_fitted", "_records", "_weighed")

    def __init__(self, columns: Columns, records: CatalogRecords) -> None:
        self._columns = columns
        self._records = records
        self._weighed: Shelf[_Weighed] = Shelf(min(REMEMBERED, len(records.flights)) or 1)
        self._fitted: Shelf[_Fitted] = Shelf(min(REMEMBERED, len(records.creatives)) or 1)

    def draw(self, flight: int, limits: Limits, question: Question, rng: Random) -> FittingCreative:
        """Return the creative that a flight shows, with the lengths of it that fit.

        Args:
            flight: one that has a creative which fits.
            limits: those of the question.
            question: what was asked.
            rng: drawn from where there is a choice.
        """
        weighed = self._weighed.get(flight)
        if weighed is None or weighed.limits is not limits:
            creatives, weights = zip(*limits.fitting(self._columns, flight), strict=True)
            weighed = _Weighed(limits, creatives, tuple(accumulate(weights)))
            self._weighed.put(flight, weighed)
        bounds = weighed.bounds
        at = bisect_right(bounds, rng.randrange(bounds[-1])) if len(bounds) > 1 else 0
        creative = weighed.creatives[at]
        fitted = self._fitted.get(creative)
        if fitted is None or fitted.limits is not limits:
            fitted = _Fitted(limits, self._fit(creative, question))
            self._fitted.put(creative, fitted)
        return fitted.fitting

    def _fit(self, creative: int, question: Question) -> FittingCreative:
        fitting = fit(self._records.creatives.get(creative), question.slot, question.request)
        if fitting is None:
            raise ValueError("the columns and the records of the compiled catalog are at odds")
        return fitting
