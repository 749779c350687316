"""What cannot start: said once and clearly, in the way of nothing else, and no reason not to stop when asked."""

import http.client
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service import ROOT, Service, kill, running_service


@contextmanager
def starting(service: Service) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a service that does not come up, and leave nothing of it running."""
    with service.output.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "adserver.cli.main", "serve", "--port", str(service.port)],
            cwd=service.folder,
            env=service.environ,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        kill(process.pid)  # its children go with it
        process.wait(10)


def stop(process: "subprocess.Popen[bytes]") -> tuple[int, float]:
    """Ask it to end; return its status and how many seconds it took."""
    asked = time.monotonic()
    process.send_signal(signal.SIGTERM)
    return process.wait(30), time.monotonic() - asked


def test_a_redis_that_cannot_start_is_said_once_and_pages_go_on(tmp_path: Path) -> None:
    with running_service(tmp_path, ADSERVER_WORKERS="1") as first:
        first.decide()
        assert first.stop() == 0
    [manifest] = (first.data_dir / "redis").rglob("*.manifest")
    manifest.write_text("no manifest\n")
    service = Service(tmp_path)

    with starting(service) as process:
        said = "redis ended 5 times in a row (last: exit 1)"
        service.await_that(lambda: said in service.said())
        token = service.decide()["token"]
        assert service.call(f"/v1/seen/{token}.gif")[0] == 200
        service.await_that(lambda: redis_starts(service) >= 6)
        assert service.said().count(said) == 1
        assert service.said().count("redis ended") == 5
        status, seconds = stop(process)

    assert status == 0
    assert seconds < 10


def redis_starts(service: Service) -> int:
    """Return how many times the server's log has the fault of a start."""
    return (service.data_dir / "redis" / "server.log").read_text().count("Invalid AOF manifest")


def test_an_application_that_cannot_start_is_said_once_and_callers_are_refused_not_kept_waiting(tmp_path: Path) -> None:
    code = tmp_path / "code"
    shutil.copytree(ROOT / "adserver", code / "adserver", ignore=shutil.ignore_patterns("__pycache__"))
    worker = code / "adserver" / "runtime" / "worker.py"
    worker.write_text("def create_wsgi_app():\n    raise RuntimeError('broken by its author')\n")
    service = Service(tmp_path, PYTHONPATH=str(code))

    with starting(service) as process:
        said = "web ended 5 times in a row"
        service.await_that(lambda: said in service.said())
        assert "broken by its author" in service.said()
        assert service.said().count(said) == 1
        service.await_that(lambda: is_refused(service))
        status, seconds = stop(process)

    assert status == 0
    assert seconds < 10


def is_refused(service: Service) -> bool:
    try:
        service.call("/healthz")
    except ConnectionRefusedError:
        return True
    except (OSError, http.client.HTTPException):
        return False
    return False


def test_a_redis_that_hangs_is_said_once_and_said_when_it_is_back(tmp_path: Path) -> None:
    with running_service(tmp_path, ADSERVER_WORKERS="1") as service:
        token = service.decide()["token"]
        pid = service.pid_of("valkey-server")
        print(f"stopping redis {pid}")
        os.kill(pid, signal.SIGSTOP)
        try:
            assert service.call(f"/v1/seen/{token}.gif")[0] == 200
            service.await_that(lambda: "counting waits for Redis, pages go on" in service.said())
            assert service.decide()["advertiser"]["id"] == "qwiket"
        finally:
            os.kill(pid, signal.SIGCONT)
        service.await_that(lambda: "Redis is back" in service.said())
        assert service.said().count("counting waits for Redis") == 1
        service.await_counts(impressions=1, invalid=0)


def test_a_stop_while_redis_hangs_takes_less_than_ten_seconds_and_loses_nothing(tmp_path: Path) -> None:
    with running_service(tmp_path, ADSERVER_WORKERS="1") as service:
        for times, number in enumerate((signal.SIGTERM, signal.SIGINT), start=1):
            token = service.decide()["token"]
            pid = service.pid_of("valkey-server")
            print(f"stopping redis {pid}, then {number.name} to {service.pid}")
            os.kill(pid, signal.SIGSTOP)
            assert service.call(f"/v1/seen/{token}.gif")[0] == 200
            asked = time.monotonic()
            os.kill(service.pid, number)
            service.await_that(service.has_ended)
            assert time.monotonic() - asked < 10

            service.start()
            service.await_counts(impressions=times, decisions=times, invalid=0)
