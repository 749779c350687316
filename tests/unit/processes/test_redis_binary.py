"""Which Redis server is embedded."""

import stat
from pathlib import Path

import pytest

from adserver.processes import redis_binary
from adserver.processes.redis_binary import NoRedisServer, find_redis_binary, packaged_binary


def server(folder: Path, name: str, version: str) -> Path:
    """Put a program into `folder` that tells a version as the real ones do."""
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{version}'\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def without_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_binary, "packaged_binary", lambda: None)


def test_the_packages_own_server_comes_first(tmp_path: Path) -> None:
    server(tmp_path, "valkey-server", "Valkey server v=9.0.0 sha=00000000:0")
    assert find_redis_binary(str(tmp_path)) == packaged_binary()
    assert find_redis_binary(str(tmp_path)).name == "valkey-server"


@pytest.mark.usefixtures("without_package")
def test_valkey_on_the_path_comes_before_redis(tmp_path: Path) -> None:
    server(tmp_path, "redis-server", "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64")
    assert find_redis_binary(str(tmp_path)) == tmp_path / "redis-server"
    server(tmp_path, "valkey-server", "Valkey server v=8.1.0 sha=00000000:0")
    assert find_redis_binary(str(tmp_path)) == tmp_path / "valkey-server"


@pytest.mark.usefixtures("without_package")
def test_an_old_server_is_passed_over_for_a_newer_one(tmp_path: Path) -> None:
    server(tmp_path, "valkey-server", "odd words")
    server(tmp_path, "redis-server", "Redis server v=10.0.0 sha=0")
    assert find_redis_binary(str(tmp_path)).name == "redis-server"


@pytest.mark.usefixtures("without_package")
def test_where_there_is_none_the_person_is_told_what_to_do_and_what_was_found(tmp_path: Path) -> None:
    with pytest.raises(NoRedisServer, match="ADSERVER_REDIS_URL"):
        find_redis_binary(str(tmp_path))
    server(tmp_path, "redis-server", "Redis server v=6.0.16 sha=00000000:0")
    with pytest.raises(NoRedisServer, match="redis-server, version 6"):
        find_redis_binary(str(tmp_path))
