"""The stores over a real cluster; the client sends nothing twice that may have been run, and fails in known words."""

import signal
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
import redis
from ports import free_ports
from statistics_world import NOW, World
from stored_cells import put_cells
from valkey_cluster import Cluster, move_slot, running_cluster
from valkey_server import running_valkey

from adserver.catalog.redis_store import RedisRevisionStore
from adserver.catalog.revisions import NO_HEAD
from adserver.counting.cells import IMPRESSIONS, SHARDS_KEY, Family, Kept, Rolled, reach_index_key, reach_key
from adserver.domain.errors import StoreUnavailable
from adserver.domain.ids import Kind, id_hash
from adserver.keeping.batches import Batch
from adserver.keeping.counts import ShardsDiffer
from adserver.keeping.eviction import RedisEvicts, refuse_eviction
from adserver.keeping.recount import Spot
from adserver.keeping.redis_cells import RedisCells, RedisSpoolEnds
from adserver.keeping.redis_counts import RedisCountStore
from adserver.keeping.redis_roll_up import RedisRollUp
from adserver.keeping.roll_up import RollUp
from adserver.processes.examination import examine_redis
from adserver.statistics.redis_cell_store import RedisCellStore
from adserver.statistics.redis_reach_store import RedisReachStore
from adserver.store.address import Endpoint, parse_address
from adserver.store.cluster_client import ClusterClient
from adserver.store.link import RedisLink, open_link


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def link(cluster: Cluster) -> Iterator[RedisLink]:
    link = open_link(parse_address(cluster.url))
    yield link
    for _, server in link.writers():
        server.flushall()
    link.client.close()


def test_a_new_cluster_counts_in_sixteen_shards_and_a_folder_of_one_is_refused(link: RedisLink) -> None:
    counts = RedisCountStore(link.client)
    with pytest.raises(ShardsDiffer):
        counts.agree_on_shards(link.new_shards, 1)
    assert link.client.get(SHARDS_KEY) is None
    assert counts.agree_on_shards(link.new_shards, None) == 16
    assert examine_redis(link).shards == 16


def test_counts_brought_over_from_a_single_server_go_on_in_one_shard(link: RedisLink) -> None:
    link.client.set(SHARDS_KEY, 1)
    assert RedisCountStore(link.client).agree_on_shards(link.new_shards, 1) == 1


def test_each_shard_is_applied_once_on_its_own_node_though_none_knew_the_script(link: RedisLink) -> None:
    counts = RedisCountStore(link.client)
    for shard in range(16):
        assert counts.apply(Batch(shard, "0123456789abcdef", 0, 64)).done
        again = counts.apply(Batch(shard, "0123456789abcdef", 0, 64))
        assert (again.done, again.offset) == (False, 64)
    assert [counts.applied(shard) for shard in range(16)] == [{"0123456789abcdef": 64}] * 16
    assert all(server.dbsize() for _, server in link.writers())


def test_cells_are_read_from_all_nodes(link: RedisLink) -> None:
    link.client.set(SHARDS_KEY, 16)
    member = "00" * 8
    cells = RedisCellStore(link.client)
    assert list(cells.read(Family.HOURS, range(10, 200), lambda _: True)) == []
    for shard in range(16):
        link.client.sadd(f"{{s{shard}}}:index:topics:7", f"{member}:{member}:{member}")
        link.client.hset(f"{{s{shard}}}:topics:{member}:{member}:{member}:7", b"\x00\x01", shard + 1)
    assert sorted(cell.count for cell in cells.read(Family.TOPICS, range(10), lambda _: True)) == list(range(1, 17))


def test_readers_are_read_from_all_nodes(link: RedisLink) -> None:
    link.client.set(SHARDS_KEY, 16)
    for shard in range(16):
        flight = id_hash(Kind.FLIGHT, f"flight-{shard}")
        link.client.sadd(reach_index_key(shard, 7), flight.hex())
        link.client.pfadd(reach_key(shard, 7, flight), *(f"reader-{number}" for number in range(shard + 1)))
    reached = RedisReachStore(link.client).read(range(10), lambda _: True)
    assert sorted(stored.readers for stored in reached) == list(range(1, 17))


