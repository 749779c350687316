"""Random schedules of appends, lost replies, late duplicates, stale cursors and rewinds end in the oracle's counts."""

import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import resources
from typing import TypeVar, cast

import pytest
import redis
from batch_of import batch_of
from counting_oracle import Cells, differences
from examples import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adserver.counting.cells import Family, parse_field, shard_tag
from adserver.counting.records import (
    DecisionKey,
    Record,
    decision_record,
    event_record,
)
from adserver.domain.ids import IdHash, Kind, id_hash
from adserver.domain.reasons import EventKind, InvalidReason
from adserver.domain.token import Token
from adserver.domain.variants import Variant
from adserver.keeping.batches import TOKENS_PER_BLOCK, Batch, Goal
from adserver.keeping.counts import CountStore, MemoryCountStore, state_metrics
from adserver.keeping.redis_counts import RedisCountStore

SHARDS = 2
SPOOLS = ("aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb", "cccccccccccccccc", "dddddddddddddddd")
FLIGHTS = tuple(id_hash(Kind.FLIGHT, f"flight-{number}") for number in range(4))
GOALS = {FLIGHTS[0]: Goal(1, 5), FLIGHTS[1]: Goal(1, 12), FLIGHTS[2]: Goal(1, 0), FLIGHTS[3]: Goal(1, 0)}
REASONS = (None, None, None, None, InvalidReason.EXPIRED, InvalidReason.PREFETCH)
NOW = 1_795_500_000
WINDOW_SECONDS = 7 * 24 * 3600


def site_day(_slot: IdHash, second: int) -> int:
    return second // 86_400


def shard_of_flight(flight: IdHash) -> int:
    return FLIGHTS.index(flight) % SHARDS


def sequence_of(number: int) -> int:
    """Return a token's number: tokens of a shard share bytes, stand near each other, and fall into several blocks."""
    return number // 4 % 3 * 4_500 + number // 12 * 20 + number % 4


def make_token(number: int, now: int) -> Token:
    flight = FLIGHTS[number % len(FLIGHTS)]
    return Token(
        issuer=b"issuer",
        shard=shard_of_flight(flight),
        sequence=sequence_of(number),
        issued_second=now - number % 3 * 3600,
        flight=flight,
        creative=id_hash(Kind.CREATIVE, "creative"),
        slot=id_hash(Kind.SLOT, "slot"),
        place=Kind.PLACE.unknown,
        topic=Kind.TOPIC.none,
        variant=Variant.AUTO if number % 5 else Variant.SHORT,
    )


@dataclass
class World:
    """Spools of records, and a keeper's memory of where each shard stands in each of them."""

    store: CountStore
    rng: random.Random
    now: int
    spools: dict[str, list[Record]] = field(default_factory=lambda: {spool: [] for spool in SPOOLS})
    cursors: dict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))
    sent: list[Batch] = field(default_factory=list)
    kept: dict[int, "Undo"] = field(default_factory=dict)

    def append(self, number: int, kind: EventKind, reason: InvalidReason | None) -> None:
        token = make_token(number, self.now)
        record = event_record(token, kind, reason, Variant.LONG, self.now)
        self.spools[self.rng.choice(SPOOLS)].append(record)

    def append_fills(self, number: int, times: int) -> None:
        token = make_token(number, self.now)
        key = DecisionKey.of(token)
        self.spools[self.rng.choice(SPOOLS)].append(decision_record(key, times, self.now))

    def batch(self, spool: str, shard: int, start: int, end: int) -> Batch:
        records = self.spools[spool][start:end]
        return batch_of(records, site_day, GOALS, spool=spool, start=start, end=end, shard=shard, shards=SHARDS)

    def flush(self, spool: str, shard: int, *, reply_lost: bool = False) -> None:
        start = self.cursors[spool, shard]
        end = min(len(self.spools[spool]), start + self.rng.randint(1, 9))
        if start >= end:
            return
        batch = self.batch(spool, shard, start, end)
        self.sent.append(batch)
        applied = self.store.apply(batch)
        if not reply_lost:
            self.cursors[spool, shard] = applied.offset

    def records(self) -> list[Record]:
        return [record for records in self.spools.values() for record in records]

    def send_again(self) -> None:
        if self.sent:
            self.store.apply(self.rng.choice(self.sent))

    def forget(self, spool: str, shard: int) -> None:
        self.cursors[spool, shard] = self.rng.randint(0, self.cursors[spool, shard])

    def drain(self) -> None:
        for shard in range(SHARDS):
            applied = self.store.applied(shard)
            for spool in SPOOLS:
                self.cursors[spool, shard] = applied.get(spool, 0)
                for _ in range(10_000):
                    if self.cursors[spool, shard] >= len(self.spools[spool]):
                        break
                    self.flush(spool, shard)


