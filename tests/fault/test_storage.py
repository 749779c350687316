"""A disk that is full, read-only or damaged under the real service: pages go on, every event is counted or declared."""

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from ports import free_port
from service import Service, kill, running_service
from small_disk import bound_files, fill, own_disk

from adserver.counting.drops import dropped_events
from adserver.counting.records import RECORD_BYTES, Corrupt, Record, RecordKind, decode
from adserver.processes.embedded_redis import EmbeddedRedis

FULL = "events cannot be written and are dropped"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running_service(tmp_path) as service:
        yield service


def spools(service: Service) -> Path:
    return service.data_dir / "spools"


def segments(service: Service) -> list[Path]:
    return sorted(spools(service).glob("*/*.spool"))


def drops(service: Service) -> dict[str, int]:
    """Return what Redis was told was dropped, by kind; the spools' summed."""
    with redis.Redis.from_url(EmbeddedRedis.of(service.data_dir).url) as client:
        found = client.hgetall("{s0}:drops")
    summed: dict[str, int] = {}
    for name, count in found.items():
        kind = name.decode().partition(":")[0]
        summed[kind] = summed.get(kind, 0) + int(count)
    return summed


def warnings(service: Service) -> str:
    """Return what a worker warns of, once it is ready: one that has just begun waits for its first grants."""
    service.await_that(lambda: service.call("/readyz")[0] == 200)
    return " ".join(json.loads(service.call("/readyz")[2])["warnings"])


@dataclass
class Readers:
    """Sends beacons, each of a decision of its own, and knows how many were answered."""

    service: Service
    answered: int = 0

    def see(self, times: int) -> None:
        for _ in range(times):
            token = self.service.decide()["token"]
            assert self.service.call(f"/v1/seen/{token}.gif")[0] == 200
            assert self.service.call("/v1/slots/masthead.html?location=Remer,MN")[0] == 200
            self.answered += 1

    def assert_all_counted_or_declared(self) -> int:
        """Return how many were declared as dropped; counted and declared must be all that were answered."""
        self.service.await_that(self._is_accounted_for)
        dropped = dropped_events(spools(self.service))
        self.service.await_counts(impressions=self.answered - dropped, invalid=0)
        self.service.await_that(lambda: drops(self.service).get("spool", 0) == dropped)
        print(f"answered {self.answered}, counted {self.answered - dropped}, declared as dropped {dropped}")
        return dropped

    def _is_accounted_for(self) -> bool:
        """Tell whether all is counted or declared; a worker that had no spool yet declares when it gets one."""
        return self.service.totals()["impressions"] + dropped_events(spools(self.service)) == self.answered


# --- full ---


def test_on_a_full_disk_pages_go_on_and_what_is_dropped_is_declared_exactly(tmp_path: Path) -> None:
    with ExitStack() as stack:
        on_disk = stack.enter_context(own_disk(tmp_path / "data"))
        service = stack.enter_context(running_service(tmp_path))
        readers = Readers(service)
        readers.see(10)
        service.await_counts(impressions=10)
        service.await_that(lambda: len(list(spools(service).glob("*/header"))) == 2)  # each worker has its own
        free = fill(service.data_dir) if on_disk else bound_files(list(service.pids()), 4096)

        readers.see(120)
        service.await_that(lambda: FULL in warnings(service))
        assert "spool.cannot_write" in service.said()

        pid = service.workers()[0]
        print(f"kill worker {pid} while the disk is full: {on_disk=}")
        kill(pid)
        service.await_that(lambda: answers(service))
        readers.see(20)

        free()
        readers.see(10)
        service.await_that(lambda: both_write_again(service, readers))
        assert readers.assert_all_counted_or_declared() > 0
        assert service.said().count("spool.cannot_write") <= 3  # once for each worker, and for the new one


