import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from adserver.counting.records import encode, event_record
from adserver.counting.spool import SpoolWriter, segment_path
from adserver.domain.errors import StoreUnavailable
from adserver.domain.ids import IdHash, Kind, id_hash
from adserver.domain.reasons import EventKind
from adserver.domain.token import Token
from adserver.domain.variants import Variant
from adserver.keeping.batches import Batch
from adserver.keeping.counter import SPOOL_BEHIND, SpoolCounter
from adserver.keeping.counts import Applied, MemoryCountStore
from adserver.keeping.quarantine import Quarantine

NOW = 1_795_500_000
FLIGHTS = (id_hash(Kind.FLIGHT, "one"), id_hash(Kind.FLIGHT, "two"))


@dataclass
class FlakyCounts:
    """A store whose replies can be lost, before or after the batch was applied."""

    inner: MemoryCountStore = field(default_factory=lambda: MemoryCountStore(7 * 86_400, lambda: NOW))
    lose_before: bool = False
    lose_after: bool = False
    batches: list[Batch] = field(default_factory=list)

    def apply(self, batch: Batch) -> Applied:
        if self.lose_before:
            raise StoreUnavailable
        applied = self.inner.apply(batch)
        self.batches.append(batch)
        if self.lose_after:
            raise StoreUnavailable
        return applied

    def applied(self, shard: int) -> Mapping[str, int]:
        return self.inner.applied(shard)

    def ended(self, shard: int, spool_ids: Iterable[str]) -> Mapping[str, int]:
        return self.inner.ended(shard, spool_ids)

    def delivered(self, shard: int, flights: Iterable[IdHash]) -> Mapping[IdHash, int]:
        return self.inner.delivered(shard, flights)

    def declare_dropped(self, spool_id: str, events: int) -> None:
        self.inner.declare_dropped(spool_id, events)

    def agree_on_shards(self, of_new: int, of_folder: int | None) -> int:
        return self.inner.agree_on_shards(of_new, of_folder)


def view(sequence: int, shard: int = 0) -> bytes:
    token = Token(
        issuer=b"issuer",
        shard=shard,
        sequence=sequence,
        issued_second=NOW,
        flight=FLIGHTS[shard],
        creative=id_hash(Kind.CREATIVE, "elevate"),
        slot=id_hash(Kind.SLOT, "masthead"),
        place=Kind.PLACE.unknown,
        topic=Kind.TOPIC.none,
        variant=Variant.AUTO,
    )
    return encode(event_record(token, EventKind.SEEN, None, Variant.SHORT, NOW))


def site_day(_slot: IdHash, second: int) -> int:
    return second // 86_400


def never() -> bool:
    return False


def apply_all(counter: SpoolCounter) -> int:
    counter.sync()
    return counter.apply(site_day, {}, never)


def net(counts: FlakyCounts) -> list[int]:
    return [counts.delivered(shard, [flight])[flight] for shard, flight in enumerate(FLIGHTS)]


def test_every_spool_is_counted_in_every_shard(tmp_path: Path) -> None:
    counts = FlakyCounts()
    counter = SpoolCounter(tmp_path, counts, shards=2)
    first, second = SpoolWriter.open_in(tmp_path), SpoolWriter.open_in(tmp_path)
    first.append(view(1, 0) + view(1, 1) + view(2, 1))
    second.append(view(2, 0) + view(2, 1))

    apply_all(counter)

    assert net(counts) == [2, 2]
    assert counter.backlog().unapplied_bytes == 0
    assert counts.applied(0) == counts.applied(1) == {first.spool_id: 192, second.spool_id: 128}


def test_a_range_larger_than_a_batch_is_counted_in_parts_within_one_call(tmp_path: Path) -> None:
    counts = FlakyCounts()
    counter = SpoolCounter(tmp_path, counts, shards=1, batch_bytes=128)
    SpoolWriter.open_in(tmp_path).append(b"".join(view(number) for number in range(5)))

    assert apply_all(counter) == 3
    assert [(batch.start, batch.end) for batch in counts.batches] == [(0, 128), (128, 256), (256, 320)]
    assert net(counts)[0] == 5


def test_a_keeper_started_anew_goes_on_where_the_shards_stand(tmp_path: Path) -> None:
    counts = FlakyCounts()
    writer = SpoolWriter.open_in(tmp_path)
    writer.append(view(1))
    apply_all(SpoolCounter(tmp_path, counts, shards=1))
    writer.append(view(2))

    again = SpoolCounter(tmp_path, counts, shards=1)
    again.sync()
    again.recall()
    again.apply(site_day, {}, never)

    assert [(batch.start, batch.end) for batch in counts.batches] == [(0, 64), (64, 128)]
    assert net(counts)[0] == 2


