"""What an operator looks at, on real processes: metrics over two workers, readiness, the doctor, the log."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from service import Service, kill, running_service
from valkey_server import connect, running_valkey

from adserver.processes.background import NICENESS, processor_of

pytestmark = pytest.mark.processes

AGENT = "Mozilla/5.0 (the browser of one reader) Chrome/156.0"
ADDRESS = "198.51.100.77"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("operations")
    with running_service(folder, ADSERVER_LOG_FORMAT="json", ADSERVER_TRUSTED_PROXIES="192.0.2.1") as service:
        yield service


def metrics(service: Service) -> dict[tuple[str, ...], float]:
    status, _, body = service.call("/metrics", headers={})
    assert status == 200
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def decisions(service: Service) -> float:
    return sum(value for key, value in metrics(service).items() if key[0] == "adserver_decisions_total")


def doctor(environ: dict[str, str], folder: Path) -> tuple[int, dict[str, str]]:
    """Return its exit status, and the severities by code."""
    command = (sys.executable, "-m", "adserver.cli.main", "doctor", "--json")
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, {finding["code"]: finding["severity"] for finding in json.loads(done.stdout)["findings"]}


def test_the_sums_of_two_workers_are_right_and_outlive_the_kill_of_one(service: Service) -> None:
    service.await_that(lambda: metrics(service).get(("adserver_workers",)) == 2)
    before = decisions(service)
    for _ in range(40):
        service.decide()
    service.await_that(lambda: decisions(service) == before + 40)

    victim = service.workers()[0]
    print(f"killed worker {victim} at {before + 40} decisions")
    kill(victim, signal.SIGKILL)
    service.await_that(lambda: victim not in service.workers() and len(service.workers()) == 2)
    service.await_that(lambda: metrics(service).get(("adserver_workers",)) == 2)
    assert decisions(service) == before + 40
    for _ in range(40):
        service.decide()

    service.await_that(lambda: decisions(service) == before + 80)
    print(f"after it {decisions(service)}")
    assert metrics(service)["adserver_decision_seconds_count",] == before + 80


def test_events_are_told_by_kind_and_verdict_from_whichever_worker_answers(service: Service) -> None:
    token = service.decide()["token"]
    before = metrics(service)
    service.call(f"/v1/seen/{token}.gif", headers={"User-Agent": AGENT})
    service.call(f"/v1/seen/{token}.gif", headers={})
    service.call(f"/go/{token}", headers={"User-Agent": AGENT})
    service.call("/go/no-token-at-all", headers={"User-Agent": AGENT})
    wanted = [("seen", "counted"), ("seen", "no_user_agent"), ("click", "counted"), ("click", "signature")]

    def told() -> bool:
        now = metrics(service)
        keys = [("adserver_events_total", *key) for key in wanted]
        return all(now.get(key, 0) == before.get(key, 0) + 1 for key in keys)

    service.await_that(told)


def test_what_works_behind_the_pages_steps_back_and_who_answers_does_not(service: Service) -> None:
    site = {"advertiser": {"id": "acme", "name": "Acme"}, "campaigns": []}
    service.call(
        "/v1/campaigns?dry_run=true", body=site, headers=service.admin()
    )  # starts the process that takes uploads
    behind = [service.pid_of(word) for word in ("valkey-server", "cli.main keeper", "runtime.uploads")]
    assert [os.getpriority(os.PRIO_PROCESS, pid) for pid in behind] == [NICENESS] * 3
    assert {os.getpriority(os.PRIO_PROCESS, pid) for pid in service.workers()} == {os.getpriority(os.PRIO_PROCESS, 0)}
    if sys.platform == "linux":
        processor = {processor_of(service.data_dir, sorted(os.sched_getaffinity(0)))}
        assert [os.sched_getaffinity(pid) for pid in behind] == [processor] * 3
        assert all(os.sched_getaffinity(pid) == os.sched_getaffinity(0) for pid in service.workers())


def test_keeper_redis_and_revision_are_seen_from_the_workers(service: Service) -> None:
    service.await_that(lambda: metrics(service).get(("adserver_redis_up",)) == 1)
    now = metrics(service)
    assert now["adserver_keeper_up",] == 1
    assert now["adserver_revision",] == now["adserver_host_revision",] == 1
    assert now["adserver_dropped_events_total",] == 0
    service.await_that(lambda: metrics(service)["adserver_spool_backlog_bytes",] == 0)


def test_a_service_in_order_is_ready_without_a_warning_and_the_doctor_finds_no_error(service: Service) -> None:
    service.await_that(lambda: json.loads(service.call("/readyz")[2])["warnings"] == [])
    status, found = doctor(service.environ, service.folder)
    assert (status, found) == (0, {"public_url_unset": "warning"})


def test_the_doctor_sees_a_proxy_that_no_setting_names(service: Service) -> None:
    service.call("/v1/slots/masthead", headers={"X-Forwarded-For": ADDRESS})
    service.await_that(lambda: metrics(service)["adserver_untrusted_proxy_requests_total",] > 0)
    assert doctor(service.environ, service.folder)[1]["proxies_untrusted"] == "warning"


def test_the_log_has_no_address_no_token_no_agent_and_no_query(service: Service) -> None:
    decision = service.decide()
    headers = {"User-Agent": AGENT, "X-Forwarded-For": ADDRESS, "X-Request-Id": ADDRESS}
    bearer = service.admin()["Authorization"]
    for path in (
        f"/v1/seen/{decision['token']}.gif?variant=short",
        f"/go/{decision['token']}?v=long",
        "/v1/slots/masthead?location=Fargo,ND&max_chars=none",
        "/v1/slots/%00",
        "/v1/campaigns",
        "/v1/nothing-at-all?secret-query",
    ):
        status, answer, _ = service.call(path, headers={**headers, "Authorization": bearer})
        assert status < 500
        assert ADDRESS not in answer["X-Request-Id"]
    service.call("/v1/query", body={"metrics": ["secret-metric"]}, headers={**headers, "Authorization": bearer})
    worker = service.workers()[0]
    print(f"killed worker {worker} to have gunicorn speak")
    kill(worker, signal.SIGABRT)
    service.await_that(lambda: worker not in service.workers() and len(service.workers()) == 2)

    said = service.said()
    secrets = (AGENT, ADDRESS, decision["token"], bearer.removeprefix("Bearer "), "Fargo", "secret-", "127.0.0.1 ")
    assert [secret for secret in secrets if secret in said] == []
    entries = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert any(entry["logger"] == "gunicorn.error" for entry in entries)


def test_a_redis_that_evicts_stops_the_start_and_the_doctor_says_how_to_mend_it(tmp_path: Path) -> None:
    with running_valkey() as socket, connect(socket) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        service = Service(tmp_path, ADSERVER_REDIS_URL=f"unix://{socket}")
        command = (sys.executable, "-m", "adserver.cli.main", "serve", "--port", str(service.port))
        done = subprocess.run(
            command, cwd=tmp_path, env=service.environ, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 1
        assert "maxmemory-policy allkeys-lru" in done.stderr
        assert "noeviction" in done.stderr
        assert "Traceback" not in done.stderr

        status, found = doctor(service.environ, tmp_path)
        assert (status, found["redis_evicts"]) == (1, "error")

        client.config_set("maxmemory-policy", "noeviction")
        status, found = doctor(service.environ, tmp_path)
        assert "redis_evicts" not in found
        assert found["redis_no_aof"] == "warning"


def test_counting_waits_while_redis_may_forget_and_readyz_says_so(tmp_path: Path) -> None:
    with (
        running_valkey() as socket,
        connect(socket) as client,
        running_service(tmp_path, ADSERVER_WORKERS="1", ADSERVER_REDIS_URL=f"unix://{socket}") as service,
    ):
        client.config_set("maxmemory-policy", "allkeys-lru")

        def refused() -> bool:
            warnings = json.loads(service.call("/readyz")[2])["warnings"]
            return any("allkeys-lru" in warning for warning in warnings)

        service.await_that(refused)
        service.decide()
        service.await_that(lambda: decisions(service) == 1)
        assert service.totals()["decisions"] == 0
        assert doctor(service.environ, service.folder)[1]["not_counting"] == "error"

        client.config_set("maxmemory-policy", "noeviction")
        service.await_counts(decisions=1)


def test_a_wrong_setting_is_a_finding(tmp_path: Path) -> None:
    environ = {**Service(tmp_path).environ, "ADSERVER_WORKERS": "many"}
    status, found = doctor(environ, tmp_path)
    assert (status, found) == (1, {"setting": "error"})


def test_where_nothing_was_ever_started_nothing_is_wrong_and_nothing_is_made(tmp_path: Path) -> None:
    service = Service(tmp_path)
    status, found = doctor(service.environ, tmp_path)
    assert (status, found) == (
        0,
        {"public_url_unset": "warning", "data_dir_missing": "info", "service_stopped": "info"},
    )
    assert not service.data_dir.exists()
