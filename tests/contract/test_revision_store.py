"""Every revision store keeps the same promises: the one in memory, Redis as fakeredis plays it, and a real Valkey."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import fakeredis
import pytest
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkey_server import running_valkey

from adserver.catalog.documents import Documents, JsonObject
from adserver.catalog.names import NAMES_KEY, Names
from adserver.catalog.plan import Change, Plan
from adserver.catalog.redis_store import HEAD_KEY, REVISIONS_KEY, RedisRevisionStore
from adserver.catalog.revisions import NO_HEAD, Entry, Revision
from adserver.catalog.store import MemoryRevisionStore, RevisionStore, restore
from adserver.domain.errors import StaleBase, StoreUnavailable
from adserver.domain.ids import Kind, id_hash

NOON = datetime(2026, 11, 24, 12, 0, 0, 123_000, tzinfo=UTC)
TIMEOUT_SECONDS = 0.3

SEEN_FLIGHT = f"flight:{id_hash(Kind.FLIGHT, 'minnesota').hex()}"


def connect(socket: Path) -> Redis:
    retry = Retry(NoBackoff(), 0)
    return Redis(
        unix_socket_path=str(socket),
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=retry,
    )


def answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.01)  # another thread, or the server, comes to it and tells nobody


@pytest.fixture
def real_client() -> Iterator[Redis]:
    with running_valkey() as socket, connect(socket) as client:
        yield client


@pytest.fixture(params=["memory", "fakeredis", pytest.param("valkey", marks=pytest.mark.processes)])
def store(request: pytest.FixtureRequest) -> Iterator[RevisionStore]:
    if request.param == "memory":
        yield MemoryRevisionStore()
        return
    yield RedisRevisionStore(client_of(request))


def client_of(request: pytest.FixtureRequest) -> Redis:
    real: Redis = fakeredis.FakeRedis() if request.param == "fakeredis" else request.getfixturevalue("real_client")
    return real


def documents(name: str = "QWIKET") -> Documents:
    campaign: JsonObject = {"id": "season", "name": name, "weights": [1, 2.5, None, True], "é": "“ü\u2028”"}
    return Documents(
        campaign_files={"qwiket.yaml": {"advertiser": {"id": "qwiket"}, "campaigns": [campaign]}},
        slots={"sites": [], "slots": []},
    )


def revision(number: int, name: str = "QWIKET") -> Revision:
    return Revision(Entry(number, "kim", NOON, "a reason", Plan(add=("campaigns.season",))), documents(name))


def put(store: RevisionStore, name: str = "QWIKET", names: dict[str, str] | None = None) -> Revision:
    head = store.head()
    plan = Plan(change=(Change("campaigns.season.name", "old", name),))
    made = Revision(Entry(head.number + 1, "kim", NOON, "a reason", plan), documents(name))
    store.commit(head, made, names or {})
    return made


class TestAnEmptyStore:
    def test_has_no_head_no_history_and_no_names(self, store: RevisionStore) -> None:
        assert store.head() == NO_HEAD
        assert store.get(1) is None
        assert store.history() == ()
        assert store.name_fields() == {}


class TestPublishing:
    def test_numbers_revisions_from_1_and_makes_the_newest_live(self, store: RevisionStore) -> None:
        first = put(store, "first")
        assert store.head() == first.head
        second = put(store, "second")
        assert (first.number, second.number) == (1, 2)
        assert store.head() == second.head

    def test_keeps_every_revision_whole(self, store: RevisionStore) -> None:
        published = [put(store, name) for name in ("first", "second")]
        assert [store.get(number) for number in (1, 2)] == published
        assert store.get(3) is None

    def test_keeps_the_order_of_fields_and_the_types_of_values(self, store: RevisionStore) -> None:
        put(store)
        found = store.get(1)
        assert found is not None
        [(_, _, campaign)] = found.documents.campaigns()
        assert list(campaign.items()) == list(next(documents().campaigns())[2].items())

    def test_lists_the_history_newest_first_and_no_more_than_asked(self, store: RevisionStore) -> None:
        entries = [put(store, str(number)).entry for number in range(12)]
        assert store.history() == tuple(reversed(entries))
        assert store.history(2) == (entries[11], entries[10])

    def test_on_a_base_that_is_not_live_any_more_writes_nothing(self, store: RevisionStore) -> None:
        put(store, "first")
        base = store.head()
        newest = put(store, "second")
        with pytest.raises(StaleBase) as caught:
            store.commit(base, revision(2, "another second"), {SEEN_FLIGHT: '{"id":"minnesota"}'})
        assert (caught.value.base, caught.value.live) == (1, 2)
        assert store.head() == newest.head
        assert store.get(2) == newest
        assert store.name_fields() == {}

    def test_on_a_revision_of_the_same_number_but_other_content_is_stale(self, store: RevisionStore) -> None:
        put(store, "what this store has as 1")
        with pytest.raises(StaleBase):
            store.commit(revision(1, "what another host saw as 1").head, revision(2), {})

    def test_refuses_a_number_that_does_not_rise(self, store: RevisionStore) -> None:
        put(store)
        with pytest.raises(ValueError, match="does not follow"):
            store.commit(store.head(), revision(1), {})

    def test_writes_names_with_the_revision_and_forgets_none(self, store: RevisionStore) -> None:
        put(store, "first", {"topic:00000001": '{"id":"sports"}'})
        put(store, "second", {"topic:00000002": '{"id":"politics"}'})
        assert store.name_fields() == {"topic:00000001": '{"id":"sports"}', "topic:00000002": '{"id":"politics"}'}

    def test_writes_ten_thousand_names_at_once(self, store: RevisionStore) -> None:
        names = {f"topic:{number:08x}": f'{{"id":"t{number}"}}' for number in range(10_000)}
        put(store, "first", names)
        assert store.name_fields() == names

    def test_by_many_at_once_on_one_base_lets_exactly_one_through(self, store: RevisionStore) -> None:
        base = put(store, "first").head
        gate, won = threading.Barrier(8), []

        def race(number: int) -> None:
            gate.wait()
            try:
                store.commit(base, revision(2, f"racer {number}"), {})
            except StaleBase:
                return
            won.append(number)

        racers = [threading.Thread(target=race, args=(number,)) for number in range(8)]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        assert len(won) == 1
        assert store.get(2) == revision(2, f"racer {won[0]}")


class TestRestoring:
    def test_gives_an_empty_store_the_revision_under_its_own_number(self, store: RevisionStore) -> None:
        assert restore(store, revision(7), {}) is True
        assert store.head() == revision(7).head
        assert store.get(7) == revision(7)

    def test_lets_numbers_go_on_above_it(self, store: RevisionStore) -> None:
        put(store)
        restore(store, revision(7), {})
        assert put(store, "next").number == 8
        assert [entry.number for entry in store.history()] == [8, 7, 1]

    def test_leaves_a_store_that_is_further_alone(self, store: RevisionStore) -> None:
        put(store, "first")
        newest = put(store, "second")
        assert restore(store, revision(1), {}) is False
        assert store.head() == newest.head

    def test_leaves_the_live_revision_where_two_hosts_gave_one_number_twice(self, store: RevisionStore) -> None:
        live = put(store, "what the store has as 1")
        assert restore(store, revision(1, "what this host had as 1"), {}) is False
        assert store.get(1) == live

    def test_unites_names_even_where_the_store_is_further(self, store: RevisionStore) -> None:
        put(store, "first", {SEEN_FLIGHT: '{"id":"minnesota","held":[[100,"season","qwiket"]]}'})
        put(store, "second")
        kept = {
            SEEN_FLIGHT: '{"id":"minnesota","held":[[50,"spring","qwiket"]]}',
            "topic:00000001": '{"id":"sports"}',
        }
        assert restore(store, revision(1), kept) is True
        assert store.head().number == 2
        names = Names.parse(store.name_fields())
        flight = names.flight(id_hash(Kind.FLIGHT, "minnesota"))
        assert flight is not None
        assert [parent.campaign for parent in flight.parents] == ["spring", "season"]
        assert list(names.topics.values()) == ["sports"]
        assert restore(store, revision(1), kept) is False


class TestRedisAway:
    def test_every_call_of_a_server_that_is_gone_says_so(self) -> None:
        server = fakeredis.FakeServer()
        store = RedisRevisionStore(fakeredis.FakeRedis(server=server))
        server.connected = False
        for call in calls(store):
            with pytest.raises(StoreUnavailable):
                call()

    @pytest.mark.processes
    def test_every_call_of_a_server_that_hangs_says_so_in_time(self, real_client: Redis) -> None:
        store = RedisRevisionStore(real_client)
        put(store)
        server = int(real_client.info("server")["process_id"])
        os.kill(server, signal.SIGSTOP)
        try:
            for call in calls(store):
                begin = time.monotonic()
                with pytest.raises(StoreUnavailable):
                    call()
                assert time.monotonic() - begin < 4 * TIMEOUT_SECONDS
        finally:
            os.kill(server, signal.SIGCONT)
        wait_until(lambda: answers(real_client))
        assert store.head().number == 1

    @pytest.mark.processes
    def test_a_server_that_came_back_empty_takes_the_revision_again(self, real_client: Redis) -> None:
        store = RedisRevisionStore(real_client)
        published = put(store)
        real_client.flushall()
        assert store.head() == NO_HEAD
        assert restore(store, published, {"topic:00000001": '{"id":"sports"}'})
        assert store.get(1) == published


def calls(store: RevisionStore) -> list[Callable[[], object]]:
    return [
        store.head,
        lambda: store.get(1),
        store.history,
        store.name_fields,
        lambda: store.commit(NO_HEAD, revision(1), {}),
    ]


@pytest.fixture(params=["fakeredis", pytest.param("valkey", marks=pytest.mark.processes)])
def client(request: pytest.FixtureRequest) -> Redis:
    return client_of(request)


class TestTheScript:
    def test_writes_nothing_at_all_where_one_key_holds_something_else(self, client: Redis) -> None:
        client.set(REVISIONS_KEY, "not ours")
        with pytest.raises(StoreUnavailable, match="not a hash of this catalog"):
            put(RedisRevisionStore(client), names={SEEN_FLIGHT: "{}"})
        assert client.exists(HEAD_KEY, NAMES_KEY) == 0

    def test_keeps_the_head_in_the_form_that_other_versions_read(self, client: Redis) -> None:
        put(RedisRevisionStore(client))
        head = client.get(HEAD_KEY)
        assert isinstance(head, bytes)
        number, digest = head.decode().split(" ")
        assert number == "1"
        assert len(digest) == 16
        assert client.hkeys(REVISIONS_KEY) == [b"1"]
