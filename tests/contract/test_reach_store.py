"""One suite for every `ReachStore`: in memory, on fakeredis, on a real server."""

import fakeredis
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from adserver.counting.cells import SHARDS_KEY, reach_index_key, reach_key, reached_key, reader_element
from adserver.domain.errors import StoreUnavailable
from adserver.domain.ids import IdHash, Kind, id_hash
from adserver.statistics.reach_store import MemoryReachStore, ReachStore, StoredReach
from adserver.statistics.redis_reach_store import RedisReachStore

DAY = 20_781


def flight(number: int) -> IdHash:
    return id_hash(Kind.FLIGHT, f"flight-{number}")


class MemoryBench:
    def __init__(self) -> None:
        self.memory = MemoryReachStore()
        self.store: ReachStore = self.memory

    def put(self, number: int, day: int, readers: int, shard: int = 0) -> None:
        self.memory.stored.append(StoredReach(flight(number), day, readers))


class RedisBench:
    def __init__(self, client: redis.Redis) -> None:
        self.client = client
        self.store: ReachStore = RedisReachStore(client)

    def put(self, number: int, day: int, readers: int, shard: int = 0) -> None:
        """Add as many readers to the sketch; none: there is none."""
        self.client.sadd(reach_index_key(shard, day), flight(number).hex())
        elements = [reader_element(reader) for reader in range(1, readers + 1)]
        self.client.pfadd(reach_key(shard, day, flight(number)), *elements)


@pytest.fixture(params=["memory", "fakeredis", "valkey"])
def bench(request: pytest.FixtureRequest) -> MemoryBench | RedisBench:
    if request.param == "memory":
        return MemoryBench()
    if request.param == "fakeredis":
        return RedisBench(fakeredis.FakeRedis())
    client: redis.Redis = request.getfixturevalue("valkey")
    return RedisBench(client)


def read(bench: MemoryBench | RedisBench, days: range, *numbers: int) -> set[StoredReach]:
    wanted = {flight(number) for number in numbers}
    found = list(bench.store.read(days, wanted.__contains__))
    assert len(set(found)) == len(found), "each once"
    return set(found)


def test_the_readers_of_a_wanted_flight_on_the_days_asked_for_are_told(bench: MemoryBench | RedisBench) -> None:
    bench.put(1, DAY, 3)
    bench.put(1, DAY + 1, 5)
    bench.put(1, DAY + 2, 4)
    bench.put(2, DAY, 2)
    bench.put(3, DAY, 1)

    assert read(bench, range(DAY, DAY + 2), 1, 2) == {
        StoredReach(flight(1), DAY, 3),
        StoredReach(flight(1), DAY + 1, 5),
        StoredReach(flight(2), DAY, 2),
    }


def test_nothing_is_told_of_days_without_readers(bench: MemoryBench | RedisBench) -> None:
    assert read(bench, range(DAY - 3_000, DAY + 3_000), 1) == set()
    bench.put(1, DAY, 1)
    assert read(bench, range(DAY - 3_000, DAY + 3_000), 1) == {StoredReach(flight(1), DAY, 1)}


def test_more_flights_than_one_round_trip_takes(bench: MemoryBench | RedisBench) -> None:
    for number in range(600):
        bench.put(number, DAY + number % 2, 1)

    assert len(read(bench, range(DAY, DAY + 2), *range(600))) == 600


def test_a_real_server_adds_up_its_shards(valkey: redis.Redis) -> None:
    valkey.set(SHARDS_KEY, 3)
    bench = RedisBench(valkey)
    for shard in range(3):
        bench.put(shard, DAY, shard + 1, shard)

    assert read(bench, range(DAY, DAY + 1), 0, 1, 2) == {StoredReach(flight(n), DAY, n + 1) for n in range(3)}


def test_what_was_rolled_up_is_told_as_before(valkey: redis.Redis) -> None:
    bench = RedisBench(valkey)
    bench.put(1, DAY, 3)
    bench.put(2, DAY, 2)
    valkey.hset(reached_key(0, DAY), flight(1).hex(), "99")  # put there a moment before its sketch is taken away
    valkey.hset(reached_key(0, DAY), flight(3).hex(), "40")
    valkey.hset(reached_key(0, DAY - 9), flight(1).hex(), "7")

    assert read(bench, range(DAY - 20, DAY + 1), 1, 2, 3) == {
        StoredReach(flight(1), DAY, 3),
        StoredReach(flight(2), DAY, 2),
        StoredReach(flight(3), DAY, 40),
        StoredReach(flight(1), DAY - 9, 7),
    }


def test_a_sketch_is_right_within_two_percent(valkey: redis.Redis) -> None:
    bench = RedisBench(valkey)
    bench.put(1, DAY, 20_000)

    ((told),) = read(bench, range(DAY, DAY + 1), 1)
    assert abs(told.readers - 20_000) <= 400


def test_a_server_that_is_away_is_said_to_be() -> None:
    client = redis.Redis(port=1, retry=Retry(NoBackoff(), 0))

    with pytest.raises(StoreUnavailable):
        list(RedisReachStore(client).read(range(1), lambda _: True))