def test_a_keeper_that_asks_nobody_is_told_by_the_shards_where_they_stand(tmp_path: Path) -> None:
    counts = FlakyCounts()
    writer = SpoolWriter.open_in(tmp_path)
    writer.append(view(1))
    apply_all(SpoolCounter(tmp_path, counts, shards=1))
    writer.append(view(2))

    apply_all(SpoolCounter(tmp_path, counts, shards=1))

    assert net(counts)[0] == 2


@pytest.mark.parametrize("after", [False, True])
def test_a_lost_reply_costs_nothing_whether_or_not_the_batch_was_applied(tmp_path: Path, after: bool) -> None:
    counts = FlakyCounts(lose_before=not after, lose_after=after)
    counter = SpoolCounter(tmp_path, counts, shards=1)
    SpoolWriter.open_in(tmp_path).append(view(1) + view(2))
    with pytest.raises(StoreUnavailable):
        apply_all(counter)

    counts.lose_before = counts.lose_after = False
    apply_all(counter)

    assert net(counts)[0] == 2
    assert counter.backlog().unapplied_bytes == 0


def test_a_shard_that_fell_back_is_replayed_and_the_others_are_left_alone(tmp_path: Path) -> None:
    counts = FlakyCounts()
    counter = SpoolCounter(tmp_path, counts, shards=2)
    writer = SpoolWriter.open_in(tmp_path)
    writer.append(view(1, 0) + view(1, 1))
    apply_all(counter)
    counts.inner.offsets[1, writer.spool_id] = 0  # shard 1 lost all
    counts.inner.net[1, FLIGHTS[1]] = 0
    counts.inner.states = {key: state for key, state in counts.inner.states.items() if key[0].startswith("{s0}")}
    counts.batches.clear()

    counter.recall()
    counter.apply(site_day, {}, never)

    assert {batch.shard for batch in counts.batches} == {1}
    assert net(counts) == [1, 1]


def test_a_corrupt_record_is_dropped_and_put_aside_once_and_its_neighbours_count(tmp_path: Path) -> None:
    counts, aside = FlakyCounts(), tmp_path / "quarantine"
    counter = SpoolCounter(tmp_path, counts, shards=2, quarantine=Quarantine(aside))
    spool = SpoolWriter.open_in(tmp_path)
    spool.append(view(1) + b"x" * 64 + view(2, 1))

    apply_all(counter)

    assert net(counts) == [1, 1]
    assert counts.inner.drops["corrupt"] == 1
    assert {path.name: path.read_bytes() for path in aside.iterdir()} == {f"{spool.spool_id}-{64:020d}.bad": b"x" * 64}


def test_drops_reach_the_store_as_they_stand(tmp_path: Path) -> None:
    counts = FlakyCounts()
    counter = SpoolCounter(tmp_path, counts, shards=1)
    writer = SpoolWriter.open_in(tmp_path)
    writer.declare_dropped(2)
    apply_all(counter)
    writer.declare_dropped(3)
    apply_all(counter)

    assert counts.inner.drops == {f"spool:{writer.spool_id}": 5}


def test_a_backlog_is_left_when_it_is_enough_and_every_spool_has_its_turn(tmp_path: Path) -> None:
    counts = FlakyCounts()
    counter = SpoolCounter(tmp_path, counts, shards=1, batch_bytes=64)
    writers = [SpoolWriter.open_in(tmp_path) for _ in range(2)]
    for writer in writers:
        writer.append(view(1) + view(2) + view(3))
    counter.sync()

    assert counter.apply(site_day, {}, lambda: True) == 2
    assert {batch.spool_id for batch in counts.batches} == {writer.spool_id for writer in writers}


def test_drops_are_declared_again_to_a_store_that_lost_them(tmp_path: Path) -> None:
    counts = FlakyCounts()
    counter = SpoolCounter(tmp_path, counts, shards=1)
    writer = SpoolWriter.open_in(tmp_path)
    writer.declare_dropped(3)
    apply_all(counter)
    counts.inner.drops.clear()

    counter.recall()
    apply_all(counter)

    assert counts.inner.drops == {f"spool:{writer.spool_id}": 3}


