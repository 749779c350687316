"""What a real server says of its memory, and that a store which forgets is refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from valkey_server import connect, running_valkey

from adserver.domain.errors import StoreUnavailable
from adserver.keeping.eviction import RedisEvicts, refuse_eviction


@pytest.fixture(scope="module")
def socket() -> Iterator[Path]:
    with running_valkey() as socket:
        yield socket


@pytest.fixture
def client(socket: Path) -> Iterator[redis.Redis]:
    with connect(socket) as client:
        yield client
        client.config_set("maxmemory-policy", "noeviction")
        client.acl_deluser("tenant")


def test_a_server_that_keeps_all_is_taken(client: redis.Redis) -> None:
    refuse_eviction(lambda: (("", client),))


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
def test_a_server_that_evicts_is_refused_by_the_name_of_its_policy(client: redis.Redis, policy: str) -> None:
    client.config_set("maxmemory-policy", policy)
    with pytest.raises(RedisEvicts, match=f"maxmemory-policy {policy}.*noeviction"):
        refuse_eviction(lambda: (("", client),))


def test_a_hosted_server_that_forbids_config_is_refused_all_the_same(socket: Path, client: redis.Redis) -> None:
    client.config_set("maxmemory-policy", "allkeys-lru")
    client.acl_setuser("tenant", enabled=True, passwords="+pass", keys="*", commands=["+@all", "-config"])
    with redis.Redis(unix_socket_path=str(socket), username="tenant", password="pass") as tenant:
        with pytest.raises(redis.exceptions.NoPermissionError):
            tenant.config_get("maxmemory-policy")
        with pytest.raises(RedisEvicts):
            refuse_eviction(lambda: (("", tenant),))


def test_one_that_does_not_let_us_ask_is_taken(socket: Path, client: redis.Redis) -> None:
    client.acl_setuser("tenant", enabled=True, passwords="+pass", keys="*", commands=["+@all", "-info"])
    with redis.Redis(unix_socket_path=str(socket), username="tenant", password="pass") as tenant:
        refuse_eviction(lambda: (("", tenant),))


def test_one_that_does_not_answer_is_away(tmp_path: Path) -> None:
    with connect(tmp_path / "none.sock") as client, pytest.raises(StoreUnavailable):
        refuse_eviction(lambda: (("", client),))
