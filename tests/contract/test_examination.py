"""What a real server says of itself, as `doctor` reads it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from valkey_server import connect, running_valkey

from adserver.counting.cells import shard_tag
from adserver.domain.errors import StoreUnavailable
from adserver.processes.examination import examine_redis

TAGS = [shard_tag(0), shard_tag(1)]


@pytest.fixture(scope="module")
def socket() -> Iterator[Path]:
    with running_valkey() as socket:
        yield socket


@pytest.fixture
def client(socket: Path) -> Iterator[redis.Redis]:
    with connect(socket) as client:
        yield client
        client.flushall()
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", 0)
        client.acl_deluser("tenant")


def test_a_server_in_order(client: redis.Redis) -> None:
    facts = examine_redis(client, TAGS)
    assert int(facts.version.split(".")[0]) >= 7
    assert (facts.eviction_policy, facts.maxmemory_bytes) == ("noeviction", 0)
    assert facts.used_bytes > 0
    assert (facts.aof, facts.aof_failing, facts.replica) == (False, False, False)
    assert abs(facts.clock_ahead_seconds) < 1
    assert (facts.drops, facts.gap_bytes) == ({}, 0)


def test_what_is_set_is_told(client: redis.Redis) -> None:
    client.config_set("maxmemory-policy", "allkeys-lru")
    client.config_set("maxmemory", 100_000_000)
    facts = examine_redis(client, TAGS)
    assert (facts.eviction_policy, facts.maxmemory_bytes) == ("allkeys-lru", 100_000_000)


def test_drops_and_gaps_are_summed_over_the_shards_without_those_of_the_disk(client: redis.Redis) -> None:
    for tag in TAGS:
        client.hset(f"{tag}drops", mapping={"late": 2, "spool:0123456789abcdef": 5})
        client.hset(f"{tag}gap", mapping={"0123456789abcdef:64": 640})
    facts = examine_redis(client, TAGS)
    assert (facts.drops, facts.gap_bytes) == ({"late": 4}, 2 * 576)


def test_a_server_that_forbids_info_tells_little(socket: Path, client: redis.Redis) -> None:
    client.acl_setuser("tenant", enabled=True, passwords="+pass", keys="*", commands=["+@all", "-info"])
    with redis.Redis(unix_socket_path=str(socket), username="tenant", password="pass") as tenant:
        facts = examine_redis(tenant, TAGS)
    assert (facts.version, facts.eviction_policy, facts.aof) == ("", None, None)


def test_a_server_that_does_not_answer_is_away(tmp_path: Path) -> None:
    with connect(tmp_path / "none.sock") as client, pytest.raises(StoreUnavailable):
        examine_redis(client, TAGS)
