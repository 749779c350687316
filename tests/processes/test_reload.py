"""SIGHUP to the service: new workers and a new keeper, on the code of now, without a failed request or a lost count."""

import http.client
import json
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Self

from load import Load
from service import READER, ROOT, Service, is_running, kill, running_service

_THINK_SECONDS = 0.005
"""Between two requests of one reader: the processors load the new code meanwhile."""


def hang_up(service: Service, outcome: str) -> None:
    """Send SIGHUP and wait until the service says what came of it."""
    said = service.said().count(outcome)
    os.kill(service.pid, signal.SIGHUP)
    service.await_that(lambda: service.said().count(outcome) > said)


def keeper_of(service: Service) -> int:
    """Return the keeper's pid, once it is at work: it loads its code first."""

    def at_work() -> int:
        written = json.loads((service.data_dir / "keeper.json").read_text())["pid"]
        return int(written) if is_running(written) else 0

    service.await_that(lambda: at_work() > 0)
    return at_work()


def await_all_workers(service: Service) -> None:
    """Wait until every worker has loaded the application: a thread of its own is the last thing that it starts."""
    service.await_that(lambda: len(service.workers()) == 2 and all(map(has_threads, service.workers())))


def has_threads(pid: int) -> bool:
    try:
        return len(list(Path(f"/proc/{pid}/task").iterdir())) > 1
    except OSError:
        return False


class KeptConnection:
    """One reader on one connection, which is opened anew only where the server has said that it closes it."""

    def __init__(self, service: Service) -> None:
        self._port = service.port
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self.answered = 0
        self.failures: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._stop.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
            try:
                while not self._stop.wait(_THINK_SECONDS):
                    connection.request("GET", "/v1/slots/masthead?location=Remer,MN", headers=READER)
                    response = connection.getresponse()
                    response.read()
                    assert response.status == 200
                    self.answered += 1
                    if response.will_close:
                        break
            except (OSError, http.client.HTTPException, AssertionError) as failure:
                self.failures.append(repr(failure))
            finally:
                connection.close()


def test_no_request_fails_over_several_reloads_every_count_is_exact_and_only_redis_stays(tmp_path: Path) -> None:
    with running_service(tmp_path, "--watch") as service:
        redis = service.pid_of("valkey-server")
        before = set(service.pids()) - {redis}
        load = Load(service, threads=3)
        load.start()
        workers, keepers = [set(service.workers())], [keeper_of(service)]
        try:
            with KeptConnection(service) as kept:
                for _ in range(3):
                    load.await_answers(20)
                    hang_up(service, "\nreloaded\n")
                    workers.append(set(service.workers()))
                    keepers.append(keeper_of(service))
                load.await_answers(20)
        finally:
            load.stop()

        print(f"reloads 3; answered {load.answered} beacons, {load.decided + kept.answered} decisions")
        assert load.failures == []
        assert kept.failures == []
        assert load.statuses == {200}
        assert all(before.isdisjoint(after) for before, after in pairwise(workers))
        assert len(set(keepers)) == 4
        decided = load.decided + kept.answered
        service.await_counts(impressions=load.answered, decisions=decided, fills=decided, invalid=0)
        assert service.pid_of("valkey-server") == redis
        assert [pid for pid in before if is_running(pid)] == []
        assert len(service.pids()) == len(before) + 1


@contextmanager
def service_on_a_copy(folder: Path) -> Iterator[tuple[Service, Path]]:
    """Run the service on a copy of the code, as an upgrade in place would change it."""
    code = folder / "code"
    shutil.copytree(ROOT / "adserver", code / "adserver", ignore=shutil.ignore_patterns("__pycache__"))
    with running_service(folder, PYTHONPATH=str(code)) as service:
        yield service, code / "adserver"


def test_new_code_is_served_after_a_reload_and_code_that_does_not_start_changes_nothing(tmp_path: Path) -> None:
    with service_on_a_copy(tmp_path) as (service, code):
        health = code / "web" / "health.py"
        kept = health.read_text()
        assert '"alive"' in kept

        health.write_text(kept.replace('"alive"', '"alive and new"'))
        hang_up(service, "\nreloaded\n")
        assert json.loads(service.call("/healthz")[2])["status"] == "alive and new"

        workers, keeper = service.workers(), keeper_of(service)  # the new ones
        health.write_text(kept + "\nthis is no Python\n")
        hang_up(service, "all goes on as before: web-3 ended before it was up")
        assert json.loads(service.call("/healthz")[2])["status"] == "alive and new"
        assert (service.workers(), keeper_of(service)) == (workers, keeper)
        token = service.decide()["token"]
        assert service.call(f"/v1/seen/{token}.gif")[0] == 200
        service.await_counts(impressions=1)

        health.write_text(kept)
        hang_up(service, "\nreloaded\n")
        assert json.loads(service.call("/healthz")[2])["status"] == "alive"


def test_keys_or_a_catalog_that_cannot_be_read_at_a_reload_keep_the_old_workers(tmp_path: Path) -> None:
    with running_service(tmp_path) as service:
        await_all_workers(service)
        token = service.decide()["token"]
        keys = service.data_dir / "secret-keys"
        kept = keys.read_text()
        keys.write_text("no key\n")

        hang_up(service, "all goes on as before")

        assert "secret-keys is damaged" in service.said()
        assert service.call(f"/v1/seen/{token}.gif")[0] == 200
        service.await_counts(impressions=1)
        keys.write_text(kept)

        stopped = keeper_of(service)
        os.kill(stopped, signal.SIGSTOP)  # else it writes the file anew
        try:
            (service.data_dir / "catalog.snapshot").write_bytes(b"no catalog")
            hang_up(service, "all goes on as before")
        finally:
            kill(stopped, signal.SIGCONT)

        assert service.decide()["advertiser"]["id"] == "qwiket"
