"""`gunicorn wsgi:app` without a supervisor: kill -9 of any of its processes loses nothing that was answered."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from bare_service import BareService, running_bare_service
from load import Load
from service import is_running, kill


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareService]:
    with running_bare_service(tmp_path_factory.mktemp("service")) as service:
        yield service


def run_load_around(service: BareService, pid: int, what: str, restore: Callable[[], None] = lambda: None) -> Load:
    load = Load(service)
    load.start()
    try:
        load.await_answers(40)
        before = load.answered
        kill(pid)
        restore()
        load.await_answers(40)
    finally:
        load.stop()
    print(f"killed {what} {pid}; beacons answered before {before}, after {load.answered - before}")
    assert load.statuses == {200}
    return load


def assert_exact(service: BareService, load: Load, before: int) -> None:
    """Every event answered is counted, none twice; one that was not answered may have been written before the kill.

    `before`: how many were counted before this load.
    """
    service.await_that(lambda: load.answered <= impressions(service) - before <= load.sent)
    time.sleep(1.0)  # long enough for a second application of anything to show
    totals = service.totals()
    counted = totals["impressions"] - before
    print(f"answered {load.answered}, counted {counted}, sent {load.sent}")
    assert load.answered <= counted <= load.sent
    assert totals["invalid"] == 0


def impressions(service: BareService) -> int:
    """Return how many are counted, or -1 while the store is away: the backstage may just have been started again."""
    try:
        return service.totals()["impressions"]
    except AssertionError:
        return -1


def test_kill_of_a_worker_loses_nothing_answered(service: BareService) -> None:
    before, backstage = impressions(service), service.backstage()
    load = run_load_around(service, service.workers()[0], "worker")
    assert_exact(service, load, before)
    assert service.backstage() == backstage


def test_a_second_backstage_goes_quietly(service: BareService) -> None:
    service.backstage()
    done = subprocess.run(
        [sys.executable, "-m", "adserver.cli.main", "backstage"],
        env=service.environ,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_kill_of_the_backstage_loses_nothing_and_another_takes_its_place(service: BareService) -> None:
    before, killed = impressions(service), service.backstage()
    load = run_load_around(service, killed, "backstage")
    assert load.failures == []
    service.await_that(lambda: impressions(service) == before + load.answered)
    assert service.totals()["invalid"] == 0
    assert service.await_backstage_other_than(killed)


def test_kill_of_the_master_loses_nothing_answered_and_the_next_finds_every_count(service: BareService) -> None:
    before, workers = impressions(service), service.workers()

    def start_again() -> None:
        service.await_that(service.has_ended)
        service.await_that(lambda: not any(is_running(pid) for pid in workers))
        service.start()

    load = run_load_around(service, service.pid, "master", start_again)
    assert_exact(service, load, before)


def test_after_the_last_worker_the_backstage_goes_and_all_that_it_has_started(service: BareService) -> None:
    assert service.stop() == 0
    service.await_that(lambda: service.of_this_folder() == {})
