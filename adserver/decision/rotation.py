"""Which of a flight's creatives shows: in proportion to their weights, among those that fit."""

from bisect import bisect_right
from itertools import accumulate
from random import Random
from typing import Final, NamedTuple

from adserver.decision.columns import Columns
from adserver.decision.fitting import FittingCreative, fit
from adserver.decision.limits import Limits
from adserver.decision.memo import Memo
from adserver.decision.question import Question
from adserver.decision.records import CatalogRecords

REMEMBERED: Final = 8_192


class _Weighed(NamedTuple):
    """The creatives of a flight that fit, by position, and their cumulative weights. Immutable."""

    creatives: tuple[int, ...]
    bounds: tuple[int, ...]


class Rotation:
    """Draws creatives. Shared by all threads: immutable, but for two bounded memories."""

    __slots__ = ("_columns", "_fitting", "_records", "_weighed")

    def __init__(self, columns: Columns, records: CatalogRecords) -> None:
        self._columns = columns
        self._records = records
        self._weighed: Memo[tuple[int, Limits], _Weighed] = Memo(REMEMBERED)
        self._fitting: Memo[tuple[int, Limits], FittingCreative] = Memo(REMEMBERED)

    def draw(self, flight: int, limits: Limits, question: Question, rng: Random) -> FittingCreative:
        """Return the creative that a flight shows, with the lengths of it that fit.

        Args:
            flight: one that has a creative which fits.
            limits: those of the question.
            question: what was asked.
            rng: drawn from where there is a choice.
        """
        weighed = self._weighed.get((flight, limits))
        if weighed is None:
            creatives, weights = zip(*limits.fitting(self._columns, flight), strict=True)
            weighed = _Weighed(creatives, tuple(accumulate(weights)))
            self._weighed.put((flight, limits), weighed)
        bounds = weighed.bounds
        at = bisect_right(bounds, rng.randrange(bounds[-1])) if len(bounds) > 1 else 0
        return self._fit(weighed.creatives[at], limits, question)

    def _fit(self, creative: int, limits: Limits, question: Question) -> FittingCreative:
        fitting = self._fitting.get((creative, limits))
        if fitting is None:
            fitting = fit(self._records.creatives.get(creative), question.slot, question.request)
            if fitting is None:
                raise ValueError("the columns and the records of the compiled catalog are at odds")
            self._fitting.put((creative, limits), fitting)
        return fitting
