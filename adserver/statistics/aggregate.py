"""From cells to sums by the labels that a query groups by; pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from adserver.counting.cells import Field, Kept
from adserver.domain.ids import IdHash
from adserver.statistics.calendar import Calendar
from adserver.statistics.cell_store import Member, StoredCell
from adserver.statistics.dimensions import FIELD_DIMENSIONS, Dimension
from adserver.statistics.errors import GrainGone
from adserver.statistics.filters import holds
from adserver.statistics.labels import Labels, field_labels
from adserver.statistics.metrics import Counter, counters_of
from adserver.statistics.plan import Plan
from adserver.statistics.query import Query

Key = tuple[str, ...]
"""The labels of a row, in the order of the query's dimensions."""


@dataclass(slots=True)
class Tally:
    """What was added up for one row. Filled by one thread, read only from then on."""

    counts: dict[Counter, int] = field(default_factory=lambda: defaultdict(int))
    impressions: dict[IdHash, int] = field(default_factory=lambda: defaultdict(int))
    """By flight: what revenue is made of."""


Table = Mapping[Key, Tally]


def aggregate(query: Query, plan: Plan, cells: Iterable[StoredCell], labels: Labels, calendar: Calendar) -> Table:
    """Return the sums of the cells that pass, by row; a cell that no metric of the query is made of makes no row.

    Raises:
        GrainGone: a cell may pass, or not, or belong to several rows, by its time within that to which it was moved.
    """
    rows = _Rows(query, plan, labels, calendar)
    counted: dict[int, frozenset[Counter]] = {}
    for cell in cells:
        code = cell.field.metric.code
        counters = counted.get(code)
        if counters is None:
            counters = counted[code] = counters_of(cell.field.metric) & plan.counters
        if not counters or not cell.count:
            continue
        tally = rows.find(cell)
        if tally is not None:
            _add(tally, counters, cell)
    return rows.table


class _Rows:
    """Finds the row of a cell. One thread, one query.

    Cells of one member and time share their row, unless the query looks at what only the field tells; there are a dozen
    of them, so what was found is remembered.
    """

    def __init__(self, query: Query, plan: Plan, labels: Labels, calendar: Calendar) -> None:
        self.table: dict[Key, Tally] = defaultdict(Tally)
        self._query = query
        self._family = plan.family
        self._rolled = plan.family.rolled or plan.family
        self._labels = labels
        self._calendar = calendar
        self._dimensions = frozenset(query.dimensions)
        self._by_field = bool(query.used & FIELD_DIMENSIONS)
        self._found: dict[tuple[Member, Kept, int, Field | None], Tally | None] = {}

    def find(self, cell: StoredCell) -> Tally | None:
        """Return where a cell is added; None where the query leaves it out."""
        kept = self._rolled if cell.rolled else self._family
        time = cell.block * kept.block_size + cell.field.offset
        sought = (cell.member, kept, time, cell.field if self._by_field else None)
        try:
            return self._found[sought]
        except KeyError:
            tally = self._found[sought] = self._row(cell, kept, time)
            return tally

    def _row(self, cell: StoredCell, kept: Kept, time: int) -> Tally | None:
        moment = self._calendar.moment(kept, time, cell.member.slot)
        if moment is None:
            return None
        # The member's labels come last: where there is no flight, there is no variant either.
        labels: dict[Dimension, str] = field_labels(cell.field)
        labels |= moment.labels
        labels |= self._labels.at(cell.member, moment.second)
        passes = holds(self._query.filter, labels)
        if passes is False or (passes is None and not cell.rolled):
            return None
        if passes is None or not moment.whole or not labels.keys() >= self._dimensions:
            raise GrainGone
        return self.table[tuple(labels[dimension] for dimension in self._query.dimensions)]


def _add(tally: Tally, counters: frozenset[Counter], cell: StoredCell) -> None:
    for counter in counters:
        tally.counts[counter] += cell.count
    if Counter.IMPRESSIONS in counters:
        tally.impressions[cell.member.flight] += cell.count
