"""What is moved to coarser times and what stays; when, and what happens when the store is away."""

import logging
from collections.abc import Sequence
from types import MappingProxyType

import pytest
import redis
from statistics_world import NOW, World, order_name, slot_name
from stored_cells import put_cells

from adserver.catalog.names import Names
from adserver.counting.cells import (
    FILLS,
    IMPRESSIONS,
    Family,
    hours_member,
    places_member,
    reach_index_key,
    reach_key,
    reached_key,
    reader_element,
)
from adserver.domain.errors import StoreUnavailable
from adserver.domain.ids import IdHash, Kind, id_hash
from adserver.keeping.redis_roll_up import RedisRollUp
from adserver.keeping.roll_up import (
    AT_ONCE,
    LOOK_SECONDS,
    PAUSE_SECONDS,
    ROLL_UP_WAITS,
    Move,
    RollUp,
    Sketches,
    is_settled,
)
from adserver.statistics.errors import QueryRefused
from adserver.statistics.reach_store import StoredReach
from adserver.statistics.redis_cell_store import RedisCellStore
from adserver.statistics.redis_reach_store import RedisReachStore
from adserver.store.presence import chunks

FLIGHT, CREATIVE, SLOT, PLACE = (id_hash(kind, "one") for kind in (Kind.FLIGHT, Kind.CREATIVE, Kind.SLOT, Kind.PLACE))
HOURS = hours_member(FLIGHT, CREATIVE, SLOT)
PLACES = places_member(FLIGHT, CREATIVE, SLOT, PLACE)
DAY = 86_400
MARCH_2026 = 20_513
"""The first of March, since 1970."""


def names(flight_since: int | None = None, slot_since: int | None = None) -> Names:
    parents = [(0, "old", "advertiser")] + ([(flight_since, "new", "advertiser")] if flight_since else [])
    spans = [(0, "site", "UTC")] + ([(slot_since, "site", "Europe/Oslo")] if slot_since else [])
    return Names(
        flights=MappingProxyType({FLIGHT: order_name("one", *parents)}),
        slots=MappingProxyType({SLOT: slot_name("one", *spans)}),
    )


