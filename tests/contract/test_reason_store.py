"""Sampled reasons in a real server: what the keeper adds is what statistics read, within bounds, for 35 days."""

from collections.abc import Iterator

import pytest
import redis
from valkey_server import connect, running_valkey

from adserver.counting.reason_cells import (
    NOWHERE,
    REST,
    Looks,
    ReasonCell,
    decode_field,
    decode_looks,
    encode_field,
    encode_looks,
    reasons_key,
)
from adserver.domain.errors import StoreUnavailable
from adserver.domain.ids import IdHash
from adserver.domain.reasons import NoFillReason as Reason
from adserver.keeping import redis_reasons
from adserver.keeping.redis_reasons import RedisReasonStore
from adserver.statistics.reason_store import MemoryReasons, SampledReasons
from adserver.statistics.redis_reason_store import RedisReasons

DAY = 20_781
FLIGHT, OTHER = IdHash(b"flight"), IdHash(b"other!")
SLOT, REMER, FARGO = IdHash(b"slot!"), IdHash(b"remer"), IdHash(b"fargo")
WON, PACED = ReasonCell(FLIGHT, SLOT, REMER, None), ReasonCell(FLIGHT, SLOT, REMER, Reason.PACING)
RESTED = ReasonCell(FLIGHT, SLOT, NOWHERE, Reason.HOURS)
CELLS = {WON: Looks(1 << 34, 3), PACED: Looks(7, 2), RESTED: Looks(100, 1)}


@pytest.fixture(scope="module")
def server() -> Iterator[redis.Redis]:
    with running_valkey() as socket, connect(socket) as client:
        yield client


@pytest.fixture(params=["redis", "memory"])
def reasons(request: pytest.FixtureRequest, server: redis.Redis) -> SampledReasons:
    """Return a store that holds `CELLS` and one of another flight."""
    stored = {**CELLS, PACED._replace(flight=OTHER): Looks(9, 9)}
    if request.param == "memory":
        return MemoryReasons({DAY: stored})
    server.flushall()
    RedisReasonStore(server).add(0, 1, DAY, stored)
    return RedisReasons(server)


def test_a_flight_has_the_cells_of_its_day_and_no_other(reasons: SampledReasons) -> None:
    assert dict(reasons.read(FLIGHT, DAY)) == CELLS
    assert dict(reasons.read(FLIGHT, DAY + 1)) == {}


def test_what_is_added_later_is_added(server: redis.Redis) -> None:
    server.flushall()
    for _ in range(3):
        RedisReasonStore(server).add(0, 1, DAY, {PACED: Looks(50, 2)})
    assert dict(RedisReasons(server).read(FLIGHT, DAY)) == {PACED: Looks(150, 6)}
    assert 34.9 < server.ttl("{s0}:reasons:20781") / 86_400 <= 35


def test_a_full_day_tells_places_apart_no_more_then_nothing(
    server: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.flushall()
    monkeypatch.setattr(redis_reasons, "MOST_CELLS", 3 * 4)
    monkeypatch.setattr(redis_reasons, "MOST_PLACED_CELLS", 1 * 4)
    store = RedisReasonStore(server)
    for cell in (PACED, PACED._replace(place=FARGO), RESTED, RESTED._replace(reason=Reason.PAUSED), PACED):
        store.add(0, 4, DAY, {cell: Looks(10, 1)})  # four shards have a fourth of the room each
    assert dict(RedisReasons(server).read(FLIGHT, DAY)) == {
        PACED: Looks(20, 2),
        PACED.elsewhere(): Looks(10, 1),
        RESTED: Looks(10, 1),
    }
    assert decode_looks(int(server.hget(reasons_key(0, DAY), encode_field(REST)) or 0)) == Looks(10, 1)


def test_the_layout_is_pinned(server: redis.Redis) -> None:
    server.flushall()
    RedisReasonStore(server).add(3, 16, DAY, {PACED: Looks(7, 2)})
    assert server.hgetall("{s3}:reasons:20781") == {b"flightslot!remer\x11": str(7 * 2**28 + 2).encode()}
    assert decode_field(b"flightslot!remer\x11") == PACED
    assert decode_field(b"flightslot!remer\xff") is None
    assert decode_field(b"shorter") is None
    assert decode_looks(encode_looks(Looks((1 << 35) - 1, (1 << 28) - 1))) == Looks((1 << 35) - 1, (1 << 28) - 1)


def test_a_server_that_is_away_says_so(server: redis.Redis) -> None:
    gone = redis.Redis(unix_socket_path="/nowhere/valkey.sock")
    with pytest.raises(StoreUnavailable):
        RedisReasonStore(gone).add(0, 1, DAY, CELLS)
    with pytest.raises(StoreUnavailable):
        dict(RedisReasons(gone).read(FLIGHT, DAY))