Undo = Callable[[], None]
"""Puts a shard back to where it was."""

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


def replace(mapping: dict[_Key, _Value], by: dict[_Key, _Value], belongs: Callable[[_Key], bool]) -> None:
    for key in [key for key in mapping if belongs(key)]:
        del mapping[key]
    mapping.update(by)


def run_schedule(seed: int, store: CountStore, keep: Callable[[int], Undo], now: int) -> World:
    rng = random.Random(seed)
    world = World(store, rng, now)
    for _ in range(rng.randint(50, 250)):
        step, spool, shard = rng.random(), rng.choice(SPOOLS), rng.randrange(SHARDS)
        if step < 0.5:
            world.append(rng.randrange(40), rng.choice(list(EventKind)), rng.choice(REASONS))
        elif step < 0.55:
            world.append_fills(rng.randrange(40), rng.randint(1, 300))
        elif step < 0.75:
            world.flush(spool, shard)
        elif step < 0.82:
            world.flush(spool, shard, reply_lost=True)
        elif step < 0.89:
            world.send_again()
        elif step < 0.94:
            world.forget(spool, shard)
        elif step < 0.97:
            world.kept[shard] = keep(shard)
        elif shard in world.kept:
            world.kept[shard]()
    world.drain()
    return world


# --- in memory ---------------------------------------------------------------------------------------------------


