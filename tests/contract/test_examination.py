"""What a real server says of itself, as `doctor` reads it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from valkey_server import connect, running_valkey

from adserver.counting.cells import SHARDS_KEY, shard_tag
from adserver.domain.errors import StoreUnavailable
from adserver.processes.examination import examine_redis
from adserver.processes.facts import RedisFacts
from adserver.store.link import RedisLink

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


def examine(client: redis.Redis) -> RedisFacts:
    def servers() -> tuple[tuple[str, redis.Redis], ...]:
        return (("", client),)

    return examine_redis(RedisLink(client, servers, servers, 1))


def test_a_server_in_order(client: redis.Redis) -> None:
    facts = examine(client)
    [server] = facts.servers
    assert int(server.version.split(".")[0]) >= 7
    assert (server.eviction_policy, server.maxmemory_bytes) == ("noeviction", 0)
    assert server.used_bytes > 0
    assert (server.aof, server.aof_failing, server.replica) == (False, False, False)
    assert abs(server.clock_ahead_seconds) < 1
    assert (facts.drops, facts.gap_bytes, facts.shards, facts.silent) == ({}, 0, 1, ())


def test_what_is_set_is_told(client: redis.Redis) -> None:
    client.config_set("maxmemory-policy", "allkeys-lru")
    client.config_set("maxmemory", 100_000_000)
    [server] = examine(client).servers
    assert (server.eviction_policy, server.maxmemory_bytes) == ("allkeys-lru", 100_000_000)


def test_drops_and_gaps_are_summed_over_the_shards_without_those_of_the_disk(client: redis.Redis) -> None:
    client.set(SHARDS_KEY, len(TAGS))
    for tag in TAGS:
        client.hset(f"{tag}drops", mapping={"late": 2, "spool:0123456789abcdef": 5})
        client.hset(f"{tag}gap", mapping={"0123456789abcdef:64": 640})
    facts = examine(client)
    assert (facts.drops, facts.gap_bytes) == ({"late": 4}, 2 * 576)


def test_a_server_that_forbids_info_tells_little(socket: Path, client: redis.Redis) -> None:
    client.acl_setuser("tenant", enabled=True, passwords="+pass", keys="*", commands=["+@all", "-info"])
    with redis.Redis(unix_socket_path=str(socket), username="tenant", password="pass") as tenant:
        [server] = examine(tenant).servers
    assert (server.version, server.eviction_policy, server.aof) == ("", None, None)


def test_a_server_that_does_not_answer_is_away(tmp_path: Path) -> None:
    with connect(tmp_path / "none.sock") as client, pytest.raises(StoreUnavailable):
        examine(client)
