"""The embedded server as a real process: durable, alone on its files, never an orphan."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from adserver.domain.errors import SettingRefused
from adserver.processes import tether
from adserver.processes.children import Progress
from adserver.processes.embedded_redis import SOCKET_PATH_BYTES, EmbeddedRedis
from adserver.processes.orphans import free_lock, holders
from adserver.processes.redis_binary import find_redis_binary

pytestmark = pytest.mark.processes


@pytest.fixture
def short_path() -> Iterator[Path]:
    """Give a folder whose path is shorter than that of `tmp_path`, which grows with the tests' names and number."""
    with tempfile.TemporaryDirectory(prefix="t") as folder:
        yield Path(folder)


def wait_until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def start(server: EmbeddedRedis) -> "subprocess.Popen[bytes]":
    spec = server.spec(find_redis_binary())
    tie = [sys.executable, "-I", "-S", tether.__file__, str(int(signal.SIGTERM)), str(os.getpid())]
    return subprocess.Popen(
        [*tie, "--lock", str(spec.lock), "--", *spec.argv], env=dict(spec.env), start_new_session=True
    )


def kill(process: "subprocess.Popen[bytes]", number: signal.Signals = signal.SIGKILL) -> None:
    print(f"sending {number.name} to pid {process.pid}")
    process.send_signal(number)
    process.wait(10)


@contextmanager
def running(server: EmbeddedRedis) -> Iterator["subprocess.Popen[bytes]"]:
    server.prepare()
    process = start(server)
    try:
        wait_until(lambda: server.progress() is Progress.READY)
        yield process
    finally:
        if process.poll() is None:
            kill(process)


@contextmanager
def client_of(server: EmbeddedRedis) -> Iterator[redis.Redis]:
    with redis.from_url(server.url, retry=Retry(NoBackoff(), 0), decode_responses=True) as client:
        yield client


def test_it_keeps_everything_and_listens_on_its_socket_only(short_path: Path) -> None:
    server = EmbeddedRedis.of(short_path / "data of a paper")
    with running(server), client_of(server) as client:
        wanted = {
            "port": "0",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "hash-max-listpack-entries": "128",
            "dir": str(short_path / "data of a paper" / "redis"),
        }
        assert client.config_get(*wanted) == wanted
        assert server.socket.stat().st_mode & 0o077 == 0


def test_what_it_answered_survives_kill_9_and_a_stale_socket(short_path: Path) -> None:
    server = EmbeddedRedis.of(short_path)
    with running(server) as process, client_of(server) as client:
        for number in range(100):
            client.hincrby("counts", "a", number)
        kill(process)
    assert server.socket.exists()
    assert server.progress() is Progress.WAITING
    with running(server), client_of(server) as client:
        assert client.hget("counts", "a") == str(sum(range(100)))


def test_sigterm_ends_it_cleanly(short_path: Path) -> None:
    server = EmbeddedRedis.of(short_path)
    with running(server) as process, client_of(server) as client:
        client.set("a", "b")
        kill(process, signal.SIGTERM)
        assert process.returncode == 0
    assert not server.socket.exists()
    with running(server), client_of(server) as client:
        assert client.get("a") == "b"


def test_a_second_server_on_the_same_files_waits_for_the_first_to_end(short_path: Path) -> None:
    server = EmbeddedRedis.of(short_path)
    with running(server) as first, client_of(server) as client:
        second = start(server)
        try:
            wait_until(lambda: second.pid in holders(server.lock))
            assert client.info("server")["process_id"] == first.pid
            client.set("a", "b")
            kill(first)
            wait_until(lambda: server.progress() is Progress.READY)
            assert client.info("server")["process_id"] == second.pid
            assert client.get("a") == "b"
        finally:
            kill(second)


def test_a_server_that_a_killed_service_left_is_ended_before_the_next_starts(short_path: Path) -> None:
    server = EmbeddedRedis.of(short_path)
    with running(server) as orphan, client_of(server) as client:
        client.set("a", "b")
        server.prepare()
        assert orphan.wait(10) == 0
    with running(server), client_of(server) as client:
        assert client.get("a") == "b"


def test_a_left_server_that_hangs_is_killed(short_path: Path) -> None:
    server = EmbeddedRedis.of(short_path)
    with running(server) as orphan:
        print(f"stopping pid {orphan.pid}")
        orphan.send_signal(signal.SIGSTOP)
        free_lock(server.lock, grace_seconds=0.2)
        assert orphan.wait(10) == -signal.SIGKILL


def test_a_free_lock_costs_nothing_and_touches_nobody(short_path: Path) -> None:
    lock = short_path / "lock"
    free_lock(lock, grace_seconds=60)
    lock.touch()
    with lock.open():  # open, but not locked
        free_lock(lock, grace_seconds=60)


def test_it_dies_with_the_process_that_started_it(short_path: Path) -> None:
    server = EmbeddedRedis.of(short_path)
    server.prepare()
    spec = server.spec(find_redis_binary())
    parent = subprocess.Popen([sys.executable, "-c", PARENT, tether.__file__, str(spec.lock), *spec.argv])
    wait_until(lambda: server.progress() is Progress.READY)
    assert holders(server.lock)
    kill(parent)
    wait_until(lambda: not holders(server.lock))


PARENT = """
import os, subprocess, sys, time
tether, lock, *argv = sys.argv[1:]
subprocess.Popen([sys.executable, "-I", "-S", tether, "15", str(os.getpid()), "--lock", lock, "--", *argv])
time.sleep(60)
"""


def test_a_folder_too_deep_for_a_socket_has_it_in_a_short_place_of_this_user(
    short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(short_path))
    deep = short_path / ("x" * 60) / ("y" * 60)
    server = EmbeddedRedis.of(deep)
    assert len(os.fsencode(server.socket)) <= SOCKET_PATH_BYTES
    assert server == EmbeddedRedis.of(deep)
    assert server.socket != EmbeddedRedis.of(deep / "z").socket
    assert server.socket.parent.stat().st_mode & 0o777 == 0o700
    with running(server), client_of(server) as client:
        assert client.ping()


def test_where_every_place_is_too_deep_a_shorter_path_is_asked_for(
    short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(short_path / ("z" * 90)))
    with pytest.raises(SettingRefused, match=r"ADSERVER_DATA_DIR: .* takes a shorter path"):
        EmbeddedRedis.of(short_path / ("x" * 60) / ("y" * 60))


@pytest.mark.parametrize("trap", ["link", "open folder", "file"])
def test_a_short_place_that_somebody_else_may_write_is_refused(
    short_path: Path, monkeypatch: pytest.MonkeyPatch, trap: str
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(short_path))
    deep = short_path / ("x" * 60) / ("y" * 60)
    short = EmbeddedRedis.of(deep).socket.parent
    short.rmdir()
    if trap == "link":
        (short_path / "elsewhere").mkdir(mode=0o700)
        short.symlink_to(short_path / "elsewhere")
    elif trap == "file":
        short.touch()
    else:
        short.mkdir()
        short.chmod(0o777)
    with pytest.raises(SettingRefused, match="ADSERVER_DATA_DIR"):
        EmbeddedRedis.of(deep)
