from collections.abc import Callable
from pathlib import Path

import fakeredis
import pytest
import redis
from valkey_server import connect

from adserver.counting.cells import SHARDS_KEY
from adserver.domain.ids import IdHash
from adserver.keeping.cached_embeds import CachedEmbedWatch
from adserver.keeping.cached_embeds_file import (
    CACHED_EMBEDS_NAME,
    NO_CACHED_EMBEDS,
    CachedEmbed,
    CachedEmbeds,
    read_cached_embeds,
)

HOUR = 490_000
NOW = HOUR * 3600.0
SLOT, PLACE = IdHash(b"slot5"), IdHash(b"place")


def repeat(beacons: int, last_hour: int = HOUR, issued_hour: int = HOUR - 1) -> str:
    return f"{beacons}:{issued_hour}:{last_hour}:{SLOT.hex()}:{PLACE.hex()}"


@pytest.fixture
def client() -> redis.Redis:
    return fakeredis.FakeRedis()


def make_watch(client: redis.Redis, folder: Path, name: Callable[[IdHash], str] = lambda _: "top") -> CachedEmbedWatch:
    return CachedEmbedWatch(client, folder, name, lambda _: "Remer, MN")


def test_a_token_of_more_than_twenty_beacons_is_found_in_any_shard(client: redis.Redis, tmp_path: Path) -> None:
    client.set(SHARDS_KEY, 2)
    client.hset("{s0}:repeats", mapping={"a:1": repeat(20), "a:2": repeat(21)})
    client.hset("{s1}:repeats", mapping={"a:3": repeat(9_000)})
    make_watch(client, tmp_path).step(NOW)
    issued = (HOUR - 1) * 3600
    assert read_cached_embeds(tmp_path) == CachedEmbeds(
        tokens=2, worst=(CachedEmbed("top", "Remer, MN", issued, 9_000), CachedEmbed("top", "Remer, MN", issued, 21))
    )
    assert client.hlen("{s0}:repeats") == 2


def test_the_twenty_worst_are_shown_and_all_are_counted(client: redis.Redis, tmp_path: Path) -> None:
    client.hset("{s0}:repeats", mapping={f"a:{number}": repeat(number) for number in range(30, 60)})
    asked: list[IdHash] = []

    def name(slot: IdHash) -> str:
        asked.append(slot)
        return "top"

    watch = make_watch(client, tmp_path, name)
    watch.step(NOW)
    found = read_cached_embeds(tmp_path)
    assert (found.tokens, [embed.beacons for embed in found.worst]) == (30, list(range(59, 39, -1)))
    watch.step(NOW + 5)
    assert asked == [SLOT], "what has its name is not asked for again"


def test_a_token_that_nobody_shows_any_more_is_let_go(client: redis.Redis, tmp_path: Path) -> None:
    client.hset("{s0}:repeats", mapping={"a:1": repeat(50, HOUR - 48, HOUR - 900), "a:2": repeat(2, HOUR - 48)})
    watch = make_watch(client, tmp_path)
    watch.step(NOW)
    assert read_cached_embeds(tmp_path).tokens == 1, "shown 48 hours ago, however old it is"
    watch.step(NOW + 3600)
    assert read_cached_embeds(tmp_path) == NO_CACHED_EMBEDS
    assert client.hlen("{s0}:repeats") == 0


def test_where_there_are_very_many_those_that_are_no_finding_go_early(client: redis.Redis, tmp_path: Path) -> None:
    client.hset("{s0}:repeats", mapping={f"a:{number}": repeat(2, HOUR - 4) for number in range(3_070)})
    client.hset("{s0}:repeats", mapping={"b:1": repeat(21, HOUR - 4), "b:2": repeat(2, HOUR - 3)})
    make_watch(client, tmp_path).step(NOW)
    assert client.hkeys("{s0}:repeats") == [b"b:1", b"b:2"]


def test_it_looks_every_five_seconds_and_after_the_clock_was_set_back(client: redis.Redis, tmp_path: Path) -> None:
    watch = make_watch(client, tmp_path)
    watch.step(NOW)
    client.hset("{s0}:repeats", "a:1", repeat(30))
    watch.step(NOW + 4.9)
    assert read_cached_embeds(tmp_path).tokens == 0
    watch.step(NOW + 5)
    assert read_cached_embeds(tmp_path).tokens == 1
    client.hdel("{s0}:repeats", "a:1")
    watch.step(NOW - 3600)
    assert read_cached_embeds(tmp_path).tokens == 0


def test_a_store_that_is_away_leaves_what_was_found(client: redis.Redis, tmp_path: Path) -> None:
    client.hset("{s0}:repeats", "a:1", repeat(30))
    make_watch(client, tmp_path).step(NOW)
    make_watch(connect(tmp_path / "nobody"), tmp_path).step(NOW)
    assert read_cached_embeds(tmp_path).tokens == 1


@pytest.mark.parametrize("text", ["", "{", '{"version":2,"tokens":3}', '{"tokens":"x"}'])
def test_a_file_that_cannot_be_read_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / CACHED_EMBEDS_NAME).write_text(text)
    assert read_cached_embeds(tmp_path) == NO_CACHED_EMBEDS
