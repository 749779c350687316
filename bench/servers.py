"""The servers that are measured, as real processes in a folder of their own."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from bench.floors import BODY_BYTES
from bench.machine import descendants
from bench.world import campaign_documents, rules_document, slots_document

ROOT: Final = Path(__file__).resolve().parents[1]
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers on loopback. Immutable."""

    name: str
    port: int
    pid: int
    """Of the process that was started."""

    def workers(self) -> list[int]:
        """Return the processes that answer requests."""
        family = descendants(self.pid)
        masters = {pid for pid, command in {self.pid: "gunicorn", **family}.items() if "gunicorn" in command}
        return [
            pid for pid in family if "gunicorn" in family[pid] and masters & {_parent(pid)} and not _has_children(pid)
        ]

    def process(self, *words: str) -> int:
        """Return the one descendant whose command line has one of these words."""
        return next(pid for pid, command in descendants(self.pid).items() if any(word in command for word in words))

    def call(self, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """Make one request, a POST of JSON where there is a body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            data = None if body is None else json.dumps(body).encode()
            kind = {} if body is None else {"Content-Type": "application/json"}
            connection.request("GET" if data is None else "POST", path, data, {**kind, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@contextmanager
def floor(name: str, workers: int, threads: int, body_bytes: int, worker_class: str = "gthread") -> Iterator[Server]:
    """Run one of `bench.floors` under gunicorn, by its own threaded worker or another."""
    port = free_port()
    command = (
        *(sys.executable, "-m", "gunicorn", "--worker-class", worker_class, "--workers", str(workers)),
        *("--threads", str(threads), "--bind", f"127.0.0.1:{port}", "--log-level", "error"),
        f"bench.floors:{name}()",
    )
    with _running(name, port, command, {BODY_BYTES: str(body_bytes)}, "/") as server:
        yield server


@contextmanager
def service(folder: Path, flights: int, workers: int) -> Iterator[Server]:
    """Run `adserver serve` on made-up campaigns: embedded Valkey, keeper and workers, data in `folder`."""
    campaigns = folder / "campaigns"
    campaigns.mkdir()
    (campaigns / "slots.json").write_text(json.dumps(slots_document()))
    (campaigns / "rules.json").write_text(json.dumps(rules_document()))
    for number, document in enumerate(campaign_documents(flights, Random(1))):
        (campaigns / f"sponsor-{number}.json").write_text(json.dumps(document))
    port = free_port()
    environ = {
        "ADSERVER_DATA_DIR": str(folder / "data"),
        "ADSERVER_CAMPAIGNS_DIR": str(campaigns),
        "ADSERVER_WORKERS": str(workers),
    }
    command = (sys.executable, "-m", "adserver.cli.main", "serve", "--port", str(port))
    with _running("ours", port, command, environ, "/readyz") as server:
        yield server


@contextmanager
def _running(
    name: str, port: int, command: tuple[str, ...], environ: Mapping[str, str], probe: str
) -> Iterator[Server]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ADSERVER_")}
    process = subprocess.Popen(
        command, cwd=ROOT, env={**kept, **environ}, stdout=subprocess.DEVNULL, start_new_session=True
    )
    server = Server(name, port, process.pid)
    try:
        await_ready(server, probe, process)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        process.kill()
        process.wait()


def await_ready(server: Server, probe: str, process: "subprocess.Popen[bytes]") -> None:
    """Return once a server answers 200 at `probe`.

    Raises:
        RuntimeError: it ended, or took too long.
    """
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError, http.client.HTTPException):
            if server.call(probe)[0] == 200:
                return
        time.sleep(0.02)  # another process starts, and tells nobody when it listens
    raise RuntimeError(f"the server {server.name} does not answer; exit status {process.poll()}")


def free_port() -> int:
    """Return a port of loopback that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _parent(pid: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def _has_children(pid: int) -> bool:
    return bool(descendants(pid))
