"""From real spools through the keeper's counter into the counts, whatever happens on the way.

Writers come and go, segments are tiny, batches are cut anywhere, replies are lost before and after, shards fall back,
keepers start anew; it ends in the oracle's counts.
"""

import copy
import random
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from counting_oracle import differences
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from adserver.counting.records import DecisionKey, Record, decision_record, encode, event_record
from adserver.counting.spool import SpoolWriter
from adserver.domain.errors import StoreUnavailable
from adserver.domain.ids import IdHash, Kind, id_hash
from adserver.domain.reasons import EventKind, InvalidReason
from adserver.domain.token import Token
from adserver.domain.variants import Variant
from adserver.keeping.batches import Batch, Goal
from adserver.keeping.counter import SpoolCounter
from adserver.keeping.counts import Applied, MemoryCountStore

NOW = 1_795_500_000
SHARDS = 3
FLIGHTS = tuple(id_hash(Kind.FLIGHT, f"flight-{number}") for number in range(SHARDS))
GOALS = {FLIGHTS[0]: Goal(1, 4), FLIGHTS[1]: Goal(1, 9), FLIGHTS[2]: Goal(1, 0)}
REASONS = (None, None, None, InvalidReason.EXPIRED)


def new_store() -> MemoryCountStore:
    return MemoryCountStore(7 * 86_400, lambda: NOW)


@dataclass
class Unreliable:
    """Shards of a store, each of which can lose a reply or fall back to an older copy of itself."""

    rng: random.Random
    faulty: bool = True
    shards: dict[int, MemoryCountStore] = field(default_factory=lambda: {n: new_store() for n in range(SHARDS)})
    copies: dict[int, MemoryCountStore] = field(default_factory=dict)

    def apply(self, batch: Batch) -> Applied:
        if self.faulty and self.rng.random() < 0.15:
            raise StoreUnavailable("lost on the way there")
        applied = self.shards[batch.shard].apply(batch)
        if self.faulty and self.rng.random() < 0.15:
            raise StoreUnavailable("lost on the way back")
        return applied

    def applied(self, shard: int) -> Mapping[str, int]:
        return self.shards[shard].applied(shard)

    def ended(self, shard: int, spool_ids: Iterable[str]) -> Mapping[str, int]:
        return self.shards[shard].ended(shard, spool_ids)

    def delivered(self, shard: int, flights: Iterable[IdHash]) -> Mapping[IdHash, int]:
        return self.shards[shard].delivered(shard, flights)

    def declare_dropped(self, spool_id: str, events: int) -> None:
        self.shards[0].declare_dropped(spool_id, events)

    def agree_on_shards(self, of_new: int, of_folder: int | None) -> int:
        return self.shards[0].agree_on_shards(of_new, of_folder)

    def keep_copy(self, shard: int) -> None:
        self.copies[shard] = copy.deepcopy(self.shards[shard])

    def fall_back(self, shard: int) -> None:
        self.shards[shard] = copy.deepcopy(self.copies.get(shard, new_store()))


@dataclass
class Host:
    """One host's spools, with up to three workers and one keeper."""

    folder: Path
    rng: random.Random
    store: Unreliable
    written: list[Record] = field(default_factory=list)
    workers: list[SpoolWriter] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.counter = self.new_keeper()

    def new_keeper(self) -> SpoolCounter:
        return SpoolCounter(self.folder, self.store, SHARDS, batch_bytes=64 * self.rng.randint(1, 5))

    def step(self) -> None:
        choice = self.rng.random()
        if choice < 0.55:
            self.write()
        elif choice < 0.6 and self.workers:
            self.workers.pop(self.rng.randrange(len(self.workers))).close()
        elif choice < 0.85:
            self.count()
        elif choice < 0.9:
            self.counter.close()
            self.counter = self.new_keeper()
        elif choice < 0.95:
            self.store.keep_copy(self.rng.randrange(SHARDS))
        else:
            self.store.fall_back(self.rng.randrange(SHARDS))

    def write(self) -> None:
        if len(self.workers) < 3 and (not self.workers or self.rng.random() < 0.2):
            self.workers.append(SpoolWriter.open_in(self.folder, segment_bytes=64 * self.rng.randint(1, 6)))
        records = [self.record() for _ in range(self.rng.randint(1, 4))]
        assert self.rng.choice(self.workers).append(b"".join(map(encode, records))) == len(records)
        self.written += records

    def record(self) -> Record:
        number = self.rng.randrange(30)
        token = Token(
            issuer=b"issuer",
            shard=number % SHARDS,
            sequence=number * 900,
            issued_second=NOW - number % 4 * 900,
            flight=FLIGHTS[number % SHARDS],
            creative=id_hash(Kind.CREATIVE, "creative"),
            slot=id_hash(Kind.SLOT, "slot"),
            place=Kind.PLACE.unknown,
            topic=Kind.TOPIC.none,
            variant=Variant.AUTO,
        )
        if self.rng.random() < 0.1:
            return decision_record(DecisionKey.of(token), self.rng.randint(1, 9), NOW)
        return event_record(token, self.rng.choice(list(EventKind)), self.rng.choice(REASONS), Variant.SHORT, NOW)

    def count(self) -> None:
        try:
            self.counter.sync()
            if self.rng.random() < 0.5:
                self.counter.recall()
            rounds = self.rng.randint(1, 4)
            self.counter.apply(lambda _, second: second // 86_400, GOALS, lambda: self.rng.random() < 1 / rounds)
        except StoreUnavailable:
            return

    def settle(self) -> None:
        self.store.faulty = False
        self.counter.sync()
        self.counter.recall()
        self.counter.apply(lambda _, second: second // 86_400, GOALS, lambda: False)

    def close(self) -> None:
        self.counter.close()
        for worker in self.workers:
            worker.close()


@settings(max_examples=examples(60), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_every_schedule_ends_in_the_oracles_counts(seed: int) -> None:
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        host = Host(Path(folder), rng, Unreliable(rng))
        for _ in range(rng.randint(20, 120)):
            host.step()
        host.settle()
        backlog = host.counter.backlog().unapplied_bytes
        host.close()

    cells = {key: dict(fields) for store in host.store.shards.values() for key, fields in store.cells.items()}
    assert backlog == 0
    assert differences(cells, host.written, GOALS) == []
    assert not any(store.gaps or store.drops for store in host.store.shards.values())
