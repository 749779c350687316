"""`gunicorn wsgi:app` without a supervisor: exact counts through kill -9 of any process, and nobody left over."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bare_service import BareService, GranianService, running_bare_service
from load import Load
from service import ROOT, is_running, kill
from valkey_server import running_valkey

from adserver.domain.token import TokenCodec


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


def assert_exact(service: BareService, load: Load) -> None:
    """Every event answered is counted, none twice; one that was not answered may have been written before the kill."""
    service.await_that(lambda: load.answered <= impressions(service) <= load.sent)
    time.sleep(1.0)  # long enough for a second application of anything to show
    totals = service.totals()
    print(f"answered {load.answered}, counted {totals['impressions']}, sent {load.sent}")
    assert load.answered <= totals["impressions"] <= load.sent
    assert totals["invalid"] == 0


def impressions(service: BareService) -> int:
    """Return how many are counted, or -1 while the store is away: the backstage may just have been started again."""
    try:
        return service.totals()["impressions"]
    except AssertionError:
        return -1


def assert_nobody_is_left(service: BareService) -> None:
    """After the last worker the backstage goes, and all that it has started."""
    service.await_that(lambda: service.of_this_folder() == {})


def test_it_publishes_counts_and_leaves_nobody_behind_and_started_again_has_every_count(tmp_path: Path) -> None:
    with running_bare_service(tmp_path) as service:
        assert json.loads(service.call("/readyz")[2])["revision"] == 1
        for _ in range(5):
            token = service.decide()["token"]
            assert service.call(f"/v1/seen/{token}.gif")[0] == 200
        service.await_counts(decisions=5, fills=5, impressions=5)
        token = service.decide()["token"]
        assert service.call(f"/v1/seen/{token}.gif")[0] == 200  # counted by whoever is still there after the stop

        assert service.stop() == 0
        assert_nobody_is_left(service)

        service.start()
        service.await_counts(decisions=6, fills=6, impressions=6)


def test_its_own_redis_keeps_the_counts(tmp_path: Path) -> None:
    with running_valkey() as socket, running_bare_service(tmp_path, ADSERVER_REDIS_URL=f"unix://{socket}") as service:
        token = service.decide()["token"]
        service.call(f"/v1/seen/{token}.gif")
        service.await_counts(impressions=1)
        assert not any("valkey-server" in command for command in service.of_this_folder().values())
        assert service.stop() == 0
        assert_nobody_is_left(service)


def test_kill_of_a_worker_loses_nothing_answered(tmp_path: Path) -> None:
    with running_bare_service(tmp_path) as service:
        backstage = service.backstage()
        load = run_load_around(service, service.workers()[0], "worker")
        assert_exact(service, load)
        assert service.backstage() == backstage


def test_kill_of_the_master_loses_nothing_answered_and_the_next_finds_every_count(tmp_path: Path) -> None:
    with running_bare_service(tmp_path) as service:
        workers = service.workers()

        def start_again() -> None:
            service.await_that(service.has_ended)
            service.await_that(lambda: not any(is_running(pid) for pid in workers))
            service.start()

        load = run_load_around(service, service.pid, "master", start_again)
        assert_exact(service, load)


def test_kill_of_the_backstage_loses_nothing_and_another_takes_its_place(tmp_path: Path) -> None:
    with running_bare_service(tmp_path) as service:
        killed = service.backstage()
        load = run_load_around(service, killed, "backstage")
        assert load.failures == []
        service.await_counts(impressions=load.answered, invalid=0)
        assert service.await_backstage_other_than(killed)
        assert service.stop() == 0
        assert_nobody_is_left(service)


def test_a_second_backstage_goes_quietly(tmp_path: Path) -> None:
    with running_bare_service(tmp_path) as service:
        service.backstage()
        done = subprocess.run(
            [sys.executable, "-m", "adserver.cli.main", "backstage"],
            env=service.environ,
            capture_output=True,
            check=False,
            timeout=30,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_preloaded_workers_never_issue_one_sequence_twice_and_count_exactly(tmp_path: Path) -> None:
    with running_bare_service(tmp_path, "--preload") as service:
        codec = TokenCodec(tuple(bytes.fromhex(key) for key in (service.data_dir / "secret-keys").read_text().split()))
        issued: list[tuple[bytes, int]] = []
        for _ in range(120):
            text = service.decide()["token"]
            token = codec.decode(text)
            issued.append((token.issuer, token.sequence))
            assert service.call(f"/v1/seen/{text}.gif")[0] == 200

        assert len(set(issued)) == 120
        assert len({issuer for issuer, _ in issued}) == 2  # both workers had some, from issuers of their own
        assert threads_of(service.pid) == 1
        service.await_counts(decisions=120, fills=120, impressions=120, invalid=0)
        assert service.stop() == 0
        assert_nobody_is_left(service)


def threads_of(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def test_a_folder_with_faults_is_said_whole_and_a_push_after_mending_it_serves(tmp_path: Path) -> None:
    service = BareService(tmp_path)
    file = service.campaigns / "qwiket.yaml"
    right = file.read_text()
    file.write_text(right.replace("slots: [masthead]", "slots: [masthaed]"))
    try:
        service.launch()
        service.await_that(lambda: "adserver push" in service.said())
        status, _, body = service.call("/readyz")
        assert (status, json.loads(body)["revision"]) == (503, 0)
        assert service.said().count("masthaed") == 1

        file.write_text(right)
        push = [sys.executable, "-m", "adserver.cli.main", "push", "-m", "mended"]
        subprocess.run(push, env=service.environ, cwd=ROOT, check=True, capture_output=True, timeout=30)
        service.await_that(service.is_ready)
    finally:
        service.end()


def test_granian_counts_as_exactly_and_leaves_nobody_behind(tmp_path: Path) -> None:
    service = GranianService(tmp_path)
    try:
        service.start()
        load = Load(service)
        load.start()
        load.await_answers(80)
        load.stop()
        assert load.failures == []
        assert load.statuses == {200}
        service.await_counts(impressions=load.answered, decisions=load.decided, fills=load.decided, invalid=0)
        assert service.stop() == 0
        assert_nobody_is_left(service)
    finally:
        service.end()
