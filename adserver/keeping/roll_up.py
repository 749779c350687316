"""Moves old cells to coarser times: hours become days of the site, places' days become months, sketches numbers.

What is still to be moved is what still stands there, so a roll-up may be broken off anywhere, run twice, and run beside
any number of keepers; and what a repair, or a store that fell back, brings back is moved at the next look. A hash moves
in one script, so no sum is ever wrong; who reads meanwhile notices by the number of moves.

Cells stay as they are where coarser ones could not answer the same: while the flight, or the slot's site or zone,
changed within the time that would become one, and where the slot's name, so its zone, is not known.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from adserver.catalog.names import Names, NamesUnreadable
from adserver.counting.cells import Family, parse_member
from adserver.counting.coarser import (
    FIRST_DAY,
    HOUR_SECONDS,
    SiteDay,
    blocks_before,
    coarser_time,
    first_day_of,
    month_of,
    oldest_kept,
)
from adserver.domain.errors import StoreUnavailable
from adserver.domain.ids import IdHash, Kind
from adserver.keeping.calendar import SiteCalendar
from adserver.store.presence import chunks

ROLLED_UP: Final = "roll_up.done"
"""Log event: old cells were moved to coarser times; how many hashes."""
ROLL_UP_WAITS: Final = "roll_up.waits"
"""Log event: old cells could not be moved now; nothing is lost, and it is tried again."""

LOOK_SECONDS: Final = 600.0
"""How often it is looked for what has grown old."""
PAUSE_SECONDS: Final = 2.0
"""Between two bursts of moves, so that whoever reads meanwhile finds a time without any."""
BURST_SECONDS: Final = 0.05
AT_ONCE: Final = 32
"""Hashes that one call moves: it takes a few milliseconds, in which Redis serves nobody else."""

_DAY_SECONDS: Final = 86_400
_MARGIN_SECONDS: Final = 3 * _DAY_SECONDS
"""A cell is told at one second of its time, whatever its zone; no name may change so near to it."""
_LOOKED_AT: Final = 512
"""Blocks, or days, that are asked about at once."""
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Move:
    """One hash, and where its cells go. Immutable."""

    shard: int
    family: Family
    member: str
    block: int
    oldest: int
    """The first day, since 1970, of which nothing of the family is moved."""
    targets: tuple[int, ...]
    """Blocks of `family.rolled`."""
    offsets: tuple[tuple[int, int, int], ...]
    """(offset in the hash, number of the target, offset there)."""


@dataclass(frozen=True, slots=True)
class Sketches:
    """Sketches of a day's readers, of which the numbers are left. Immutable."""

    shard: int
    day: int
    """Of the site, since 1970."""
    flights: tuple[IdHash, ...]


_Route = tuple[tuple[int, ...], tuple[tuple[int, int, int], ...]]
"""`Move.targets` and `Move.offsets`."""
Step = tuple[Move, ...] | Sketches
"""What one call does; no moves at all where a look found nothing."""


class RollUpStore(Protocol):
    """Where cells are moved. Fails closed with `StoreUnavailable`."""

    def shards(self) -> int:
        """Return N; 1 where nothing was counted yet."""

    def blocks(self, shard: int, family: Family, among: range) -> Sequence[int]:
        """Return the blocks that may have cells, lowest first."""

    def members(self, shard: int, family: Family, block: int) -> frozenset[str]:
        """Return what has cells in a block."""

    def move(self, moves: Sequence[Move]) -> int:
        """Move hashes of one shard and family, all of it or nothing; return how many held anything."""

    def sketched_days(self, shard: int, among: range) -> Sequence[int]:
        """Return the days that may have sketches of readers, lowest first."""

    def sketched(self, shard: int, day: int) -> frozenset[IdHash]:
        """Return the flights that have a sketch of a day's readers."""

    def settle(self, sketches: Sketches) -> int:
        """Leave of sketches their numbers, all of it or nothing; return how many there were."""


