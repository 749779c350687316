"""The salts of reach in a real server: all hosts agree, and what has ended is in no file of it."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkey_server import connect, running_valkey

from adserver.domain.errors import StoreUnavailable
from adserver.keeping.redis_salts import RedisSaltStore, salt_key

DAY = 20_781


@pytest.fixture(scope="module")
def server() -> Iterator[redis.Redis]:
    with running_valkey() as socket, connect(socket) as client:
        client.config_set("appendonly", "yes")
        await_that(lambda: not client.info("persistence")["aof_rewrite_in_progress"])
        yield client


@pytest.fixture
def store(server: redis.Redis) -> RedisSaltStore:
    server.flushall()
    return RedisSaltStore(server, is_ours=True)


def files_with(server: redis.Redis, text: str) -> list[str]:
    """Return the names of the server's files that hold a text."""
    folder = Path(str(server.config_get("dir")["dir"]))
    return [path.name for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def await_that(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)  # the server's own child writes; it tells nobody


def test_the_first_host_decides_and_the_others_follow(server: redis.Redis, store: RedisSaltStore) -> None:
    assert store.agree(DAY, "aa", 100).secret == "aa"
    secret, left = store.agree(DAY, "bb", 5_000)

    assert (secret, round(left)) == ("aa", 100)
    assert server.ttl(salt_key(DAY)) in (99, 100)
    assert salt_key(DAY) == "{meta}:reach-salt:20781"


def test_what_has_ended_leaves_the_append_only_files_too(server: redis.Redis, store: RedisSaltStore) -> None:
    secret = "5ec4e7" * 5
    store.agree(DAY, secret, 100)
    assert files_with(server, secret) != [], "the command that set it"

    store.forget(DAY)
    await_that(lambda: not files_with(server, secret))
    assert server.exists(salt_key(DAY)) == 0


def test_the_files_of_somebody_elses_server_are_left_alone(server: redis.Redis) -> None:
    others = RedisSaltStore(server, is_ours=False)
    others.agree(DAY, "cc" * 16, 100)
    others.forget(DAY)

    assert server.exists(salt_key(DAY)) == 0
    assert not server.info("persistence")["aof_rewrite_scheduled"]


def test_a_server_that_is_away_is_said_to_be() -> None:
    store = RedisSaltStore(redis.Redis(port=1, retry=Retry(NoBackoff(), 0)), is_ours=True)

    with pytest.raises(StoreUnavailable):
        store.agree(DAY, "aa", 1)
    with pytest.raises(StoreUnavailable):
        store.forget(DAY)
