"""What came of an audit: differences cell by cell and flight by flight, and what explains them. Pure values."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from adserver.counting.cells import Family
from adserver.domain.ids import IdHash
from adserver.keeping.audit_rolled import counted_as, first_day
from adserver.keeping.recount import Spot
from adserver.keeping.sources import Missing

_DAY_SECONDS: Final = 86_400
_LATE_CHANGES: Final = 4
"""How much one event that is missing changes the cells of a family at most: the view of a token that was clicked takes
its click out of `no_view`, and adds an impression, a viewable and the click."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A cell that is not what the records come to. Immutable."""

    spot: Spot
    offset: int
    """Within the spot's block."""
    variant: int | None
    """A `Variant` code; None: of all together, for tokens there report several."""
    metric: int
    """A `Metric` code; what is over a goal is counted in."""
    expected: int
    found: int

    @property
    def time(self) -> int:
        """Hours, days or months since 1970, as its family has it."""
        return self.spot.block * self.spot.family.block_size + self.offset


@dataclass(frozen=True, slots=True)
class FlightDifference:
    """A flight whose families of cells, or what counts towards its goal, do not agree. Immutable."""

    shard: int
    flight: IdHash
    impressions: Mapping[Family, int]
    """Net, by family."""
    over: Mapping[Family, int]
    delivered: int
    """What counts towards its goal."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What came of it. Immutable."""

    records: int
    """How many were counted anew."""
    cells: int
    """How many counts were compared."""
    differences: tuple[Difference, ...]
    flights: tuple[FlightDifference, ...]
    late: int
    """Events that were dropped, for their tokens were older than their bits are kept; declared, and in the records."""
    explained: int
    """How many more counts differ, by no more than those events can make them."""
    unsettled: int
    """Counts that differ, but were counted into meanwhile; run it again to see."""
    missing: tuple[Missing, ...]
    complete_from: int
    """Unix time before which records are gone, so nothing was compared; 0: all there ever was."""
    strangers: tuple[str, ...]
    """Spools that the store has counted from and none of the folders ever held."""
    gap_bytes: int
    """Bytes of spools that were gone before they were counted, as the store has it."""

    @property
    def agrees(self) -> bool:
        """Whether everything that was compared is right."""
        return not (self.differences or self.flights or self.gap_bytes)


def explained_by_late(
    differences: Sequence[Difference], late: Mapping[int, int], late_before: int
) -> frozenset[Difference]:
    """Return the differences that events declared late can explain; `late` has how many of them each shard declared.

    Which events came late stands nowhere. So a shard's differences in one family are explained together, or none of
    them: all must be of tokens that can have been too old, and come to no more than the events can make them.
    """
    by_family: dict[tuple[int, Family], list[Difference]] = defaultdict(list)
    for one in differences:
        by_family[one.spot.shard, counted_as(one.spot.family)].append(one)
    return frozenset(
        one
        for (shard, _), some in by_family.items()
        if all(_begins(one) < late_before for one in some)
        and sum(abs(one.expected - one.found) for one in some) <= _LATE_CHANGES * late[shard]
        for one in some
    )


def _begins(difference: Difference) -> int:
    """Return from when on decisions count in a cell, Unix time; sites' days begin up to a day earlier than UTC's."""
    spot = difference.spot
    if spot.family is Family.HOURS:
        return difference.time * 3600
    return (first_day(spot.family, spot.block, difference.offset) - 1) * _DAY_SECONDS