def test_drops_are_declared_again_when_a_batch_finds_the_store_fallen_back(tmp_path: Path) -> None:
    counts = FlakyCounts()
    counter = SpoolCounter(tmp_path, counts, shards=1)
    writer = SpoolWriter.open_in(tmp_path)
    writer.append(view(1))
    writer.declare_dropped(3)
    apply_all(counter)
    counts.inner = MemoryCountStore(7 * 86_400, lambda: NOW)

    writer.append(view(2))
    apply_all(counter)
    apply_all(counter)

    assert net(counts)[0] == 2
    assert counts.inner.drops == {f"spool:{writer.spool_id}": 3}


def test_a_segment_that_lost_its_end_is_a_gap_and_counting_goes_on_behind_it(tmp_path: Path) -> None:
    writer = SpoolWriter.open_in(tmp_path, segment_bytes=128)
    for number in range(4):
        writer.append(view(number))
    os.truncate(segment_path(tmp_path / "0", 0), 64)
    counts = FlakyCounts()
    counter = SpoolCounter(tmp_path, counts, shards=2)

    apply_all(counter)

    assert net(counts)[0] == 3
    assert counter.backlog().unapplied_bytes == 0
    assert counts.inner.gaps == {(shard, writer.spool_id, 64): 128 for shard in range(2)}


def test_segments_that_were_removed_before_they_were_counted_are_a_gap(tmp_path: Path) -> None:
    writer = SpoolWriter.open_in(tmp_path, segment_bytes=128)
    for number in range(4):
        writer.append(view(number))
    segment_path(tmp_path / "0", 0).unlink()
    counts = FlakyCounts()

    apply_all(SpoolCounter(tmp_path, counts, shards=1))

    assert net(counts)[0] == 2
    assert counts.inner.gaps == {(0, writer.spool_id, 0): 128}


def test_a_record_of_a_shard_that_there_is_not_counts_as_corrupt(tmp_path: Path) -> None:
    counts = FlakyCounts()
    SpoolWriter.open_in(tmp_path).append(view(1) + view(1, 1))

    apply_all(SpoolCounter(tmp_path, counts, shards=1))

    assert net(counts) == [1, 0]
    assert counts.inner.drops["corrupt"] == 1


def test_a_spool_shorter_than_what_is_counted_of_it_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    counts = FlakyCounts()
    counter = SpoolCounter(tmp_path, counts, shards=1)
    writer = SpoolWriter.open_in(tmp_path)
    writer.append(view(1))
    counter.sync()
    counts.inner.offsets[0, writer.spool_id] = 640

    counter.recall()
    counter.recall()

    assert [record.getMessage() for record in caplog.records] == [SPOOL_BEHIND]


@dataclass
class OneShardAway(FlakyCounts):
    """Two shards, of which one does not answer, as while a node of a cluster has died."""

    away: int | None = None

    def apply(self, batch: Batch) -> Applied:
        self._ask(batch.shard)
        return super().apply(batch)

    def applied(self, shard: int) -> Mapping[str, int]:
        self._ask(shard)
        return super().applied(shard)

    def _ask(self, shard: int) -> None:
        if shard == self.away:
            raise StoreUnavailable("no answer")


@pytest.mark.parametrize("away", [0, 1])
def test_a_shard_that_is_away_does_not_hold_up_the_others(tmp_path: Path, away: int) -> None:
    counts = OneShardAway(away=away)
    counter = SpoolCounter(tmp_path, counts, shards=2)
    SpoolWriter.open_in(tmp_path).append(view(1, 0) + view(1, 1))
    counter.sync()

    for _ in range(2):  # found away by a call, then when asked where it stands
        with pytest.raises(StoreUnavailable, match="1 of 2 shards wait: no answer"):
            apply_all(counter)
        assert net(counts)[1 - away] == 1
        assert net(counts)[away] == 0
        counter.recall()

    counts.away = None
    counter.recall()
    apply_all(counter)
    assert net(counts) == [1, 1]


def test_a_spool_that_comes_back_after_its_end_is_not_counted_again(tmp_path: Path) -> None:
    counts = FlakyCounts()
    counter = SpoolCounter(tmp_path, counts, shards=2)
    back, new = SpoolWriter.open_in(tmp_path), SpoolWriter.open_in(tmp_path)
    back.append(view(1))
    new.append(view(2))
    counts.inner.ends[back.spool_id] = 128
    counter.sync()

    counter.recall()
    counter.apply(lambda _slot, second: second // 86_400, {}, lambda: False)

    assert net(counts) == [1, 0]
    assert {batch.spool_id for batch in counts.batches} == {new.spool_id}
    assert counter.backlog().unapplied_bytes == 0