@settings(max_examples=examples(150), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_memory_twin_counts_every_schedule_exactly(seed: int) -> None:
    store = MemoryCountStore(WINDOW_SECONDS, lambda: NOW)

    def keep(shard: int) -> Undo:
        tag = shard_tag(shard)
        offsets = {key: at for key, at in store.offsets.items() if key[0] == shard}
        states = {key: state for key, state in store.states.items() if key[0].startswith(tag)}
        cells = {key: dict(fields) for key, fields in store.cells.items() if key.startswith(tag)}
        net = {key: count for key, count in store.net.items() if key[0] == shard}

        def rewind() -> None:
            replace(store.offsets, offsets, lambda key: key[0] == shard)
            replace(store.states, states, lambda key: key[0].startswith(tag))
            replace(store.cells, {}, lambda key: key.startswith(tag))
            for key, fields in cells.items():
                store.cells[key].update(fields)
            replace(store.net, net, lambda key: key[0] == shard)

        return rewind

    world = run_schedule(seed, store, keep, NOW)

    assert differences({key: dict(fields) for key, fields in store.cells.items()}, world.records(), GOALS) == []


# --- on a real server --------------------------------------------------------------------------------------------


def read_cells(client: redis.Redis) -> dict[str, dict[bytes, int]]:
    cells = {}
    for family in Family:
        for key in client.scan_iter(match=f"*:{family}:*", count=1000):
            if b"index" not in key:
                cells[key.decode()] = {
                    name: int(count) for name, count in cast("dict[bytes, bytes]", client.hgetall(key)).items()
                }
    return cells


def state_differences(client: redis.Redis, now: int, cells: dict[str, dict[bytes, int]]) -> list[str]:
    """Hold the states of all tokens against the cells: what each token counts as now must add up to what is counted."""
    states: Cells = Counter()
    for number in range(40):
        token = make_token(number, now)
        block = f"{shard_tag(token.shard)}tok:{token.issuer.hex()}:{token.sequence // TOKENS_PER_BLOCK}"
        (state,) = client.bitfield(block).get("u6", f"#{token.sequence % TOKENS_PER_BLOCK}").execute()
        for metric in state_metrics(state % 16):
            states[token.flight, 0, Variant.AUTO, metric] += 1
    counted: Cells = Counter()
    for key, fields in cells.items():
        _, family, flight, *_ = key.split(":")
        for raw, count in fields.items():
            metric = parse_field(raw).metric
            if family == Family.HOURS and metric in STATE_METRICS:
                counted[IdHash(bytes.fromhex(flight)), 0, Variant.AUTO, metric] += count
    return [] if +states == +counted else [f"states {+states}, cells {+counted}"]


STATE_METRICS = {metric for state in range(16) for metric in state_metrics(state)}


def run_on_server(client: redis.Redis, seed: int, store: CountStore) -> list[str]:
    client.flushall()

    def keep(shard: int) -> Undo:
        keys = {key: client.dump(key) for key in client.scan_iter(match=f"{shard_tag(shard)}*", count=1000)}

        def rewind() -> None:
            for key in client.scan_iter(match=f"{shard_tag(shard)}*", count=1000):
                client.delete(key)
            for key, value in keys.items():
                client.restore(key, WINDOW_SECONDS * 1000 if b":tok:" in key else 0, cast("bytes", value))

        return rewind

    world = run_schedule(seed, store, keep, int(time.time()))
    cells = read_cells(client)
    return differences(cells, world.records(), GOALS) + state_differences(client, world.now, cells)


@settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_script_counts_every_schedule_exactly_on_a_real_server(valkey_client: redis.Redis, seed: int) -> None:
    assert run_on_server(valkey_client, seed, RedisCountStore(valkey_client, WINDOW_SECONDS)) == []


STORED = "word = word + (change.state - state) * shift"
MUTATIONS = {
    "offset check": ("if at ~= from then return {0, at} end", ""),
    "seen bit": (STORED, "word = word + (change.state - change.state % 2 - state) * shift"),
    "viewable bit": (STORED, "word = word + (change.state - math.floor(change.state / 2) % 2 * 2 - state) * shift"),
    "click bit": (STORED, "word = word + (change.state - math.floor(change.state / 4) % 2 * 4 - state) * shift"),
    "over bit": (STORED, "word = word + (change.state - math.floor(change.state / 8) % 2 * 8 - state) * shift"),
    "neighbours of a token": ("b1 * 65536 + b2 * 256 + b3\n      old_word", "b1 * 65536\n      old_word"),
    "bytes between two changes": ("sub(text, run_to + 1, start)", "rep('\\0', start - run_to)"),
    "what the old state counted": ("for metric in pairs(counts_of(old)) do add(metric, -1) end", ""),
    "what was counted before": ("value + counts[at_]", "counts[at_]"),
    "goal": ("if tight then", "if false then"),
    "delivered of earlier batches": (
        "tonumber(goal) - tonumber(stored_delivered[flight + 1] or '0')",
        "tonumber(goal)",
    ),
    "doubt whether a goal is met": ("left < u16(views, 2 * flight + 1)", "left < 0"),
    "state when goals are looked at": ("if state % 4 == 0 then\n          found", "if true then\n          found"),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_oracle_notices_a_script_without_its(valkey_client: redis.Redis, mutation: str) -> None:
    script = resources.files("adserver.keeping").joinpath("apply.lua").read_text()
    right, wrong = MUTATIONS[mutation]
    assert right in script
    broken = RedisCountStore(valkey_client, WINDOW_SECONDS, script.replace(right, wrong))

    assert any(run_on_server(valkey_client, seed, broken) for seed in range(25))
