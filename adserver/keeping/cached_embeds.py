"""Finds markup that holds a token and was cached all the same: one token, view upon view.

`apply.lua` counts the beacons of each token whose view came again, in the hash `{s<shard>}:repeats`, in the same step
as it counts them as duplicates; at most 4,096 tokens a shard. Field `issuer:sequence`, value
`beacons:hour of issue:hour of the last one:slot:place`: hours since 1970, hashes of slot and place in hex. Beacons of
bots, staff and prefetches are none of them; those that came when the token had expired are.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, cast

import msgspec
import redis
from redis.exceptions import RedisClusterException, RedisError

from adserver.counting.cells import SHARDS_KEY, shard_tag
from adserver.domain.errors import StoreUnavailable
from adserver.domain.ids import IdHash
from adserver.keeping.cached_embeds_file import MOST_SHOWN, CachedEmbed, CachedEmbeds, write_cached_embeds
from adserver.store.presence import chunks

REPEATS_PART: Final = "repeats"
MOST_BEACONS: Final = 20
"""A token of more is one that several readers were given: nobody reloads an image so often."""
FORGOTTEN_HOURS: Final = 48
"""A token that nobody has shown for so long is let go."""
_CROWDED: Final = 3072
"""A shard that watches so many tokens lets those go early that are no finding."""
_CROWDED_HOURS: Final = 3
_LOOK_SECONDS: Final = 5.0
_CHUNK: Final = 500


class _Repeat(msgspec.Struct, frozen=True):
    field: bytes
    beacons: int
    issued_hour: int
    last_hour: int
    slot: IdHash
    place: IdHash


class CachedEmbedWatch:
    """Reads the hashes every five seconds, forgets what is over, writes what is found. For the keeper's one thread."""

    def __init__(
        self,
        client: redis.Redis,
        folder: Path,
        slot_name: Callable[[IdHash], str],
        place_name: Callable[[IdHash], str],
    ) -> None:
        """Take a client, the data folder, and what names a slot and a place; either may raise `StoreUnavailable`."""
        self._client = client
        self._folder = folder
        self._slot_name = slot_name
        self._place_name = place_name
        self._next = 0.0
        self._names: dict[tuple[IdHash, IdHash], tuple[str, str]] = {}
        self._written: CachedEmbeds | None = None

    def step(self, now: float) -> None:
        """Look, if it is time (Unix); a store that is away, or a disk that is full, is asked again later."""
        if not self._next - _LOOK_SECONDS <= now < self._next:
            self._next = now + _LOOK_SECONDS
            try:
                self._look(now)
            except (RedisError, RedisClusterException, StoreUnavailable, OSError):
                return

    def _look(self, now: float) -> None:
        hour = int(now) // 3600
        found: list[_Repeat] = []
        for shard in range(int(cast("bytes | None", self._client.get(SHARDS_KEY)) or 1)):
            key = f"{shard_tag(shard)}{REPEATS_PART}"
            repeats = list(_parsed(cast("dict[bytes, bytes]", self._client.hgetall(key))))
            over = {repeat.field for repeat in repeats if _is_over(repeat, hour, crowded=len(repeats) >= _CROWDED)}
            for fields in chunks(tuple(over), _CHUNK):
                self._client.hdel(key, *fields)
            found += (each for each in repeats if each.beacons > MOST_BEACONS and each.field not in over)
        found.sort(key=lambda each: (-each.beacons, each.field))
        shown = found[:MOST_SHOWN]
        self._names = {pair: self._name(*pair) for pair in {(each.slot, each.place) for each in shown}}
        embeds = CachedEmbeds(tokens=len(found), worst=tuple(map(self._named, shown)))
        if embeds != self._written:
            write_cached_embeds(self._folder, embeds)
            self._written = embeds

    def _named(self, repeat: _Repeat) -> CachedEmbed:
        return CachedEmbed(*self._names[repeat.slot, repeat.place], repeat.issued_hour * 3600, repeat.beacons)

    def _name(self, slot: IdHash, place: IdHash) -> tuple[str, str]:
        """Return the words of a slot and a place; asked once for as long as they are shown."""
        return self._names.get((slot, place)) or (self._slot_name(slot), self._place_name(place))


def _parsed(stored: dict[bytes, bytes]) -> Iterator[_Repeat]:
    for field, value in stored.items():
        beacons, issued_hour, last_hour, slot, place = value.decode().split(":")
        hashes = IdHash(bytes.fromhex(slot)), IdHash(bytes.fromhex(place))
        yield _Repeat(field, int(beacons), int(issued_hour), int(last_hour), *hashes)


def _is_over(repeat: _Repeat, hour: int, *, crowded: bool) -> bool:
    idle = hour - repeat.last_hour
    return idle > FORGOTTEN_HOURS or (crowded and repeat.beacons <= MOST_BEACONS and idle > _CROWDED_HOURS)
