"""One suite for every `CellStore`: in memory, on fakeredis, on a real server."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Protocol

import fakeredis
import pytest
import redis
from batch_of import batch_of
from redis.backoff import NoBackoff
from redis.retry import Retry
from statistics_world import World

from adserver.counting.cells import (
    CLICKS,
    FILLS,
    SHARDS_KEY,
    Family,
    Field,
    cell_field,
    cell_key,
    hours_member,
    index_key,
    places_member,
    topics_member,
)
from adserver.counting.records import QUARTER_SECONDS, DecisionKey, decision_record, event_record
from adserver.domain.errors import StoreUnavailable
from adserver.domain.ids import IdHash, Kind, id_hash
from adserver.domain.reasons import EventKind, InvalidReason
from adserver.domain.token import Token
from adserver.domain.variants import Variant
from adserver.keeping.redis_counts import RedisCountStore
from adserver.statistics.cell_store import CellStore, Member, MemoryCellStore, StoredCell
from adserver.statistics.redis_cell_store import RedisCellStore

SLOT = id_hash(Kind.SLOT, "masthead")
CREATIVE = id_hash(Kind.CREATIVE, "elevate")
PLACE = id_hash(Kind.PLACE, "us-mn")
TOPIC = id_hash(Kind.TOPIC, "sports")


class Bench(Protocol):
    """A store, and how cells get into it."""

    @property
    def store(self) -> CellStore: ...

    def put(self, family: Family, member: Member, block: int, fields: Mapping[Field, int], shard: int = 0) -> None: ...


class MemoryBench:
    def __init__(self) -> None:
        self.store = MemoryCellStore()

    def put(self, family: Family, member: Member, block: int, fields: Mapping[Field, int], shard: int = 0) -> None:
        for field, count in fields.items():
            self.store.cells.append((family, StoredCell(member, block, field, count)))


@dataclass
class RedisBench:
    client: redis.Redis

    @property
    def store(self) -> RedisCellStore:
        return RedisCellStore(self.client)

    def put(self, family: Family, member: Member, block: int, fields: Mapping[Field, int], shard: int = 0) -> None:
        text = member_text(family, member)
        self.client.sadd(index_key(shard, family, block), text)
        for field, count in fields.items():
            name = cell_field(field.offset, field.variant, field.metric)
            self.client.hset(cell_key(shard, family, text, block), name, str(count))


def member_text(family: Family, member: Member) -> str:
    match family:
        case Family.HOURS:
            return hours_member(member.flight, CREATIVE, member.slot)
        case Family.PLACES:
            return places_member(member.flight, CREATIVE, member.slot, PLACE)
        case Family.TOPICS:
            return topics_member(member.flight, member.slot, TOPIC)


@pytest.fixture(params=["memory", "fakeredis", "valkey"])
def bench(request: pytest.FixtureRequest) -> Bench:
    if request.param == "memory":
        return MemoryBench()
    if request.param == "fakeredis":
        return RedisBench(fakeredis.FakeRedis())
    client: redis.Redis = request.getfixturevalue("valkey")
    return RedisBench(client)


def flight(number: int) -> IdHash:
    return id_hash(Kind.FLIGHT, f"flight-{number}")


def member_of(family: Family, number: int = 0) -> Member:
    match family:
        case Family.HOURS:
            return Member(flight(number), SLOT, creative=CREATIVE)
        case Family.PLACES:
            return Member(flight(number), SLOT, creative=CREATIVE, place=PLACE)
        case Family.TOPICS:
            return Member(flight(number), SLOT, topic=TOPIC)


def anything(_member: Member) -> bool:
    return True


def read(
    store: CellStore, family: Family, blocks: range, wanted: Callable[[Member], bool] = anything
) -> Counter[StoredCell]:
    return Counter(store.read(family, blocks, wanted))


@pytest.mark.parametrize("family", Family)
def test_a_cell_comes_back_as_it_was_counted(bench: Bench, family: Family) -> None:
    fields = {Field(5, Variant.LONG, CLICKS): 7, Field(0, Variant.AUTO, FILLS): 2**40}
    bench.put(family, member_of(family), 80_000, fields)
    assert read(bench.store, family, range(80_000, 80_001)) == Counter(
        StoredCell(member_of(family), 80_000, field, count) for field, count in fields.items()
    )


def test_only_the_blocks_and_the_family_asked_for_are_read(bench: Bench) -> None:
    for block in (9, 10, 19, 20):
        bench.put(Family.HOURS, member_of(Family.HOURS), block, {Field(0, Variant.AUTO, FILLS): block})
    bench.put(Family.PLACES, member_of(Family.PLACES), 15, {Field(0, Variant.AUTO, FILLS): 1})
    assert {cell.count for cell in read(bench.store, Family.HOURS, range(10, 20))} == {10, 19}
    assert not read(bench.store, Family.HOURS, range(20, 10))


def test_only_wanted_members_are_read(bench: Bench) -> None:
    for number in range(3):
        bench.put(Family.HOURS, member_of(Family.HOURS, number), 5, {Field(0, Variant.AUTO, FILLS): 1})
    kept = read(bench.store, Family.HOURS, range(10), lambda member: member.flight == flight(1))
    assert [cell.member.flight for cell in kept] == [flight(1)]


def test_years_of_blocks_and_more_members_than_a_pipeline_takes_are_all_read(bench: Bench) -> None:
    for number in range(520):
        bench.put(Family.HOURS, member_of(Family.HOURS, number), 70_000, {Field(0, Variant.AUTO, FILLS): 1})
    for block in range(70_001, 100_000, 3_001):
        bench.put(Family.HOURS, member_of(Family.HOURS), block, {Field(0, Variant.AUTO, FILLS): 1})
    assert sum(cell.count for cell in read(bench.store, Family.HOURS, range(70_000, 100_000))) == 530


@pytest.mark.parametrize("shards", [1, 3, 16])
def test_every_shard_is_read_and_no_further(shards: int) -> None:
    bench = RedisBench(fakeredis.FakeRedis())
    for shard in range(17):
        bench.put(Family.TOPICS, member_of(Family.TOPICS), 5, {Field(0, Variant.AUTO, FILLS): 1}, shard)
    if shards > 1:
        bench.client.set(SHARDS_KEY, shards)
    assert read(bench.store, Family.TOPICS, range(10)).total() == shards


def test_no_redis_is_no_answer(tmp_path: Path) -> None:
    client = redis.Redis(unix_socket_path=str(tmp_path / "none.sock"), retry=Retry(NoBackoff(), 0))
    with client, pytest.raises(StoreUnavailable):
        list(RedisCellStore(client).read(Family.HOURS, range(10), anything))


def test_what_the_keeper_counts_is_what_a_query_reads(valkey: redis.Redis) -> None:
    second = int(time.time())
    token = Token(
        issuer=b"issuer",
        shard=0,
        sequence=1,
        issued_second=second,
        flight=id_hash(Kind.FLIGHT, "minnesota"),
        creative=CREATIVE,
        slot=SLOT,
        place=id_hash(Kind.PLACE, "us-mn-remer"),
        topic=TOPIC,
        variant=Variant.AUTO,
    )
    quarter = second // QUARTER_SECONDS
    key = DecisionKey(0, quarter, token.flight, CREATIVE, SLOT, token.place, TOPIC, Variant.AUTO, None)
    world = World()
    records = (
        decision_record(key, 3, second),
        event_record(token, EventKind.SEEN, None, Variant.SHORT, second),
        event_record(token, EventKind.SEEN, None, Variant.SHORT, second),
        event_record(token, EventKind.CLICK, None, Variant.SHORT, second),
        event_record(None, EventKind.SEEN, InvalidReason.SIGNATURE, Variant.AUTO, second),
    )
    batch = batch_of(records, partial(site_day, world), {}, spool="spool", start=0, end=64 * len(records))
    assert RedisCountStore(valkey).apply(batch).done
    world.store = RedisCellStore(valkey)
    world.now = datetime.now(UTC)
    for by in ((), ("country",), ("topic",)):
        assert list(world.rows("fills", "impressions", "clicks", by=by, date_range="7d").values()) == [(3, 1, 1)]
    assert world.rows("invalid", by=("flight", "reason"), date_range="7d") == {
        ("minnesota", "duplicate"): (1,),
        ("(none)", "signature"): (1,),
    }
    assert world.rows("clicks", by=("variant", "place"), date_range="7d") == {("short", "us-mn-remer"): (1,)}


def site_day(world: World, slot: IdHash, second: int) -> int:
    local = datetime.fromtimestamp(second, UTC).astimezone(world.names.zone_at(slot, second))
    return (local.date() - date(1970, 1, 1)).days
