"""The port to what is counted, and its twin in memory."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from adserver.counting.cells import CLICKS, IMPRESSIONS, VIEWABLE, Metric, cell_field, reader_element
from adserver.domain.errors import AdserverError
from adserver.domain.ids import IdHash
from adserver.domain.reasons import EventKind, InvalidReason
from adserver.domain.variants import Variant
from adserver.keeping.batches import Batch, Goal, Group, TokenRow

_VARIANTS: Final = {variant.code: variant for variant in Variant}


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a batch. Immutable."""

    done: bool
    """False: the shard stands elsewhere in this spool, and nothing was written."""
    offset: int
    """Where it stands now, in bytes."""


class ShardsDiffer(AdserverError):
    """The store's counts are cut into another number of shards than what this data folder holds."""

    def __init__(self, of_store: int, of_folder: int) -> None:
        super().__init__(
            f"Redis counts in {of_store} {_shards(of_store)}, this data folder in {of_folder}: they belong to "
            "different set-ups, and nothing is counted. Give the service the Redis that it had, or a new data folder"
        )


def _shards(number: int) -> str:
    return "shard" if number == 1 else "shards"


class CountStore(Protocol):
    """Counts exactly once. Fails closed: any doubt raises `StoreUnavailable`, and the same call may be made again."""

    def apply(self, batch: Batch) -> Applied:
        """Apply a batch if the shard stands at its start in that spool.

        Raises:
            StoreUnavailable: no answer; it may or may not have been applied.
        """

    def applied(self, shard: int) -> Mapping[str, int]:
        """Return where a shard stands in each spool, in bytes; a spool it never heard of is missing."""

    def ended(self, shard: int, spool_ids: Iterable[str]) -> Mapping[str, int]:
        """Return at which offsets spools ended, in bytes; one of whose end the shard never heard is missing."""

    def delivered(self, shard: int, flights: Iterable[IdHash]) -> Mapping[IdHash, int]:
        """Return the net impressions of flights of a shard; one that has none is 0."""

    def declare_dropped(self, spool_id: str, events: int) -> None:
        """Set how many events a spool's workers answered but could not write, ever."""

    def agree_on_shards(self, of_new: int, of_folder: int | None) -> int:
        """Return the number of shards, fixed from the first call on.

        Args:
            of_new: what it becomes where there is none yet.
            of_folder: what this host's spools are cut by; None: it has none.

        Raises:
            ShardsDiffer: it is, or would become, another than the folder's; then nothing was fixed.
        """


