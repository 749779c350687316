"""Where hosts agree on alerts: in memory and in a real server, one leads, and the book comes back as it was."""

import time
from collections.abc import Callable, Iterator

import pytest
import redis
from alert_scenes import make_alert
from valkey_server import connect, running_valkey

from adserver.alerts.book import NO_BOOK, turn
from adserver.alerts.redis_store import BOOK_KEY, LEADER_KEY, RedisBookStore
from adserver.alerts.store import BookStore, MemoryBookStore
from adserver.domain.errors import StoreUnavailable


@pytest.fixture(scope="module")
def server() -> Iterator[redis.Redis]:
    with running_valkey() as socket, connect(socket) as client:
        yield client


@pytest.fixture(params=["memory", "server"])
def store(request: pytest.FixtureRequest, server: redis.Redis) -> tuple[BookStore, Callable[[float], None]]:
    """Return a store, and what lets time pass for it."""
    if request.param == "memory":
        memory = MemoryBookStore()

        def pass_by(seconds: float) -> None:
            memory.clock[0] += seconds

        return memory, pass_by
    server.flushall()
    return RedisBookStore(server), time.sleep


def test_one_host_leads_until_it_has_not_asked_for_a_while(store: tuple[BookStore, Callable[[float], None]]) -> None:
    books, pass_by = store
    assert books.lead("one", 0.2)
    assert not books.lead("two", 0.2)
    assert books.lead("one", 60)
    pass_by(0.3)
    assert not books.lead("two", 0.2), "asked again in time"
    assert books.lead("one", 0.1)
    pass_by(0.2)
    assert books.lead("two", 60)
    assert not books.lead("one", 60)


def test_a_book_comes_back_as_it_was_written(store: tuple[BookStore, Callable[[float], None]]) -> None:
    books, _ = store
    assert books.read() is None
    book = turn(NO_BOOK, [make_alert()], 100.5, ["mail"])
    books.write(book)
    assert books.read() == book


def test_a_book_of_another_version_is_none(server: redis.Redis) -> None:
    server.set(BOOK_KEY, b'{"version":2}')
    assert RedisBookStore(server).read() is None
    assert (BOOK_KEY, LEADER_KEY) == ("{alerts}:book", "{alerts}:leader")


def test_a_server_that_is_away_is_told() -> None:
    books = RedisBookStore(redis.Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=1.0))
    for ask in (books.read, lambda: books.lead("one", 1.0), lambda: books.write(NO_BOOK)):
        with pytest.raises(StoreUnavailable, match="Redis did not"):
            ask()
