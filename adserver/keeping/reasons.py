"""Says of sampled calls what stopped each flight, and keeps how often: the keeper's work, a little at a time."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final, NamedTuple, Protocol

from adserver.counting.paces import read_uses
from adserver.counting.reason_cells import NO_LOOKS, NOWHERE, PLACED, Looks, ReasonCell
from adserver.counting.samples import SampledCall, SampleFile, read_samples
from adserver.counting.shards import shard_of
from adserver.decision.compiled_flight import CompiledFlight
from adserver.decision.judging import AnsweredCall, Outcome, Witness
from adserver.decision.paces import Pace
from adserver.decision.pacing import PaceTable, ProcessUse
from adserver.decision.snapshot import Snapshot
from adserver.domain.decisions import SlotRequest
from adserver.domain.errors import StoreUnavailable
from adserver.domain.ids import FlightId, Kind, PlaceId, id_hash
from adserver.domain.places import Place
from adserver.domain.reasons import NoFillReason

PART_OF_TIME: Final = 0.01
"""How much of its time the keeper gives to this at most."""
MOST_FLIGHTS: Final = 500
"""Of a larger catalog so many are judged of a question, drawn anew each time: a few milliseconds."""
_MOST_CREDIT_SECONDS: Final = 0.05
_MOST_WAITING: Final = 256
_LOOK_SECONDS: Final = 1.0
_STORE_SECONDS: Final = 5.0
_OLDEST_SECONDS: Final = 60.0
"""What was delivered, and what paces left, is known of now: a question that waited for longer is let go."""
_UNTOLD: Final = frozenset({NoFillReason.SLOT, NoFillReason.UNKNOWN_SLOT})
"""What the campaign file says: who does not run in a slot would fill the room of those who do."""


class ReasonStore(Protocol):
    """Keeps how often each flight was stopped by what. Samples, no counts: who cannot add lets go of them."""

    def add(self, shard: int, shards: int, day: int, found: Mapping[ReasonCell, Looks]) -> None:
        """Add to the cells of one shard of `shards` and of one day of the site since 1970.

        Raises:
            StoreUnavailable: some may not be added.
        """


class SnapshotSource(Protocol):
    """The live catalog, as the keeper has it."""

    def current(self) -> Snapshot | None:
        """Return it; None: nothing was ever published here."""


class DeliveredSource(Protocol):
    """What is delivered of goals, as the keeper last wrote it."""

    def poll(self) -> bool:
        """Look again."""

    def current(self) -> Mapping[FlightId, int]:
        """Return net impressions by flight."""


class _Waiting(NamedTuple):
    """A slot of a sampled call that was not judged yet."""

    call: SampledCall
    seat: int
    process: str


class ReasonKeeper:
    """Judges what workers sampled. For the keeper's one thread.

    It gives `PART_OF_TIME` to it. Where more is sampled than that suffices for, what is let go is drawn by chance, and
    what it stood for is added to the next that is judged; so sums stay right, and each flight's parts unbiased.
    """

    def __init__(  # noqa: PLR0913 - its ports, by name
        self,
        folder: Path,
        *,
        store: ReasonStore,
        snapshots: SnapshotSource,
        delivered: DeliveredSource,
        place: Callable[[PlaceId], Place | None],
        table: Callable[[], PaceTable | None],
        rng: Random,
        clock: Callable[[], float] = time.monotonic,
        cpu: Callable[[], float] = time.thread_time,
    ) -> None:
        """Take the data folder, where reasons go, and what a decision is made of.

        Args:
            folder: of the host.
            store: where they go.
            snapshots: the live catalog.
            delivered: how far goals are.
            place: finds a place by its id.
            table: what the keeper last granted.
            rng: chooses what is judged.
            clock: monotonic seconds.
            cpu: seconds that this thread has computed.
        """
        self._folder = folder
        self._store = store
        self._snapshots = snapshots
        self._delivered = delivered
        self._place = place
        self._table = table
        self._rng = rng
        self._clock = clock
        self._cpu = cpu
        self._since: float | None = None
        self._heard: dict[str, int] = {}
        self._uses: dict[str, ProcessUse] = {}
        self._waiting: deque[_Waiting] = deque()
        self._owed = 0
        """Questions that those let go of stood for."""
        self._found: dict[tuple[int, int], dict[ReasonCell, Looks]] = {}
        self._credit = 0.0
        self._stepped = clock()
        self._look_at = self._store_at = clock()

    def step(self, wall: float) -> None:
        """Do what the time suffices for; `wall` is Unix time. A store that is away costs what was found lately."""
        now = self._clock()
        self._credit = min(_MOST_CREDIT_SECONDS, self._credit + PART_OF_TIME * (now - self._stepped))
        self._stepped = now
        if self._since is None:
            self._since = wall
        began = self._cpu()
        if now >= self._look_at:
            self._look_at = now + _LOOK_SECONDS
            self._hear()
        snapshot = self._snapshots.current()
        while snapshot is not None and self._waiting and self._credit > self._cpu() - began:
            self._judge(self._waiting.popleft(), snapshot, wall)
        if now >= self._store_at:
            self._store_at = now + _STORE_SECONDS
            self._keep(snapshot.shards if snapshot is not None else 1)
        self._credit -= self._cpu() - began

    def _hear(self) -> None:
        files = read_samples(self._folder)
        if any(file.calls and file.calls[-1].number > self._heard.get(file.process, 0) for file in files):
            self._delivered.poll()
            self._uses = {use.process: use for use in read_uses(self._folder)}
        for file in files:
            for call in self._new(file):
                for seat in range(len(call.slots)):
                    self._wait(_Waiting(call, seat, file.process))
        alive = {file.process for file in files}
        self._heard = {process: number for process, number in self._heard.items() if process in alive}

    def _new(self, file: SampleFile) -> Iterator[SampledCall]:
        """Yield what was not heard before; what is gone already is owed.

        A process that is older than this one is heard from now on only, for another keeper may have heard it.
        """
        is_known = file.process in self._heard
        before = self._heard.get(file.process, 0)
        for call in file.calls:
            if call.number <= before or (not is_known and call.second < (self._since or 0.0)):
                continue
            if is_known and call.number > before + 1:
                self._owed += (call.number - before - 1) * call.one_in * len(call.slots)
            before, is_known = call.number, True
            yield call
        self._heard[file.process] = file.calls[-1].number if file.calls else before

    def _wait(self, one: _Waiting) -> None:
        self._waiting.append(one)
        if len(self._waiting) > _MOST_WAITING:
            self._waiting.rotate(-self._rng.randrange(len(self._waiting)))
            self._owed += self._waiting.popleft().call.one_in

    def _judge(self, one: _Waiting, snapshot: Snapshot, wall: float) -> None:
        call = one.call
        if call.revision != snapshot.revision or wall - call.second > _OLDEST_SECONDS:
            self._owed += call.one_in
            return
        slot = call.slots[one.seat].slot
        if snapshot.slot(slot) is None:
            return
        count, self._owed = call.one_in + self._owed, 0
        flights = snapshot.flight_count
        judged = min(flights, MOST_FLIGHTS)
        looks = Looks(round(count * flights / judged) if judged else count, 1)
        slot_hash = snapshot.hashes.slots[slot]
        day = snapshot.day_at(slot_hash, call.second)
        place = id_hash(Kind.PLACE, call.place) if call.place is not None else Kind.PLACE.unknown
        answered = self._answered(one, snapshot)
        for flight, reason in answered.reasons(one.seat, self._some(snapshot, judged), self._rng):
            if reason in _UNTOLD:
                continue
            hash_ = snapshot.hashes.flights[flight]
            told = place if reason is None or reason in PLACED else NOWHERE
            cells = self._found.setdefault((shard_of(hash_, snapshot.shards), day), {})
            cell = ReasonCell(hash_, slot_hash, told, reason)
            cells[cell] = cells.get(cell, NO_LOOKS).plus(looks)

    def _answered(self, one: _Waiting, snapshot: Snapshot) -> AnsweredCall:
        call, table = one.call, self._table()
        place = self._place(call.place) if call.place is not None else None
        exclude = frozenset(call.exclude)
        outcomes = [
            Outcome(
                SlotRequest(slot.slot, place, call.topics, slot.variant, slot.max_chars, exclude),
                slot.flight,
                frozenset(slot.asked),
            )
            for slot in call.slots
        ]
        witness = Witness(
            now=datetime.fromtimestamp(call.second, UTC),
            delivered=self._delivered.current(),
            paces=_ProcessPaces(table, self._uses.get(one.process)) if table is not None else None,
            capped=frozenset(call.capped),
        )
        return AnsweredCall(snapshot, outcomes, witness)

    def _some(self, snapshot: Snapshot, judged: int) -> Iterator[CompiledFlight]:
        """Yield so many flights, from a random one on: each is as likely as any other, whoever won."""
        flights = snapshot.flight_count
        first = self._rng.randrange(flights) if judged < flights else 0
        for at in range(first, first + judged):
            yield snapshot.flight_at(at % flights)

    def _keep(self, shards: int) -> None:
        found, self._found = self._found, {}
        for (shard, day), cells in found.items():
            try:
                self._store.add(shard, shards, day, cells)
            except StoreUnavailable:  # whether it was added is not known, and twice would be worse than not
                return


class _ProcessPaces:
    """What a process has left of its grants, as it last said. Immutable."""

    def __init__(self, table: PaceTable, use: ProcessUse | None) -> None:
        self._table = table
        self._granted = table.granted.get(use.process, {}) if use is not None else {}
        self._used = use.used.get(table.number, {}) if use is not None else {}

    def of(self, flight: FlightId) -> Pace | None:
        row = self._table.rows.get(flight)
        if row is None:
            return None
        return Pace(row.odds, self._granted.get(flight, 0) - self._used.get(flight, 0), row.is_capped)
