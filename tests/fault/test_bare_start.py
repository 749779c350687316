"""`gunicorn wsgi:app` and Granian, in each way in which they are started: exact counts, and nobody left over."""

import json
import subprocess
import sys
from pathlib import Path

from bare_service import BareService, GranianService, running_bare_service
from load import Load
from service import ROOT
from valkey_server import running_valkey

from adserver.domain.token import TokenCodec


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


def test_preloaded_workers_never_issue_one_sequence_twice_and_count_exactly(tmp_path: Path) -> None:
    with running_bare_service(tmp_path, "--preload") as service:
        codec = TokenCodec(tuple(bytes.fromhex(key) for key in (service.data_dir / "secret-keys").read_text().split()))
        issued: list[tuple[bytes, int]] = []

        def both_had_some() -> bool:
            """Look at a line more; tell whether each worker had some, with an issuer of its own."""
            text = service.decide()["token"]
            token = codec.decode(text)
            issued.append((token.issuer, token.sequence))
            assert service.call(f"/v1/seen/{text}.gif")[0] == 200
            return len(issued) >= 60 and len({issuer for issuer, _ in issued}) == 2

        service.await_that(both_had_some)
        assert len(set(issued)) == len(issued)
        assert threads_of(service.pid) == 1
        service.await_counts(decisions=len(issued), fills=len(issued), impressions=len(issued), invalid=0)
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
        subprocess.run(push, env=service.environ, cwd=ROOT, check=True, capture_output=True, timeout=120)
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