class MemoryCountStore:
    """The script's rules in plain Python, for tests of what stands on the port. One thread."""

    def __init__(self, window_seconds: int, clock: Callable[[], float]) -> None:
        self._window_seconds = window_seconds
        self._clock = clock
        self.offsets: dict[tuple[int, str], int] = defaultdict(int)
        self.ends: dict[str, int] = {}
        """spool -> where it ended, as every shard has it."""
        self.states: dict[tuple[str, int], tuple[int, Variant]] = {}
        """(block, token) -> (seen 1 + viewable 2 + click 4 + over 8, length)."""
        self.cells: dict[str, dict[bytes, int]] = defaultdict(lambda: defaultdict(int))
        self.indexes: dict[str, set[str]] = defaultdict(set)
        self.readers: dict[str, set[bytes]] = defaultdict(set)
        """What each sketch was told."""
        self.net: dict[tuple[int, IdHash], int] = defaultdict(int)
        self.goals: dict[tuple[int, IdHash], Goal] = {}
        self.drops: dict[str, int] = defaultdict(int)
        self.gaps: dict[tuple[int, str, int], int] = {}
        """(shard, spool, from) -> to."""
        self.repeats: dict[tuple[str, int], int] = {}
        """(block, token) -> beacons, of tokens whose view came again."""
        self.shards = 0

    def apply(self, batch: Batch) -> Applied:
        """Apply a batch."""
        at = self.offsets[batch.shard, batch.spool_id]
        if at != batch.start:
            return Applied(done=False, offset=at)
        for flight, goal in batch.flights:
            known = self.goals.get((batch.shard, flight))
            if goal.revision > (known.revision if known else 0):
                self.goals[batch.shard, flight] = goal
        for group, variant, metric, by in batch.all_increments():
            self._count(batch, batch.groups[group], _VARIANTS[variant], Metric(metric), by)
        for block, row in sorted(batch.token_rows(), key=lambda each: each[1].order):
            for kind in EventKind:
                if row.kinds & kind.bit:
                    self._apply_event(batch, block, row, kind)
        self._apply_echoes(batch)
        if batch.corrupt:
            self.drops["corrupt"] += batch.corrupt
        if batch.gap:
            self.gaps[batch.shard, batch.spool_id, batch.start] = batch.end
        self.offsets[batch.shard, batch.spool_id] = batch.end
        return Applied(done=True, offset=batch.end)

    def applied(self, shard: int) -> Mapping[str, int]:
        """Return where a shard stands in each spool."""
        return {spool: offset for (of, spool), offset in self.offsets.items() if of == shard}

    def ended(self, shard: int, spool_ids: Iterable[str]) -> Mapping[str, int]:  # noqa: ARG002 - all shards alike
        """Return where spools ended."""
        return {spool_id: self.ends[spool_id] for spool_id in spool_ids if spool_id in self.ends}

    def delivered(self, shard: int, flights: Iterable[IdHash]) -> Mapping[IdHash, int]:
        """Return the net impressions of flights."""
        return {flight: self.net[shard, flight] for flight in flights}

    def declare_dropped(self, spool_id: str, events: int) -> None:
        """Set what a spool dropped."""
        self.drops[f"spool:{spool_id}"] = events

    def agree_on_shards(self, of_new: int, of_folder: int | None) -> int:
        """Return the number of shards, fixed from the first call on."""
        check_shards(self.shards or of_new, of_folder)
        self.shards = self.shards or of_new
        return self.shards

    def _apply_event(self, batch: Batch, block: str, row: TokenRow, kind: EventKind) -> None:
        group = batch.groups[row.group]
        if group.hour * 3600 < self._clock() - self._window_seconds:
            self.drops["late"] += 1
            return
        state, length = self.states.get((block, row.token), (0, _VARIANTS[row.length]))
        if state & kind.bit:
            self._count(batch, group, length, Metric.invalid(kind, InvalidReason.DUPLICATE), 1)
            if kind is not EventKind.CLICK:
                self._repeat(block, row.token, 1)
            return
        new = state | kind.bit
        if kind is not EventKind.CLICK and not state & 3:
            new |= self._view(batch, group, row.reader)
        for metric in state_metrics(state):
            self._count(batch, group, length, metric, -1)
        for metric in state_metrics(new):
            self._count(batch, group, length, metric, 1)
        self.states[block, row.token] = (new, length)

    def _apply_echoes(self, batch: Batch) -> None:
        for echo in batch.echoes:
            self._repeat(echo.block, echo.token, echo.times)

    def _repeat(self, block: str, token: int, times: int) -> None:
        """Count beacons of a token towards its being a cached one, once its view is known."""
        state, _ = self.states.get((block, token), (0, Variant.AUTO))
        before = self.repeats.get((block, token), (state & 3).bit_count())
        if before:
            self.repeats[block, token] = before + times

    def _view(self, batch: Batch, group: Group, reader: int) -> int:
        """Count a view towards its flight's goal, or return the bit that says it is over."""
        flight = batch.shard, batch.flights[group.flight][0]
        goal = self.goals.get(flight)
        if goal and goal.impressions and self.net[flight] >= goal.impressions:
            return 8
        self.net[flight] += 1
        if reader:
            sketch = batch.sketches[group.sketch]
            self.readers[sketch.key].add(reader_element(reader))
            self.indexes[sketch.index_key].add(sketch.member)
        return 0

    def _count(self, batch: Batch, group: Group, length: Variant, metric: Metric, by: int) -> None:
        for number, offset in group.placed:
            cell = batch.cells[number]
            self.cells[cell.key][cell_field(offset, length, metric)] += by
            self.indexes[cell.index_key].add(cell.member)


def check_shards(of_store: int, of_folder: int | None) -> None:
    """Refuse a data folder that is cut otherwise than the store.

    Raises:
        ShardsDiffer: it is.
    """
    if of_folder is not None and of_store != of_folder:
        raise ShardsDiffer(of_store, of_folder)


def state_metrics(state: int) -> tuple[Metric, ...]:
    """Return what a token's state counts as; bits: seen 1, viewable 2, click 4, over 8."""
    view, viewable, click, over = bool(state & 3), bool(state & 2), bool(state & 4), bool(state & 8)
    if not view:
        return (Metric.invalid(EventKind.CLICK, InvalidReason.NO_VIEW),) if click else ()
    metrics = {
        EventKind.SEEN: (IMPRESSIONS, True),
        EventKind.VIEWABLE: (VIEWABLE, viewable),
        EventKind.CLICK: (CLICKS, click),
    }
    return tuple(
        Metric.invalid(kind, InvalidReason.OVER) if over else metric for kind, (metric, held) in metrics.items() if held
    )
