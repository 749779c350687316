"""kill -9 of the supervisor and of the Redis that it brings along, and starts without any Redis."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from load import Load
from ports import free_port
from service import Service, kill, running_service
from valkey_server import running_valkey


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("service")) as service:
        yield service


def assert_exact(service: Service, load: Load, before: int) -> None:
    """Every event answered is counted, none twice; one that was not answered may have been written before the kill.

    `before`: how many were counted before this load.
    """
    service.await_that(lambda: load.answered <= service.totals()["impressions"] - before <= load.sent)
    time.sleep(1.0)  # long enough for a second application of anything to show
    totals = service.totals()
    counted = totals["impressions"] - before
    print(f"answered {load.answered}, counted {counted}, sent {load.sent}")
    assert load.answered <= counted <= load.sent
    assert totals["invalid"] == 0


def test_kill_of_the_embedded_redis_loses_nothing_and_it_is_started_again(service: Service) -> None:
    counted = service.totals()["impressions"]
    load = Load(service)
    load.start()
    try:
        load.await_answers(60)
        before, pid = load.answered, service.pid_of("valkey-server")
        kill(pid)
        load.await_answers(60)
    finally:
        load.stop()
    print(f"killed redis {pid}; events answered before {before}, after {load.answered - before}")

    assert load.statuses == {200}
    assert load.sent == load.answered
    service.await_counts(impressions=counted + load.answered, invalid=0)


def test_kill_of_the_supervisor_ends_the_family_and_the_next_start_has_every_count(service: Service) -> None:
    counted = service.totals()["impressions"]
    load = Load(service)
    load.start()
    load.await_answers(60)
    family, pid = service.pids(), service.pid
    kill(pid)
    service.await_that(service.has_ended)
    load.stop()
    print(f"killed supervisor {pid}; events answered {load.answered}")
    service.await_that(lambda: not any(is_left(one) for one in family))

    service.start()

    assert_exact(service, load, counted)


def is_left(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_a_start_without_redis_serves_the_last_good_catalog(tmp_path: Path) -> None:
    with running_service(tmp_path, ADSERVER_WORKERS="1") as first:
        first.decide()
    service = Service(tmp_path, ADSERVER_WORKERS="1", ADSERVER_REDIS_URL=f"unix://{tmp_path}/nowhere.sock")
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
            service.await_that(lambda: answers_unready(service))
            with running_valkey(port=port):
                start.result()
                service.await_that(lambda: service.call("/readyz")[0] == 200)
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
