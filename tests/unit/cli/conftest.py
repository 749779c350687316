"""Where the commands of a marketer are typed: a copy of the sample folder, and an empty Redis."""

from pathlib import Path

import pytest
from command_host import Host
from redis import Redis


@pytest.fixture
def host(tmp_path: Path, valkey: Redis, valkey_socket: Path) -> Host:
    return Host(tmp_path, valkey, valkey_socket)
