"""kill -9 of each process of the service, under load: what was answered is counted, once; pages go on."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from load import Load
from service import Service, free_port, kill, running_service
from valkey_server import running_valkey


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running_service(tmp_path) as service:
        yield service


def run_load_around(service: Service, pid: int, what: str) -> Load:
    load = Load(service)
    load.start()
    try:
        load.await_answers(60)
        before = load.answered
        kill(pid)
        load.await_answers(60)
    finally:
        load.stop()
    print(f"killed {what} {pid}; events answered before {before}, after {load.answered - before}")
    assert load.statuses == {200}
    return load


def assert_exact(service: Service, load: Load) -> None:
    """Every event answered is counted, none twice; one that was not answered may have been written before the kill."""
    service.await_that(lambda: load.answered <= service.totals()["impressions"] <= load.sent, 30)
    time.sleep(1.0)  # long enough for a second application of anything to show
    totals = service.totals()
    print(f"answered {load.answered}, counted {totals['impressions']}, sent {load.sent}")
    assert load.answered <= totals["impressions"] <= load.sent
    assert totals["invalid"] == 0


def test_kill_of_a_worker_loses_nothing_answered(service: Service) -> None:
    load = run_load_around(service, service.workers()[0], "worker")

    assert_exact(service, load)


def test_kill_of_the_web_master_loses_nothing_answered(service: Service) -> None:
    load = run_load_around(service, service.pid_of("gunicorn"), "gunicorn master")

    assert_exact(service, load)


def test_kill_of_the_keeper_loses_nothing_and_counting_goes_on(service: Service) -> None:
    load = run_load_around(service, service.pid_of("main keeper"), "keeper")

    assert load.sent == load.answered
    service.await_counts(30, impressions=load.answered, invalid=0)


def test_kill_of_redis_loses_nothing_and_pages_go_on(service: Service) -> None:
    load = run_load_around(service, service.pid_of("valkey-server"), "redis")

    assert load.sent == load.answered
    service.await_counts(30, impressions=load.answered, invalid=0)


def test_kill_of_the_supervisor_ends_the_family_and_the_next_start_has_every_count(service: Service) -> None:
    load = Load(service)
    load.start()
    load.await_answers(60)
    family, pid = service.pids(), service.pid
    kill(pid)
    service.await_that(service.has_ended)
    load.stop()
    print(f"killed supervisor {pid}; events answered {load.answered}")
    service.await_that(lambda: not any(is_left(one) for one in family), 15)

    service.start()

    assert_exact(service, load)


def is_left(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_while_redis_is_stopped_pages_and_beacons_are_answered_and_counted_after(service: Service) -> None:
    pid = service.pid_of("valkey-server")
    kill(pid, signal.SIGSTOP)
    try:
        with ThreadPoolExecutor(4) as pool:
            tokens = list(pool.map(lambda _: service.decide()["token"], range(40)))
            statuses = list(pool.map(lambda token: service.call(f"/v1/seen/{token}.gif")[0], tokens))
    finally:
        kill(pid, signal.SIGCONT)
    print(f"stopped redis {pid}; events answered while it was stopped: {statuses.count(200)}")

    assert statuses == [200] * 40
    service.await_counts(30, impressions=40, fills=40, invalid=0)


def test_a_start_without_redis_serves_the_last_good_catalog(tmp_path: Path) -> None:
    with running_service(tmp_path) as first:
        first.decide()
    service = Service(tmp_path, ADSERVER_REDIS_URL=f"unix://{tmp_path}/nowhere.sock")
    try:
        service.start()
        token = service.decide()["token"]
        assert service.call(f"/v1/seen/{token}.gif")[0] == 200
    finally:
        service.end()


def test_a_first_start_without_redis_publishes_when_it_comes(tmp_path: Path) -> None:
    port = free_port()
    service = Service(tmp_path, ADSERVER_REDIS_URL=f"redis://127.0.0.1:{port}/0")
    try:
        with ThreadPoolExecutor(1) as pool:
            start = pool.submit(service.start)  # it is up once it has something to serve
            service.await_that(lambda: answers_unready(service), 30)
            with running_valkey(port=port):
                start.result()
                service.await_that(lambda: all(service.call("/readyz")[0] == 200 for _ in range(8)))  # both workers
                token = service.decide()["token"]
                assert service.call(f"/v1/seen/{token}.gif")[0] == 200
                service.await_counts(impressions=1)
                assert "published as revision 1" in service.said()
    finally:
        service.end()


def answers_unready(service: Service) -> bool:
    try:
        return service.call("/readyz")[0] == 503
    except OSError:
        return False