def test_old_counts_move_and_what_is_counted_is_read_while_its_slot_moves(cluster: Cluster, link: RedisLink) -> None:
    client, world = link.client, World()
    client.set(SHARDS_KEY, 16)
    for days in (3, 50, 60, 61):
        world.count(IMPRESSIONS, days, at=NOW - timedelta(days=days))
    flight, today = id_hash(Kind.FLIGHT, "minnesota"), int(NOW.timestamp()) // 86_400
    for shard in (3, 11):
        put_cells(client, world.memory.cells, shard)
        client.sadd(reach_index_key(shard, today - 40), flight.hex())
        client.pfadd(reach_key(shard, today - 40, flight), *map(str, range(shard)))
    world.store = RedisCellStore(client)
    roll_up, cells = RollUp(RedisRollUp(client), lambda: world.names, 35), RedisCells(client)

    def assert_whole() -> None:
        assert world.rows("impressions", by=("place", "time:month")) == {
            ("us-mn-remer", "2026-09-01"): (2 * 121,),
            ("us-mn-remer", "2026-10-01"): (2 * 50,),
            ("us-mn-remer", "2026-11-01"): (2 * 3,),
        }
        days = range(today - 90, today)
        assert sorted(each.readers for each in RedisReachStore(client).read(days, lambda _: True)) == [3, 11]
        kept: list[tuple[Kept, range]] = [(Family.HOURS, range(70_000, 90_000)), (Rolled.DAYS, range(2_500, 3_500))]
        spots = [
            Spot(3, family, block, member)
            for family, blocks in kept
            for block in cells.blocks(3, family, blocks)
            for member in cells.members(3, family, block)
        ]
        assert sum(sum(fields.values()) for fields in cells.hashes(spots)) == 3 + 50 + 60 + 61

    source = cluster.primary_of("{s3}:rolled")
    target = next(each for each in cluster.servers[:3] if each != source)
    assert_whole()
    assert move_slot(cluster.slot_of("{s3}:rolled"), source, target, cluster, assert_whole) > 10
    assert roll_up.run(NOW.timestamp()) == 10
    assert_whole()
    assert cells.rolled(3)["hours:moves"] == cells.rolled(11)["hours:moves"] == 3
    assert move_slot(cluster.slot_of("{s3}:rolled"), target, source, cluster, assert_whole) > 5
    assert roll_up.run(NOW.timestamp()) == 0


def test_a_spool_that_ends_ends_in_every_shard_and_in_none_while_nobody_says_which_there_are(link: RedisLink) -> None:
    spool = "0123456789abcdef"
    for shard in range(16):
        link.client.hset(f"{{s{shard}}}:applied", spool, 64)
    with pytest.raises(StoreUnavailable):
        RedisSpoolEnds(link.client).end(spool, 64)
    assert RedisCountStore(link.client).applied(0) == {spool: 64}

    link.client.set(SHARDS_KEY, 16)
    RedisSpoolEnds(link.client).end(spool, 64)
    assert [RedisCountStore(link.client).applied(shard) for shard in range(16)] == [{}] * 16


def test_names_are_written_by_one_script_whose_keys_lie_in_one_slot(link: RedisLink) -> None:
    store = RedisRevisionStore(link.client)
    store.commit(NO_HEAD, None, {"topic:00": "sports"})
    assert store.name_fields() == {"topic:00": "sports"}
    assert (store.head(), store.get(1), store.history()) == (NO_HEAD, None, ())


def test_one_primary_that_evicts_is_enough_to_be_refused(link: RedisLink) -> None:
    refuse_eviction(link.writers)
    _, last = link.writers()[-1]
    last.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(RedisEvicts):
            refuse_eviction(link.writers)
    finally:
        last.config_set("maxmemory-policy", "noeviction")


def test_every_node_is_examined_by_its_name(cluster: Cluster, link: RedisLink) -> None:
    facts = examine_redis(link)
    assert {server.name for server in facts.servers} == {f"127.0.0.1:{each.port}" for each in cluster.servers}
    assert not any(server.replica for server in facts.servers)
    assert facts.silent == ()


def test_a_command_whose_answer_is_lost_is_not_sent_again(cluster: Cluster) -> None:
    node = cluster.primary_of("count")
    client = ClusterClient([Endpoint("127.0.0.1", each.port) for each in cluster.servers[:3]], socket_timeout=0.2)
    assert client.incr("count") == 1
    node_process = node.process
    assert node_process is not None
    node_process.send_signal(signal.SIGSTOP)
    wake = threading.Timer(0.5, node_process.send_signal, [signal.SIGCONT])  # before the others call it dead
    wake.start()
    with pytest.raises(redis.RedisError):
        client.incr("count")
    wake.join()
    node.ask("PING")
    assert int(node.ask("GET", "count")) == 2
    node.ask("DEL", "count")
    client.close()


@pytest.mark.parametrize("transaction", [True, False])
def test_a_pipeline_takes_reads_only_for_it_may_send_them_twice(link: RedisLink, transaction: bool) -> None:
    with pytest.raises(redis.RedisError), link.client.pipeline(transaction=transaction) as pipeline:
        pipeline.incr("count")


def test_nothing_is_connected_before_there_is_need_and_a_cluster_that_is_away_is_unavailable() -> None:
    [port] = free_ports(1)
    link = open_link(parse_address(f"redis+cluster://127.0.0.1:{port}"))
    for call in (
        lambda: RedisCountStore(link.client).applied(0),
        lambda: RedisCountStore(link.client).agree_on_shards(16, None),
        lambda: RedisRevisionStore(link.client).head(),
        lambda: list(RedisCellStore(link.client).read(Family.HOURS, range(1), lambda _: True)),
        lambda: refuse_eviction(link.writers),
        lambda: examine_redis(link),
    ):
        with pytest.raises(StoreUnavailable):
            call()


def test_a_single_server_is_no_cluster() -> None:
    [port] = free_ports(1)
    with running_valkey(port):
        link = open_link(parse_address(f"redis+cluster://127.0.0.1:{port}"))
        with pytest.raises(StoreUnavailable, match="luster"):
            RedisCountStore(link.client).applied(0)
