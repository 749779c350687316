"""What a flight had delivered when a window began: in a real server, the first who asks decides, for three days."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
import redis
from valkey_server import connect, running_valkey

from adserver.domain.catalog import Cap, CapPeriod, CapScope
from adserver.domain.errors import StoreUnavailable
from adserver.domain.ids import FlightId, Kind, id_hash
from adserver.keeping.caps import CappedFlight, CapWatch
from adserver.keeping.redis_caps import RedisCapStore

WINDOW = 1_781_499_600


def capped(name: str, shard: int = 3) -> CappedFlight:
    caps = (Cap(100, CapPeriod.DAY, CapScope.FLIGHT),)
    return CappedFlight(FlightId(name), id_hash(Kind.FLIGHT, name), shard, ZoneInfo("America/Chicago"), caps)


@pytest.fixture(scope="module")
def server() -> Iterator[redis.Redis]:
    with running_valkey() as socket, connect(socket) as client:
        yield client


@pytest.fixture
def store(server: redis.Redis) -> RedisCapStore:
    server.flushall()
    return RedisCapStore(server)


def test_the_first_host_decides_what_a_window_counts_from_and_the_others_follow(
    server: redis.Redis, store: RedisCapStore
) -> None:
    flight = capped("sold")
    assert store.base(flight, WINDOW, 40) == 40
    assert RedisCapStore(server).base(flight, WINDOW, 55) == 40
    assert store.base(flight, WINDOW + 86_400, 55) == 55, "another window has its own"
    assert store.base(capped("other"), WINDOW, 7) == 7, "so has another flight"


def test_the_layout_is_pinned_and_kept_for_three_days(server: redis.Redis, store: RedisCapStore) -> None:
    flight = capped("sold")
    store.base(flight, WINDOW, 40)
    key = f"{{s3}}:capped:{WINDOW}"
    assert server.hgetall(key) == {flight.hash.hex().encode(): b"40"}
    assert 2.9 < server.ttl(key) / 86_400 <= 3


def test_a_keeper_that_begins_anew_goes_on_within_the_day(server: redis.Redis, store: RedisCapStore) -> None:
    flight = capped("sold")
    assert CapWatch(store).left({flight.id: flight}, {flight.id: 1_000}, WINDOW + 60.0) == {flight.id: 100}
    anew = CapWatch(RedisCapStore(server))
    assert anew.left({flight.id: flight}, {flight.id: 1_070}, WINDOW + 600.0) == {flight.id: 30}


def test_a_server_that_is_away_says_so() -> None:
    gone = RedisCapStore(redis.Redis(unix_socket_path="/nowhere/valkey.sock"))
    with pytest.raises(StoreUnavailable):
        gone.base(capped("sold"), WINDOW, 40)