@pytest.mark.parametrize("change", ["flight", "slot"])
def test_a_month_in_which_a_parent_or_zone_changed_stays_in_days_and_others_do_not(change: str) -> None:
    def settled(day: int) -> bool:
        since = MARCH_2026 * DAY + 20 * DAY
        known = names(flight_since=since) if change == "flight" else names(slot_since=since)
        return is_settled(known, Family.PLACES, PLACES, day // 7)

    assert not settled(MARCH_2026 + 8)
    assert not settled(MARCH_2026 + 24)
    assert settled(MARCH_2026 - 30)
    assert settled(MARCH_2026 + 50)


def test_hours_near_a_change_stay_and_others_do_not() -> None:
    known = names(slot_since=MARCH_2026 * DAY)
    assert not is_settled(known, Family.HOURS, HOURS, MARCH_2026 * 4 - 2)
    assert is_settled(known, Family.HOURS, HOURS, MARCH_2026 * 4 - 20)
    assert is_settled(known, Family.HOURS, HOURS, MARCH_2026 * 4 + 20)


def test_what_has_no_name_stays_but_what_is_nothing_s_own_does_not() -> None:
    assert not is_settled(Names(), Family.HOURS, HOURS, 80_000)
    none = hours_member(Kind.FLIGHT.none, Kind.CREATIVE.none, Kind.SLOT.unknown)
    assert is_settled(Names(), Family.HOURS, none, 80_000)


class Store:
    """Hashes that are old enough, more than one burst moves; each is noted."""

    def __init__(self) -> None:
        self.moved: list[Move] = []
        self.away = False

    def shards(self) -> int:
        return 1

    def blocks(self, shard: int, family: Family, among: range) -> Sequence[int]:
        return [80_000] if family is Family.HOURS and 80_000 in among else []

    def members(self, shard: int, family: Family, block: int) -> frozenset[str]:
        return frozenset(hours_member(FLIGHT, id_hash(Kind.CREATIVE, str(one)), SLOT) for one in range(MEMBERS))

    def move(self, moves: Sequence[Move]) -> int:
        if self.away:
            raise StoreUnavailable("away")
        self.moved += moves
        return len(moves)

    def sketched_days(self, shard: int, among: range) -> Sequence[int]:
        return []

    def sketched(self, shard: int, day: int) -> frozenset[IdHash]:
        return frozenset()

    def settle(self, sketches: Sketches) -> int:
        raise AssertionError


MEMBERS = 4 * AT_ONCE - 1


class Clock:
    """Tells what it is set to, a little later at each look."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        self.at += 0.03
        return self.at


def test_moves_come_in_bursts_with_pauses() -> None:
    store, clock = Store(), Clock()
    roll_up = RollUp(store, names, 35, clock)
    now = 80_000 * 6 * 3600 + 60 * DAY
    roll_up.step(now)
    steps = 0
    while len(store.moved) < MEMBERS:
        before = len(store.moved)
        roll_up.step(now)
        assert len(store.moved) == before  # before the pause is over
        clock.at += PAUSE_SECONDS
        roll_up.step(now)
        assert len(store.moved) - before <= 2 * AT_ONCE
        steps += 1
        assert steps < 100
    assert len({move.member for move in store.moved}) == MEMBERS
    for _ in range(100):
        roll_up.step(now)
        clock.at += PAUSE_SECONDS
    assert len(store.moved) == MEMBERS
    clock.at += LOOK_SECONDS
    for _ in range(100):
        roll_up.step(now)
        clock.at += PAUSE_SECONDS
    assert len(store.moved) == 2 * MEMBERS  # it stands there still


@pytest.mark.parametrize(("days", "age"), [(0, 60), (35, 34)])
def test_what_is_young_or_never_to_be_moved_stays(days: int, age: int) -> None:
    store = Store()
    RollUp(store, names, days, Clock()).step(80_000 * 6 * 3600 + age * DAY)
    assert not store.moved


def test_a_store_that_is_away_is_said_once_and_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    store, clock = Store(), Clock()
    store.away = True
    roll_up = RollUp(store, names, 35, clock)
    now = 80_000 * 6 * 3600 + 60 * DAY
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            roll_up.step(now)
            clock.at += LOOK_SECONDS
    assert [record.message for record in caplog.records] == [ROLL_UP_WAITS]
    store.away = False
    for _ in range(100):
        roll_up.step(now)
        clock.at += PAUSE_SECONDS
    assert len(store.moved) == MEMBERS


def test_a_query_during_which_cells_move_sees_each_once(valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    for days in (50, 60, 61):
        world.count(IMPRESSIONS, days, at=NOW.fromtimestamp(NOW.timestamp() - days * DAY, NOW.tzinfo))
        world.count(FILLS, 1, at=NOW.fromtimestamp(NOW.timestamp() - days * DAY, NOW.tzinfo))
    put_cells(valkey, world.memory.cells)
    store = RedisCellStore(valkey)
    world.store = store
    read_block = store._cells
    rounds: list[int] = []

    def meanwhile(*asked: object) -> object:
        yield from read_block(*asked)  # type: ignore[arg-type]
        if len(rounds) < 2:  # what was just read is moved to where is read next
            rounds.append(len(rounds))
            RollUp(RedisRollUp(valkey), lambda: world.names, 55 - 10 * len(rounds)).run(NOW.timestamp())

    monkeypatch.setattr(store, "_cells", meanwhile)
    assert world.total("impressions") == 171
    assert rounds == [0, 1]


def test_a_part_of_an_old_month_is_refused_by_place_and_the_whole_is_not(valkey: redis.Redis) -> None:
    world = World()
    world.count(IMPRESSIONS, 7, at=NOW.replace(month=8, day=10))
    put_cells(valkey, world.memory.cells)
    RollUp(RedisRollUp(valkey), lambda: world.names, 35).run(NOW.timestamp())
    world.store = RedisCellStore(valkey)
    assert world.rows("impressions", by=("state",), date_range=["2026-08-01", "2026-08-31"]) == {("us-mn",): (7,)}
    with pytest.raises(QueryRefused) as refused:
        world.rows("impressions", by=("state",), date_range=["2026-08-11", "2026-08-31"])
    assert "from 2026-10-01 on" in refused.value.faults[0].message


def put_sketch(client: redis.Redis, day: int, flight: IdHash, readers: range) -> None:
    client.sadd(reach_index_key(0, day), flight.hex())
    client.pfadd(reach_key(0, day, flight), *map(reader_element, readers))


def test_of_old_sketches_their_numbers_are_left_and_told_as_before(valkey: redis.Redis) -> None:
    today = int(NOW.timestamp()) // DAY
    flights = [id_hash(Kind.FLIGHT, str(number)) for number in range(AT_ONCE + 3)]
    for day in (today - 35, today - 36, today - 400):
        for number, flight in enumerate(flights):
            put_sketch(valkey, day, flight, range(1, 20 + number))

    def told() -> list[tuple[IdHash, int, int]]:
        stored = RedisReachStore(valkey).read(range(today - 500, today), lambda _: True)
        return sorted((each.flight, each.day, each.readers) for each in stored)

    before = told()
    assert len(before) == 3 * len(flights)
    roll_up = RollUp(RedisRollUp(valkey), Names, 35)
    assert roll_up.run(NOW.timestamp()) == 2 * len(flights)
    assert roll_up.run(NOW.timestamp()) == 0
    assert told() == before
    left = {key.decode() for key in valkey.scan_iter("{s0}:*reach*")}
    assert {key for key in left if str(today - 35) not in key} == {
        reached_key(0, today - 36),
        reached_key(0, today - 400),
    }


def test_a_sketch_that_comes_back_lowers_no_number(valkey: redis.Redis) -> None:
    store = RedisRollUp(valkey)
    for readers in (range(10), range(4), range(30)):
        put_sketch(valkey, 20_000, FLIGHT, readers)
        assert store.settle(Sketches(0, 20_000, (FLIGHT,))) == 1
        assert not valkey.exists(reach_key(0, 20_000, FLIGHT), reach_index_key(0, 20_000))
    assert store.settle(Sketches(0, 20_000, (FLIGHT,))) == 0
    assert valkey.hgetall(reached_key(0, 20_000)) == {FLIGHT.hex().encode(): b"30"}


def test_readers_whose_sketch_goes_while_they_are_counted_are_told_once(
    valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_sketch(valkey, 20_000, FLIGHT, range(10))
    store = RedisReachStore(valkey)
    count = store._count

    def settled_before(*asked: object) -> object:
        RedisRollUp(valkey).settle(Sketches(0, 20_000, (FLIGHT,)))
        return count(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "_count", settled_before)
    assert list(store.read(range(20_000, 20_001), lambda _: True)) == [StoredReach(FLIGHT, 20_000, 10)]


@pytest.mark.parametrize("at_once", [1, 100])
def test_hashes_that_go_to_one_hash_are_added_up_and_gone(valkey: redis.Redis, at_once: int) -> None:
    world = World()
    for day in range(1, 29):
        world.count(IMPRESSIONS, day, at=NOW.replace(month=8, day=day))
    put_cells(valkey, world.memory.cells)
    roll_up = RollUp(RedisRollUp(valkey), lambda: world.names, 35)
    steps = [step for step in roll_up._due(int(NOW.timestamp()) // DAY - 35) if isinstance(step, tuple)]
    months = [move for moves in steps for move in moves if move.family is Family.PLACES]
    assert len(months) > 4
    for some in chunks(months, at_once):
        assert RedisRollUp(valkey).move(some) == len(some)
    assert not list(valkey.scan_iter("{s0}:places:*")) + list(valkey.scan_iter("{s0}:index:places:*"))
    world.store = RedisCellStore(valkey)
    whole = ["2026-08-01", "2026-08-31"]
    assert world.rows("impressions", by=("state",), date_range=whole) == {("us-mn",): (sum(range(1, 29)),)}