class RollUp:
    """Moves what has grown old, a little at a time. One thread."""

    def __init__(
        self,
        store: RollUpStore,
        load_names: Callable[[], Names],
        days: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what it works on, and after how many days cells are old; 0: never."""
        self._store = store
        self._load_names = load_names
        self._days = days
        self._monotonic = monotonic
        self._steps: Iterator[Step] | None = None
        self._moved = 0
        self._next_at = 0.0
        self._waits = False

    def step(self, now: float) -> None:
        """Move a burst of what is due; `now` is Unix time. The store being away is not raised."""
        at = self._monotonic()
        if not self._days or at < self._next_at:
            return
        self._next_at = at + PAUSE_SECONDS
        if self._steps is None:
            self._steps = self._due(int(now) // _DAY_SECONDS - self._days)
        try:
            if self._burst(self._steps, at + BURST_SECONDS):
                self._end_look(at)
        except (StoreUnavailable, NamesUnreadable) as error:
            if not self._waits:
                _LOG.warning(ROLL_UP_WAITS, extra={"fault": str(error)})
            self._waits = True
            self._steps = None
            self._next_at = at + LOOK_SECONDS

    def run(self, now: float) -> int:
        """Move all that is due at once; return how many hashes.

        Raises:
            StoreUnavailable: the store does not answer; what was moved is moved.
            NamesUnreadable: what it holds of names is not of this layout.
        """
        return sum(map(self._do, self._due(int(now) // _DAY_SECONDS - self._days)))

    def _do(self, step: Step) -> int:
        return self._store.settle(step) if isinstance(step, Sketches) else self._store.move(step)

    def _burst(self, steps: Iterator[Step], until: float) -> bool:
        """Move until the time is over; return whether all is done."""
        for step in steps:
            self._moved += self._do(step)
            if self._monotonic() >= until:
                return False
        return True

    def _end_look(self, at: float) -> None:
        if self._moved:
            _LOG.info(ROLLED_UP, extra={"hashes": self._moved})
        self._steps, self._moved, self._waits = None, 0, False
        self._next_at = at + LOOK_SECONDS

    def _due(self, day: int) -> Iterator[Step]:
        """Yield what can be moved of the time before a day since 1970."""
        names = self._load_names()
        site_day = SiteCalendar(names).day
        for shard in range(self._store.shards()):
            for family in Family:
                if family.rolled:
                    yield from self._due_cells(shard, family, oldest_kept(family, day), names, site_day)
            yield from self._due_sketches(shard, range(FIRST_DAY, day))

    def _due_cells(
        self, shard: int, family: Family, oldest: int, names: Names, site_day: SiteDay
    ) -> Iterator[tuple[Move, ...]]:
        router = _Router(shard, family, oldest, site_day)
        for some in chunks(blocks_before(family, FIRST_DAY, oldest), _LOOKED_AT):
            yield ()
            for block in self._store.blocks(shard, family, range(some[0], some[-1] + 1)):
                members = sorted(self._store.members(shard, family, block))
                settled = [member for member in members if is_settled(names, family, member, block)]
                for those in chunks(settled, AT_ONCE):
                    yield tuple(router.plan(member, block) for member in those)

    def _due_sketches(self, shard: int, among: range) -> Iterator[Step]:
        for some in chunks(among, _LOOKED_AT):
            yield ()
            for day in self._store.sketched_days(shard, range(some[0], some[-1] + 1)):
                for flights in chunks(sorted(self._store.sketched(shard, day)), AT_ONCE):
                    yield Sketches(shard, day, tuple(flights))


class _Router:
    """Knows where the cells of hashes go; those of one block and slot go to the same times. One thread."""

    def __init__(self, shard: int, family: Family, oldest: int, site_day: SiteDay) -> None:
        self._shard = shard
        self._family = family
        self._oldest = oldest
        self._site_day = site_day
        self._routes: dict[tuple[str, int], _Route] = {}

    def plan(self, member: str, block: int) -> Move:
        """Return where the cells of a hash go."""
        slot = member.split(":")[2] if self._family is Family.HOURS else ""  # months are the same everywhere
        route = self._routes.get((slot, block))
        if route is None:
            route = self._routes[slot, block] = _route(self._family, member, block, self._site_day)
        targets, offsets = route
        return Move(self._shard, self._family, member, block, self._oldest, targets, offsets)


def _route(family: Family, member: str, block: int, site_day: SiteDay) -> _Route:
    size = family.rolled.block_size if family.rolled else 1
    times = [coarser_time(family, member, block * family.block_size + at, site_day) for at in range(family.block_size)]
    targets = tuple(dict.fromkeys(to // size for to in times))
    return targets, tuple((at, targets.index(to // size), to % size) for at, to in enumerate(times))


def is_settled(names: Names, family: Family, member: str, block: int) -> bool:
    """Tell whether coarser cells would be told like those of a block: with the same parents, and on the same site."""
    flight_hash, slot_hash = (parse_member(member)[at] for at in (0, 2))
    flight, slot = names.flight(flight_hash), names.slot(slot_hash)
    if (flight is None and flight_hash != Kind.FLIGHT.none) or (slot is None and slot_hash != Kind.SLOT.unknown):
        return False
    first, last = _seconds(family, block)
    changes = [parent.since_second for parent in (flight.parents[1:] if flight else ())]
    changes += [span.since_second for span in (slot.spans[1:] if slot else ())]
    return not any(first - _MARGIN_SECONDS <= change <= last + _MARGIN_SECONDS for change in changes)


def _seconds(family: Family, block: int) -> tuple[int, int]:
    """Return the first and last second, in UTC, of the coarser times that a block's cells go to."""
    first, end = block * family.block_size, (block + 1) * family.block_size
    if family is Family.HOURS:
        return first * HOUR_SECONDS, end * HOUR_SECONDS
    return first_day_of(month_of(first)) * _DAY_SECONDS, first_day_of(month_of(end - 1) + 1) * _DAY_SECONDS
