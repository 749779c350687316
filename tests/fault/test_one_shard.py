"""Three shards in a real Valkey, one of which falls back: it alone is replayed, and all end as the spools have it."""

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cells_oracle import Stored, differences
from exactness import read_spools
from outcomes import Outcome, note
from stage import running_stage
from store_faults import deliver_late, dump_shard, restore_shard, rewind_one_shard
from valkey_server import connect, running_valkey

from adserver.counting.records import encode, event_record
from adserver.counting.spool import SpoolWriter
from adserver.domain.ids import IdHash, Kind, id_hash
from adserver.domain.reasons import EventKind
from adserver.domain.token import Token
from adserver.domain.variants import Variant
from adserver.keeping.batches import Goal
from adserver.keeping.counter import SpoolCounter
from adserver.keeping.redis_counts import RedisCountStore

SHARDS = 3
FLIGHTS = tuple(id_hash(Kind.FLIGHT, f"flight-{number}") for number in range(SHARDS))
GOALS = {flight: Goal(1, 40 * number) for number, flight in enumerate(FLIGHTS)}
NOW = int(time.time())


def site_day(_slot: IdHash, second: int) -> int:
    return second // 86_400


def event(rng: random.Random) -> bytes:
    number = rng.randrange(600)
    token = Token(
        issuer=b"issuer",
        shard=number % SHARDS,
        sequence=number * 50,
        issued_second=NOW - number * 30,
        flight=FLIGHTS[number % SHARDS],
        creative=id_hash(Kind.CREATIVE, "anvil"),
        slot=id_hash(Kind.SLOT, "masthead"),
        place=Kind.PLACE.unknown,
        topic=Kind.TOPIC.none,
        variant=Variant.AUTO,
    )
    return encode(event_record(token, rng.choice(list(EventKind)), None, Variant.SHORT, NOW))


@pytest.mark.parametrize("shard", range(SHARDS))
def test_one_shard_of_three_falls_back_and_is_replayed_alone(tmp_path: Path, shard: int) -> None:
    rng = random.Random(shard)
    writers = [SpoolWriter.open_in(tmp_path) for _ in range(2)]

    def write(events: int) -> None:
        for _ in range(events):
            rng.choice(writers).append(event(rng))

    with running_valkey() as socket, connect(socket) as client:
        counter = SpoolCounter(tmp_path, RedisCountStore(client), SHARDS, batch_bytes=64 * 50)
        count = counting(counter)
        write(500)
        count()
        dumped = dump_shard(client, shard)
        write(500)
        count()
        before = {other: client.hgetall(f"{{s{other}}}:applied") for other in range(SHARDS)}
        restore_shard(client, shard, dumped)
        assert client.hgetall(f"{{s{shard}}}:applied") != before[shard]

        counter.recall()
        count()

        assert {other: client.hgetall(f"{{s{other}}}:applied") for other in range(SHARDS)} == before
        goals = {flight.hex(): goal.impressions for flight, goal in GOALS.items() if goal.impressions}
        records = read_spools(tmp_path).records
        assert differences(Stored(client), records, "UTC", goals) == []
    print(f"shard {shard} of {SHARDS} fell back by half of {len(records)} records, and ended exact")
    counter.close()
    for writer in writers:
        writer.close()


def counting(counter: SpoolCounter) -> Callable[[], None]:
    def count() -> None:
        counter.sync()
        counter.apply(site_day, GOALS, lambda: False)
        assert counter.backlog().unapplied_bytes == 0

    return count


def test_a_service_of_three_shards_stays_exact_when_one_falls_back_and_a_batch_comes_late(tmp_path: Path) -> None:
    with running_stage(tmp_path, shards=SHARDS) as stage:
        with stage.load():
            before = stage.readers.answered
            said: set[str] = set()
            while len(said) < SHARDS:
                said.add(rewind_one_shard(stage))
            late = deliver_late(stage)
            over = stage.readers.answered
        stopped = time.monotonic()
        balance = stage.assert_exact()
        settled = round(time.monotonic() - stopped, 1)
        with stage.redis.client() as client:
            flights = [client.hlen(f"{{s{shard}}}:delivered") for shard in range(SHARDS)]
    assert sum(map(bool, flights)) > 1, flights
    outcome = Outcome(
        fault="each of three shards as it was, the others not; then a batch delivered late",
        before=before,
        during=over - before,
        after=balance.answered - over,
        answered=balance.answered,
        recorded=balance.recorded,
        dropped=balance.dropped,
        cells=balance.cells,
        settled_seconds=settled,
    )
    note(outcome, "; ".join((*said, late)))
