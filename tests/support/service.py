"""The whole service as real processes, in a folder of its own on a free port: embedded Redis, keeper, two workers."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ports import free_port
from sample import copy_sample

ROOT = Path(__file__).resolve().parents[2]
READER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36"}
QUERY_SECONDS = 0.05
"""Between two queries: a token may send 20 a second for ever."""
STORE_SECONDS = 10.0
"""How long a store is asked again that does not answer in time."""
PATIENCE_SECONDS = 120.0
"""How long what must come is waited for: a limit for what is broken, far beyond what a busy machine takes."""
METRICS = ("decisions", "fills", "impressions", "viewable", "clicks", "invalid")


class Service:
    """`adserver serve` on a copy of the sample campaigns."""

    python: tuple[str, ...] = (sys.executable,)
    """What runs it, with what holds it."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        self.campaigns = folder / "campaigns"
        if not self.campaigns.exists():
            copy_sample(self.campaigns)
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.data_dir = folder / "data"
        self.output = folder / "output.txt"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ADSERVER_")}
        self.environ = {
            **kept,
            "PYTHONPATH": str(ROOT),
            "ADSERVER_DATA_DIR": str(self.data_dir),
            "ADSERVER_CAMPAIGNS_DIR": str(self.campaigns),
            "ADSERVER_DEMO": "yes",
            **environ,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._next_query = 0.0

    # --- life ---

    def start(self, *arguments: str) -> None:
        """Start it and wait until it says that it is up."""
        with self.output.open("ab") as output:
            start = output.tell()
            command = (*self.python, "-m", "adserver.cli.main", "serve", "--port", str(self.port), *arguments)
            self._process = subprocess.Popen(
                command, cwd=self.folder, env=self.environ, stdout=output, stderr=output, start_new_session=True
            )
        self.await_that(lambda: b"adserver is up" in self.output.read_bytes()[start:] or self.has_ended())
        assert not self.has_ended(), self.said()

    def has_ended(self) -> bool:
        """Tell whether the supervisor's process is gone."""
        return self._process is None or self._process.poll() is not None

    def stop(self) -> int:
        """Ask it to end, as Ctrl-C or SIGTERM do; return its exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        status = self._process.wait(30)
        self._process = None
        return status

    def end(self) -> None:
        """Leave nothing running, whatever became of the test."""
        if self._process is None:
            return
        family = [self._process.pid, *self.pids()]
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(15)
        for pid in family:
            kill(pid)
        self._process.wait(5)
        self._process = None

    def said(self) -> str:
        """Return all that it has printed."""
        return self.output.read_text()

    # --- processes ---

    @property
    def pid(self) -> int:
        """The supervisor's."""
        assert self._process is not None
        return self._process.pid

    def pids(self) -> dict[int, str]:
        """Return its descendants with their command lines."""
        return descendants(self.pid)

    def pid_of(self, word: str) -> int:
        """Return the pid of the one descendant whose command line has a word (the parent's, of a family)."""
        return min(pid for pid, command in self.pids().items() if word in command)

    def workers(self) -> list[int]:
        """Return the pids of the gunicorn workers, not of the processes that take uploads for them."""
        master = self.pid_of("gunicorn")
        return sorted(pid for pid, command in descendants(master).items() if "gunicorn" in command)

    # --- calls ---

    def call(
        self, path: str, *, body: object = None, headers: Mapping[str, str] = READER, method: str | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Make one request on a connection of its own; redirects are not followed.

        Raises:
            OSError, http.client.HTTPException: it was not answered.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            data = None if body is None else json.dumps(body).encode()
            kind = {} if body is None else {"Content-Type": "application/json"}
            connection.request(method or ("GET" if data is None else "POST"), path, data, {**kind, **headers})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def decide(self, slot: str = "masthead", query: str = "?location=Remer,MN") -> dict[str, Any]:
        """Ask for a slot and return the decision, which must be a fill."""
        status, headers, body = self.call(f"/v1/slots/{slot}{query}")
        assert status == 200, (status, headers.get("Sponsor-No-Fill"))
        decision: dict[str, Any] = json.loads(body)
        return decision

    def admin(self) -> dict[str, str]:
        """Return the header of the admin token."""
        token = (self.data_dir / "admin-token").read_text().strip()
        return {"Authorization": f"Bearer {token}"}

    def counts(self, *dimensions: str) -> dict[tuple[str, ...], dict[str, int]]:
        """Return today's and yesterday's metrics by dimensions, no faster than the service lets a token ask.

        A store that answers too late on a busy machine is asked again, as the service then says.
        """
        query = {"metrics": list(METRICS), "dimensions": list(dimensions), "date_range": "7d"}
        status, began = 503, time.monotonic()
        while status == 503 and time.monotonic() - began < STORE_SECONDS:
            time.sleep(max(0.0, self._next_query - time.monotonic()))
            self._next_query = time.monotonic() + QUERY_SECONDS
            status, _, body = self.call("/v1/query", body=query, headers=self.admin())
        assert status == 200, body
        return {
            tuple(row["dimensions"]): dict(zip(METRICS, row["metrics"], strict=True))
            for row in json.loads(body)["results"]
        }

    def totals(self) -> dict[str, int]:
        """Return the metrics of all."""
        return self.counts()[()]

    def await_counts(self, seconds: float = PATIENCE_SECONDS, **wanted: int) -> dict[str, int]:
        """Return the totals once they have the numbers wanted; fail with those that came instead."""
        last: dict[str, int] = {}

        def there() -> bool:
            nonlocal last
            try:
                last = self.totals()
            except (OSError, AssertionError, http.client.HTTPException):
                return False
            return all(last[metric] == number for metric, number in wanted.items())

        try:
            self.await_that(there, seconds)
        except TimeoutError:
            raise AssertionError(f"wanted {wanted}, have {last}") from None
        return last

    @staticmethod
    def await_that(condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> float:
        """Wait until a condition holds; return after how many seconds it did.

        Raises:
            TimeoutError: it never did.
        """
        start = time.monotonic()
        while not condition():
            if time.monotonic() - start > seconds:
                raise TimeoutError
            time.sleep(0.02)  # what is awaited happens in other processes, which tell nobody
        return time.monotonic() - start


@contextmanager
def running_service(folder: Path, *arguments: str, **environ: str) -> Iterator[Service]:
    """Start a service, and leave nothing of it running."""
    service = Service(folder, **environ)
    try:
        service.start(*arguments)
        yield service
    finally:
        service.end()


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to a process that may be gone."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def is_running(pid: int) -> bool:
    """Tell whether a process is there and not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def descendants(pid: int) -> dict[int, str]:
    """Return the living descendants of a process, with their command lines."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found: dict[int, str] = {}
    generation = {pid}
    while generation:
        generation = {child for child, parent in parents.items() if parent in generation}
        for child in generation:
            try:
                command = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if command and is_running(child):
                found[child] = command
    return found
