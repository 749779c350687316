"""A real cluster loses primaries, and moves slots, under load: every event that was answered is counted, once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from load import Load
from service import Service
from sharded_world import assert_exact, await_counted, campaign_file, flight_hashes, run_load, running_sharded, written
from valkey_cluster import Cluster, Server, cut_off_replicas, move_slot, running_cluster

from adserver.catalog.compiled import read_compiled
from adserver.catalog.file_names import COMPILED_NAME
from adserver.counting.shards import shard_of

SHARDS = 16


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with running_cluster(tmp_path / "cluster") as cluster:
        yield cluster


@pytest.fixture
def service(tmp_path: Path, cluster: Cluster) -> Iterator[Service]:
    with running_sharded(tmp_path, cluster.url) as service:
        yield service


def test_a_primary_that_is_killed_loses_nothing(service: Service, cluster: Cluster) -> None:
    shard, victim = busiest(cluster)
    assert read_compiled(service.data_dir / COMPILED_NAME).shards == SHARDS

    def kill(load: Load) -> str:
        replica = cluster.replica_of(victim)
        pid = victim.kill()
        Service.await_that(lambda: cluster.primary_of(f"{{s{shard}}}:applied") == replica)
        return f"killed primary {pid} of shard {shard}, replica {replica.pid} took over"

    assert_all_counted(service, run_load(service, kill), cluster)


def test_what_a_failover_lost_is_counted_again_from_the_spools(service: Service, cluster: Cluster) -> None:
    shard, victim = busiest(cluster)
    fell_back = 0

    def cut_and_kill(load: Load) -> str:
        nonlocal fell_back
        replica = cluster.replica_of(victim)
        cut_off_replicas(victim)
        load.await_answers(80)
        Service.await_that(lambda: applied(victim, shard) != replicated(replica, shard))
        ahead = sum(applied(victim, shard).values())
        pid = victim.kill()
        fell_back = ahead - sum(replicated(replica, shard).values())
        Service.await_that(lambda: cluster.primary_of(f"{{s{shard}}}:applied") == replica)
        return f"killed primary {pid} of shard {shard}; its replica {replica.pid} lacks {fell_back} applied bytes"

    load = run_load(service, cut_and_kill)
    assert fell_back > 0
    assert_all_counted(service, load, cluster)


def test_slots_that_move_while_they_are_counted_split_no_shard(service: Service, cluster: Cluster) -> None:
    shards = sorted({shard_of(hash_, SHARDS) for hash_ in flight_hashes()})[:4]

    def move(load: Load) -> str:
        moved = 0
        for shard in shards:
            slot = cluster.slot_of(f"{{s{shard}}}:applied")
            source = cluster.primary_of(f"{{s{shard}}}:applied")
            target = next(each for each in cluster.servers[:3] if each != source)
            moved += move_slot(slot, source, target, cluster, lambda: load.await_answers(20))
            assert cluster.primary_of(f"{{s{shard}}}:applied") == target
        return f"moved {moved} keys of shards {shards}, with counting going on"

    assert_all_counted(service, run_load(service, move), cluster)


def test_the_catalogs_slot_moves_and_a_publication_follows(service: Service, cluster: Cluster) -> None:
    key = "{catalog}:head"
    source = cluster.primary_of(key)
    target = next(each for each in cluster.servers[:3] if each != source)
    move_slot(cluster.slot_of(key), source, target, cluster, lambda: None)

    paused = campaign_file(status="paused")
    status, _, body = service.call("/v1/campaigns", body=paused, headers=service.admin())

    assert status == 200, body
    service.await_that(lambda: service.call("/v1/slots/slot-1")[0] == 204)


def assert_all_counted(service: Service, load: Load, cluster: Cluster) -> None:
    await_counted(service, load)
    assert service.stop() == 0
    assert_exact(service, load, cluster.hashes("{s*}:*:*"))
    of_flights = [record for record in written(service) if record.flight in flight_hashes()]
    assert all(record.shard == shard_of(record.flight, SHARDS) for record in of_flights)
    assert len({record.shard for record in of_flights}) > 4


def busiest(cluster: Cluster) -> tuple[int, Server]:
    """Return the shard of a flight, and the node that has it: one from which neither catalog nor meta is served."""
    kept = {cluster.primary_of(key).port for key in ("{catalog}:head", "{meta}:shards")}
    for hash_ in flight_hashes():
        shard = shard_of(hash_, SHARDS)
        node = cluster.primary_of(f"{{s{shard}}}:applied")
        if len(kept) == 3 or node.port not in kept:
            return shard, node
    raise LookupError


def applied(server: Server, shard: int) -> dict[bytes, int]:
    """Return where a shard stands in each spool, by its primary."""
    with server.client() as client:
        return {spool: int(offset) for spool, offset in client.hgetall(f"{{s{shard}}}:applied").items()}


def replicated(replica: Server, shard: int) -> dict[bytes, int]:
    """Return the same by a replica."""
    with replica.client() as client, client.pipeline(transaction=False) as pipeline:
        pipeline.readonly()
        pipeline.hgetall(f"{{s{shard}}}:applied")
        stored = pipeline.execute()[1]
    return {spool: int(offset) for spool, offset in stored.items()}