def answers(service: Service) -> bool:
    try:
        return service.call("/v1/slots/masthead")[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def both_write_again(service: Service, readers: Readers) -> bool:
    readers.see(1)
    return FULL not in warnings(service)


def test_a_worker_whose_writes_are_cut_short_leaves_no_half_record(service: Service) -> None:
    readers = Readers(service)
    readers.see(10)
    service.await_counts(impressions=10)
    size = max(path.stat().st_size for path in segments(service))
    lift = bound_files(service.workers(), size + RECORD_BYTES + 17)  # one record more, and a part of the next

    readers.see(40)
    lift()
    readers.see(20)

    assert readers.assert_all_counted_or_declared() > 0
    for path in segments(service):
        assert path.stat().st_size % RECORD_BYTES == 0
        assert not any(isinstance(record, Corrupt) for record in decode(path.read_bytes()))
    assert drops(service).get("corrupt", 0) == 0


# --- read-only ---


@contextmanager
def read_only(folder: Path, *, on_disk: bool) -> Iterator[None]:
    """Have a folder that takes no write."""
    paths = [folder, *folder.rglob("*")]
    if on_disk:
        subprocess.run(("mount", "-o", "remount,ro", str(folder)), check=True)
    else:
        for path in paths:
            path.chmod(path.stat().st_mode & ~0o222)
    try:
        yield
    finally:
        if on_disk:
            subprocess.run(("mount", "-o", "remount,rw", str(folder)), check=True)
        else:
            for path in paths:
                path.chmod(path.stat().st_mode | 0o200)


@contextmanager
def running_worker(service: Service) -> Iterator[None]:
    """Start only what answers pages, as the supervisor does when a worker has ended."""
    gunicorn = (sys.executable, "-m", "gunicorn", "--config", "python:adserver.processes.gunicorn_conf")
    bind = ("--bind", f"127.0.0.1:{service.port}", "--workers", "1", "adserver.runtime.worker:create_wsgi_app()")
    with (service.folder / "worker.txt").open("wb") as output:
        process = subprocess.Popen((*gunicorn, *bind), env=service.environ, stdout=output, stderr=output)
    try:
        service.await_that(lambda: answers(service) or process.poll() is not None)
        yield
    finally:
        process.terminate()
        process.wait(20)


def test_a_worker_that_starts_on_a_read_only_disk_serves_from_the_last_good_copy(tmp_path: Path) -> None:
    with own_disk(tmp_path / "data") as on_disk:
        with running_service(tmp_path) as service:
            Readers(service).see(1)
            service.await_counts(impressions=1)
        with read_only(service.data_dir, on_disk=on_disk):
            if not on_disk and os.geteuid() == 0:
                raise AssertionError("root can write everywhere, and may not mount: run as somebody else")
            service.port = free_port()
            with running_worker(service):
                Readers(service).see(5)
                assert FULL in warnings(service)
                said = (tmp_path / "worker.txt").read_text()
                assert said.count("spool.cannot_write") == 1
                assert "Read-only" in said or "Permission denied" in said


def test_a_start_on_a_read_only_disk_is_refused_with_the_setting(tmp_path: Path) -> None:
    with own_disk(tmp_path / "data") as on_disk:
        service = Service(tmp_path)
        with read_only(service.data_dir, on_disk=on_disk):
            command = (sys.executable, "-m", "adserver.cli.main", "serve", "--port", str(service.port))
            done = subprocess.run(command, env=service.environ, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 1
        assert "ADSERVER_DATA_DIR" in done.stderr


# --- damaged ---


def records_of(paths: Sequence[Path]) -> list[Record | Corrupt]:
    return [record for path in paths for record in decode(path.read_bytes())]


def fills_written(service: Service) -> int:
    return sum(
        record.times
        for record in records_of(segments(service))
        if isinstance(record, Record) and record.kind == RecordKind.FILL
    )


def test_of_a_damaged_spool_the_good_records_count_and_the_bad_are_put_aside(service: Service) -> None:
    keeper = service.pid_of("main keeper")
    kill(keeper, signal.SIGSTOP)
    print(f"stopped keeper {keeper}")
    tokens = [service.decide()["token"] for _ in range(20)]
    for token in tokens:
        assert service.call(f"/v1/seen/{token}.gif")[0] == 200
    service.await_that(lambda: fills_written(service) == 20)  # from here on the workers write nothing more

    segment = max(segments(service), key=lambda path: path.stat().st_size)
    data = segment.read_bytes()
    seen = [number for number, record in enumerate(decode(data)) if is_seen(record)]
    bad = seen[len(seen) // 2] * RECORD_BYTES
    damaged = bytes([*data[:bad], data[bad] ^ 1, *data[bad + 1 :]])
    segment.write_bytes(damaged + b"torn in the midst")
    workers = service.workers()
    for worker in workers:
        kill(worker)
    print(f"killed workers {workers}; one record damaged at {bad}, one torn at {len(data)}, of {len(data)} bytes")
    service.await_that(lambda: answers(service) and segment.stat().st_size % RECORD_BYTES == 0)
    kill(keeper, signal.SIGCONT)

    service.await_counts(impressions=19, invalid=0)
    service.await_that(lambda: drops(service) == {"corrupt": 1})
    spool_id = (segment.parent / "header").read_bytes()[8:16].hex()
    [kept] = (service.data_dir / "quarantine").iterdir()
    assert kept.name == f"{spool_id}-{bad:020d}.bad"
    assert kept.read_bytes() == damaged[bad : bad + RECORD_BYTES]
    assert "quarantine/" in warnings(service)
    assert "spool.corrupt" in service.said()

    kept.unlink()
    assert "quarantine/" not in warnings(service)
    more = Readers(service)
    more.see(5)
    service.await_counts(impressions=24)


def is_seen(record: Record | Corrupt) -> bool:
    return isinstance(record, Record) and record.kind == RecordKind.SEEN
