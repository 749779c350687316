"""One suite for every `CountStore`: in memory, on fakeredis, on a real server."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import fakeredis
import pytest
import redis
from batch_of import batch_of
from valkey_server import connect

from adserver.counting.cells import (
    CLICKS,
    FILLS,
    IMPRESSIONS,
    Metric,
    parse_field,
    reach_index_key,
    reach_key,
)
from adserver.counting.cells import VIEWABLE as VIEWABLE_METRIC
from adserver.counting.records import DecisionKey, Record, decision_record, event_record
from adserver.domain.errors import StoreUnavailable
from adserver.domain.ids import IdHash, Kind, id_hash
from adserver.domain.reasons import EventKind, InvalidReason
from adserver.domain.token import Token
from adserver.domain.variants import Variant
from adserver.keeping.batches import Batch, Goal
from adserver.keeping.counts import Applied, CountStore, MemoryCountStore, ShardsDiffer
from adserver.keeping.redis_counts import RedisCountStore

WINDOW_SECONDS = 7 * 24 * 3600
FLIGHT = id_hash(Kind.FLIGHT, "minnesota")
SPOOL = "0123456789abcdef"
SEEN, VIEWABLE, CLICK = EventKind.SEEN, EventKind.VIEWABLE, EventKind.CLICK
SHORT = Variant.SHORT
NOW = int(time.time())
TODAY = NOW // 86_400


@pytest.fixture(params=["memory", "fakeredis", "valkey"])
def store(request: pytest.FixtureRequest) -> CountStore:
    if request.param == "memory":
        return MemoryCountStore(WINDOW_SECONDS, time.time)
    if request.param == "fakeredis":
        return RedisCountStore(fakeredis.FakeRedis(), WINDOW_SECONDS)
    client: redis.Redis = request.getfixturevalue("valkey")
    return RedisCountStore(client, WINDOW_SECONDS)


def token(sequence: int = 0, *, age_seconds: int = 0) -> Token:
    return Token(
        issuer=b"issuer",
        shard=0,
        sequence=sequence,
        issued_second=NOW - age_seconds,
        flight=FLIGHT,
        creative=id_hash(Kind.CREATIVE, "elevate"),
        slot=id_hash(Kind.SLOT, "masthead"),
        place=Kind.PLACE.unknown,
        topic=Kind.TOPIC.none,
        variant=Variant.AUTO,
    )


def event(
    kind: EventKind, sequence: int = 0, reason: InvalidReason | None = None, age_seconds: int = 0, reader: int = 0
) -> Record:
    return event_record(token(sequence, age_seconds=age_seconds), kind, reason, SHORT, int(time.time()), reader)


def batch(*records: Record, start: int = 0, goal: Goal | None = None) -> Batch:
    goals = {FLIGHT: goal} if goal else {}
    return batch_of(records, site_day, goals, spool=SPOOL, start=start, end=start + 64 * len(records))


def site_day(_slot: IdHash, second: int) -> int:
    return second // 86_400


def net(store: CountStore) -> int:
    return store.delivered(0, [FLIGHT])[FLIGHT]


def test_a_batch_counts_and_moves_the_offset(store: CountStore) -> None:
    assert store.apply(batch(event(SEEN, 1), event(SEEN, 2))) == Applied(done=True, offset=128)
    assert net(store) == 2
    assert store.applied(0) == {SPOOL: 128}


def test_an_empty_range_moves_the_offset(store: CountStore) -> None:
    assert store.apply(replace(batch(), end=640)) == Applied(done=True, offset=640)
    assert store.applied(0) == {SPOOL: 640}


def test_a_batch_sent_twice_counts_once_and_says_where_the_shard_stands(store: CountStore) -> None:
    sent = batch(event(SEEN, 1, InvalidReason.EXPIRED), event(SEEN, 2))
    store.apply(sent)

    assert store.apply(sent) == Applied(done=False, offset=128)
    assert net(store) == 1


def test_a_batch_from_beyond_the_shard_is_not_applied(store: CountStore) -> None:
    assert store.apply(batch(event(SEEN, 1), start=64)) == Applied(done=False, offset=0)
    assert net(store) == 0


def test_a_token_counts_once_across_batches(store: CountStore) -> None:
    store.apply(batch(event(SEEN), event(SEEN), event(VIEWABLE)))
    store.apply(batch(event(SEEN), event(VIEWABLE), start=192))

    assert net(store) == 1


def test_the_goal_is_never_passed_whichever_batch_brings_the_view(store: CountStore) -> None:
    goal = Goal(1, 3)
    store.apply(batch(event(SEEN, 1), event(SEEN, 2), goal=goal))
    store.apply(batch(event(SEEN, 3), event(SEEN, 4), event(VIEWABLE, 5), start=128, goal=goal))

    assert net(store) == 3


def test_the_goal_of_the_highest_revision_holds(store: CountStore) -> None:
    store.apply(batch(event(SEEN, 1), event(SEEN, 2), goal=Goal(7, 2)))
    store.apply(batch(event(SEEN, 3), start=128, goal=Goal(6, 100)))
    assert net(store) == 2

    store.apply(batch(event(SEEN, 4), event(SEEN, 5), start=192, goal=Goal(8, 3)))
    assert net(store) == 3


def test_a_flight_that_left_the_catalog_keeps_its_goal(store: CountStore) -> None:
    store.apply(batch(event(SEEN, 1), goal=Goal(7, 1)))
    store.apply(batch(event(SEEN, 2), start=64))

    assert net(store) == 1


def test_a_goal_taken_away_lets_views_count_again(store: CountStore) -> None:
    store.apply(batch(event(SEEN, 1), event(SEEN, 2), goal=Goal(7, 1)))
    store.apply(batch(event(SEEN, 3), start=128, goal=Goal(8, 0)))

    assert net(store) == 2


def test_a_token_older_than_the_window_is_dropped_not_counted(store: CountStore) -> None:
    store.apply(batch(event(SEEN, 1, age_seconds=WINDOW_SECONDS + 7200), event(SEEN, 2)))

    assert net(store) == 1


def test_each_event_that_comes_when_its_tokens_bits_are_gone_is_declared(valkey: redis.Redis) -> None:
    age = WINDOW_SECONDS + 7200
    late = (event(kind, sequence, age_seconds=age) for sequence, kind in enumerate((SEEN, SEEN, VIEWABLE, CLICK)))
    RedisCountStore(valkey, WINDOW_SECONDS).apply(batch(*late, event(SEEN, 9)))

    assert valkey.hgetall("{s0}:drops") == {b"late": b"4"}


def test_many_tokens_of_one_block_fit_one_batch(store: CountStore) -> None:
    store.apply(batch(*(event(SEEN, sequence) for sequence in range(2_000))))
    store.apply(batch(*(event(SEEN, sequence) for sequence in range(1_500, 2_500)), start=64 * 2_000))

    assert net(store) == 2_500


def test_a_server_that_is_gone_is_said_to_be_unavailable() -> None:
    for call in calls(RedisCountStore(connect(Path("/nonexistent/redis.sock")))):
        with pytest.raises(StoreUnavailable):
            call()


def test_the_number_of_shards_is_fixed_by_the_first_who_counts(store: CountStore) -> None:
    assert store.agree_on_shards(16, None) == 16
    assert store.agree_on_shards(1, None) == 16
    assert store.agree_on_shards(1, 16) == 16

    with pytest.raises(ShardsDiffer, match="Redis counts in 16 shards, this data folder in 1:"):
        store.agree_on_shards(16, 1)


def test_a_folder_that_is_cut_otherwise_fixes_nothing(store: CountStore) -> None:
    with pytest.raises(ShardsDiffer, match="Redis counts in 16 shards, this data folder in 1:"):
        store.agree_on_shards(16, 1)
    assert store.agree_on_shards(1, 1) == 1


def calls(store: CountStore) -> tuple[Callable[[], object], ...]:
    return (
        lambda: store.apply(batch()),
        lambda: store.applied(0),
        lambda: store.delivered(0, [FLIGHT]),
        lambda: store.declare_dropped(SPOOL, 1),
        lambda: store.agree_on_shards(1, None),
    )


def test_a_script_flushed_from_the_server_is_loaded_again(valkey: redis.Redis) -> None:
    store = RedisCountStore(valkey)
    store.apply(batch(event(SEEN, 1)))
    valkey.script_flush()

    assert store.apply(batch(event(SEEN, 2), start=64)).done


def test_a_full_block_of_dedupe_bits_is_made_at_its_size_and_expires_after_the_window(valkey: redis.Redis) -> None:
    RedisCountStore(valkey, WINDOW_SECONDS).apply(batch(event(SEEN, 5)))

    (block,) = valkey.scan_iter(match="{s0}:tok:*")
    assert valkey.strlen(block) == 6_120
    assert WINDOW_SECONDS < int(valkey.ttl(block)) <= WINDOW_SECONDS + 7_200
    assert {valkey.ttl(key) for key in valkey.scan_iter() if key != block} == {-1}


def test_dedupe_bits_are_kept_a_whole_window_after_their_last_write(valkey: redis.Redis) -> None:
    store = RedisCountStore(valkey, WINDOW_SECONDS)
    store.apply(batch(event(SEEN, 5)))
    (block,) = valkey.scan_iter(match="{s0}:tok:*")
    valkey.expire(block, 60)  # as when the window is nearly over

    store.apply(batch(event(SEEN, 6), start=64))

    assert int(valkey.ttl(block)) > WINDOW_SECONDS


def test_corrupt_records_and_gaps_are_declared(valkey: redis.Redis) -> None:
    store = RedisCountStore(valkey)
    store.apply(replace(batch(event(SEEN, 1)), corrupt=2))
    store.apply(Batch(0, SPOOL, 64, 128, gap=True))

    assert valkey.hgetall("{s0}:drops") == {b"corrupt": b"2"}
    assert valkey.hgetall("{s0}:gap") == {f"{SPOOL}:64".encode(): b"128"}
    assert store.applied(0) == {SPOOL: 128}


def sketched(store: CountStore) -> dict[str, int]:
    """Return how many readers each sketch tells, and check that the index lists it."""
    if isinstance(store, MemoryCountStore):
        assert store.indexes[reach_index_key(0, TODAY)] == {FLIGHT.hex()}
        return {key: len(readers) for key, readers in store.readers.items()}
    client = store._client  # type: ignore[attr-defined]
    assert client.smembers(reach_index_key(0, TODAY)) == {FLIGHT.hex().encode()}
    return {key.decode(): client.pfcount(key) for key in client.scan_iter(match="*}:reach:*")}


def test_readers_of_net_impressions_are_sketched_by_day_and_flight(store: CountStore) -> None:
    store.apply(
        batch(
            event(SEEN, 1, reader=11),
            event(SEEN, 2, reader=11),
            event(VIEWABLE, 3, reader=0xFFFF_FFFF),
            event(SEEN, 4),
            event(CLICK, 5, reader=13),  # no view
            event(SEEN, 6, InvalidReason.BOT, reader=14),
            event(SEEN, 1, reader=15),  # twice
            event(SEEN, 7, reader=16),  # beyond the goal
            goal=Goal(1, 4),
        )
    )
    assert sketched(store) == {reach_key(0, TODAY, FLIGHT): 2}

    store.apply(batch(event(VIEWABLE, 2, reader=17), start=8 * 64))
    assert sketched(store) == {reach_key(0, TODAY, FLIGHT): 2}


def test_views_fill_a_goal_in_the_order_in_which_they_stand(store: CountStore) -> None:
    store.apply(
        batch(
            event(CLICK, 1),
            event(SEEN, 3, reader=3),
            event(SEEN, 2, reader=2),
            event(SEEN, 1, reader=1),
            event(VIEWABLE, 1, reader=1),
            goal=Goal(1, 2),
        )
    )

    assert over(store, SEEN, VIEWABLE, CLICK) == [1, 1, 1]  # token 1, although its number is the lowest
    assert net(store) == 2


def over(store: CountStore, *kinds: EventKind) -> list[int]:
    """Return how many events of each kind were over the goal, in the cells by hour."""
    return [hours(store)[Variant.SHORT, Metric.invalid(kind, InvalidReason.OVER)] for kind in kinds]


def hours(store: CountStore) -> Counter[tuple[Variant, Metric]]:
    if isinstance(store, MemoryCountStore):
        cells = {key: fields for key, fields in store.cells.items() if ":hours:" in key}
    else:
        client = store._client  # type: ignore[attr-defined]
        cells = {key.decode(): client.hgetall(key) for key in client.scan_iter(match="{s0}:hours:*")}
    found: Counter[tuple[Variant, Metric]] = Counter()
    for fields in cells.values():
        for name, count in fields.items():
            field = parse_field(name)
            found[field.variant, field.metric] += int(count)
    return found


def beacons(store: CountStore) -> list[int]:
    """Return how many beacons each token is known to have had, of those whose view came again."""
    if isinstance(store, MemoryCountStore):
        return sorted(store.repeats.values())
    stored = store._client.hgetall("{s0}:repeats")  # type: ignore[attr-defined]
    hour, slot, place = NOW // 3600, id_hash(Kind.SLOT, "masthead").hex(), Kind.PLACE.unknown.hex()
    for value in stored.values():
        _, *rest = value.decode().split(":")
        assert rest in ([str(hour), str(at), slot, place] for at in (hour, hour + 1))
    return sorted(int(value.split(b":")[0]) for value in stored.values())


def test_the_beacons_of_a_token_whose_view_comes_again_are_counted(store: CountStore) -> None:
    store.apply(batch(event(SEEN, 1), event(VIEWABLE, 1), event(SEEN, 2), event(CLICK, 2), event(CLICK, 2)))
    assert beacons(store) == [], "one view of each, seen to the end"

    again = batch(event(SEEN, 1), event(SEEN, 2), event(SEEN, 2), event(SEEN, 3), event(SEEN, 3), start=320)
    store.apply(again)
    store.apply(again)
    assert beacons(store) == [2, 3, 3]

    store.apply(batch(*[event(SEEN, 3)] * 18, event(VIEWABLE, 1), start=640))
    assert beacons(store) == [3, 4, 20]


def test_beacons_of_an_expired_token_count_towards_it_and_those_of_bots_do_not(store: CountStore) -> None:
    expired, bot = (event(SEEN, 1, reason) for reason in (InvalidReason.EXPIRED, InvalidReason.BOT))
    store.apply(batch(expired, bot))
    assert beacons(store) == [], "its view is not known"

    store.apply(batch(event(SEEN, 1), expired, expired, bot, event(CLICK, 1, InvalidReason.EXPIRED), start=128))
    assert beacons(store) == [3]
    store.apply(batch(expired, event(SEEN, 2, InvalidReason.EXPIRED), start=448))
    assert beacons(store) == [4]


def test_a_flood_of_tokens_that_come_twice_is_watched_up_to_a_limit(valkey: redis.Redis) -> None:
    store = RedisCountStore(valkey, WINDOW_SECONDS)
    flood = [event(SEEN, sequence) for sequence in range(5_000)]
    store.apply(batch(*flood, *flood))
    assert valkey.hlen("{s0}:repeats") == 4_096

    store.apply(batch(*flood, start=64 * 10_000))
    assert valkey.hlen("{s0}:repeats") == 4_096
    assert beacons(store) == [3] * 4_096


def test_a_count_stays_a_whole_number_however_large(store: CountStore) -> None:
    for number, times in enumerate((99_999_999, 1, 4_294_967_295)):
        fills = decision_record(DecisionKey.of(token(1)), times, int(time.time()))
        store.apply(batch(fills, start=64 * number))

    assert hours(store)[Variant.AUTO, FILLS] == 4_394_967_295


def test_what_comes_again_in_one_batch_is_a_duplicate_of_the_first_length(store: CountStore) -> None:
    store.apply(batch(event(SEEN, 1), event(SEEN, 1), event(CLICK, 1), event(SEEN, 1), event(CLICK, 1)))

    assert +hours(store) == {
        (Variant.SHORT, IMPRESSIONS): 1,
        (Variant.SHORT, CLICKS): 1,
        (Variant.SHORT, Metric.invalid(SEEN, InvalidReason.DUPLICATE)): 2,
        (Variant.SHORT, Metric.invalid(CLICK, InvalidReason.DUPLICATE)): 1,
    }


def test_the_first_length_that_is_told_holds_for_all_of_a_token(store: CountStore) -> None:
    now = int(time.time())
    told = [event_record(token(1), kind, None, length, now) for kind, length in ((CLICK, Variant.LONG), (SEEN, SHORT))]
    store.apply(batch(*told))
    store.apply(batch(event(VIEWABLE, 1), start=128))

    assert +hours(store) == {(Variant.LONG, metric): 1 for metric in (IMPRESSIONS, VIEWABLE_METRIC, CLICKS)}


def test_tokens_far_apart_in_a_block_leave_those_between_alone(store: CountStore) -> None:
    store.apply(batch(*(event(SEEN, sequence) for sequence in range(0, 8_160, 7))))
    store.apply(batch(event(SEEN, 1), event(SEEN, 60), event(SEEN, 8_158), start=64 * 1_166))
    store.apply(batch(*(event(SEEN, sequence) for sequence in range(8_160)), start=64 * 1_169))

    assert net(store) == 8_160
