"""Where tokens are kept: every implementation of the port does the same."""

from collections.abc import Callable
from pathlib import Path

import fakeredis
import pytest
import redis
from valkey_server import connect

from adserver.access.token_store import TOKENS_KEY, MemoryTokenStore, RedisTokenStore, TokenStore
from adserver.access.tokens import AccessToken, Revocation, Role, TokenBook, TokensUnreadable
from adserver.domain.errors import StoreUnavailable

MakeStore = Callable[[], TokenStore]


@pytest.fixture(params=["memory", "fakeredis", "valkey"])
def store(request: pytest.FixtureRequest, valkey: redis.Redis) -> TokenStore:
    if request.param == "memory":
        return MemoryTokenStore()
    if request.param == "fakeredis":
        return RedisTokenStore(fakeredis.FakeRedis(version=(7, 0)))
    return RedisTokenStore(valkey)


def token(name: str = "kim") -> AccessToken:
    return AccessToken(name, Role.MARKETER, ("qwiket",), 1, "ops", 2)


def test_begins_empty(store: TokenStore) -> None:
    assert (store.version(), store.read()) == ("", TokenBook())


def test_returns_what_was_added_and_another_version_each_time(store: TokenStore) -> None:
    book = TokenBook({"a": token(), "b": token("ann")}, {"c": Revocation(3, "boss")})
    assert store.add("", book)
    first = store.version()
    assert store.read() == book
    assert store.add(first, TokenBook({}, {"a": Revocation(4, "boss")}))
    assert store.read().revoked == {"c": Revocation(3, "boss"), "a": Revocation(4, "boss")}
    assert len({"", first, store.version()}) == 3


def test_a_change_for_another_version_writes_nothing(store: TokenStore) -> None:
    assert store.add("", TokenBook({"a": token()}))
    version = store.version()
    assert not store.add("", TokenBook({"b": token()}))
    assert (store.version(), set(store.read().tokens)) == (version, {"a"})


def test_what_is_there_is_never_changed(store: TokenStore) -> None:
    assert store.add("", TokenBook({"a": token()}, {"a": Revocation(1, "boss")}))
    assert store.add(store.version(), TokenBook({"a": token("mallory")}, {"a": Revocation(2, "mallory")}))
    assert store.read() == TokenBook({"a": token()}, {"a": Revocation(1, "boss")})


def test_a_record_of_another_layout_is_not_guessed_at(valkey: redis.Redis) -> None:
    valkey.hset(TOKENS_KEY, "a", "{}")
    with pytest.raises(TokensUnreadable):
        RedisTokenStore(valkey).read()


def test_a_key_of_another_type_is_left_alone(valkey: redis.Redis) -> None:
    valkey.set(TOKENS_KEY, "x")
    with pytest.raises(StoreUnavailable, match="not a hash of tokens"):
        RedisTokenStore(valkey).add("", TokenBook({"a": token()}))
    assert valkey.keys() == [TOKENS_KEY.encode()]


def test_a_server_that_is_gone_is_said_to_be() -> None:
    client = connect(Path("/nowhere/redis.sock"))
    for call in (RedisTokenStore(client).version, RedisTokenStore(client).read):
        with pytest.raises(StoreUnavailable):
            call()
