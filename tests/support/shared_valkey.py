"""One Valkey server for all tests that leave a server as it was, but for its keys: fixtures."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from valkey_server import connect, running_valkey


@pytest.fixture(scope="session")
def valkey_socket() -> Iterator[Path]:
    """Where a server listens; it is not empty."""
    with running_valkey() as socket:
        yield socket


@pytest.fixture(scope="session")
def valkey_client(valkey_socket: Path) -> Iterator[redis.Redis]:
    """Its client, for tests that empty the server themselves, as those do that run many examples."""
    with connect(valkey_socket) as client:
        yield client


@pytest.fixture
def valkey(valkey_client: redis.Redis) -> redis.Redis:
    """The client of a server that is empty."""
    valkey_client.flushall()
    return valkey_client
