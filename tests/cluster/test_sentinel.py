"""Sentinels name another primary under load: every event that was answered is counted, once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from counting_oracle import Hashes
from load import Load
from service import Service
from sharded_world import assert_exact, await_counted, run_load, running_sharded
from valkey_cluster import Guarded, Server, cut_off_replicas, running_guarded


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Guarded]:
    with running_guarded(tmp_path / "guarded") as guarded:
        yield guarded


@pytest.fixture
def service(tmp_path: Path, guarded: Guarded) -> Iterator[Service]:
    with running_sharded(tmp_path, guarded.url) as service:
        yield service


def test_what_a_failover_lost_is_counted_again_from_the_spools(service: Service, guarded: Guarded) -> None:
    fell_back = 0

    def cut_and_kill(load: Load) -> str:
        nonlocal fell_back
        cut_off_replicas(guarded.primary)
        load.await_answers(40)
        Service.await_that(lambda: applied(guarded.primary) > applied(guarded.replica))
        ahead = applied(guarded.primary)
        pid = guarded.primary.kill()
        fell_back = ahead - applied(guarded.replica)
        Service.await_that(lambda: guarded.named_primary() == guarded.replica.port)
        return f"killed primary {pid}; replica {guarded.replica.pid}, now primary, lacks {fell_back} applied bytes"

    load = run_load(service, cut_and_kill)

    assert fell_back > 0
    await_counted(service, load)
    assert service.stop() == 0
    assert_exact(service, load, hashes(guarded.replica))


def applied(server: Server) -> int:
    """Return how many bytes of all spools a server has applied."""
    with server.client() as client:
        return sum(int(offset) for offset in client.hvals("{s0}:applied"))


def hashes(server: Server) -> Hashes:
    """Return every hash of counts."""
    with server.client() as client:
        return {
            key.decode(): {name: int(count) for name, count in client.hgetall(key).items()}
            for key in client.scan_iter("{s0}:*:*", _type="hash", count=1000)
        }
