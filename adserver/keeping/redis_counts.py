"""The counts in Redis: one script, `apply.lua`, called with whole byte ranges of a spool."""

import hashlib
import struct
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import Final, cast

import redis
from redis.exceptions import NoScriptError, RedisError

from adserver.counting.cells import SHARDS_KEY, shard_tag
from adserver.domain.errors import StoreUnavailable
from adserver.domain.ids import IdHash
from adserver.keeping.batches import Batch
from adserver.keeping.cached_embeds import REPEATS_PART
from adserver.keeping.counts import Applied, check_shards

DEDUPE_WINDOW_SECONDS: Final = 7 * 24 * 3600
"""A token older than this counts no more: its bits may be gone."""

_KIND_OF_RANGE: Final = {(True, False): -1, (False, True): -2}
"""(gone, found again) -> what stands in the place of the number of corrupt records."""

_GROUP: Final = struct.Struct(">HBHBHBHIH")
_ECHO: Final = struct.Struct(">HHHH")


class RedisCountStore:
    """A `CountStore` on a Redis or Valkey server. The client's retries must be off. One thread."""

    def __init__(
        self, client: redis.Redis, window_seconds: int = DEDUPE_WINDOW_SECONDS, script: str | None = None
    ) -> None:
        """Take a client, how old a token may be when it is counted, and for tests another script than `apply.lua`."""
        self._client = client
        self._window_seconds = window_seconds
        self._script = script or resources.files("adserver.keeping").joinpath("apply.lua").read_text()
        self._sha = hashlib.sha1(self._script.encode(), usedforsecurity=False).hexdigest()  # as Redis names it

    def apply(self, batch: Batch) -> Applied:
        """Apply a batch if the shard stands at its start in that spool."""
        keys, arguments = encode_call(batch, self._window_seconds)
        try:
            done, offset = self._call(keys, arguments)
        except RedisError as error:
            raise StoreUnavailable(f"Redis did not take a batch of counts: {error}") from error
        return Applied(done=bool(done), offset=offset)

    def applied(self, shard: int) -> Mapping[str, int]:
        """Return where a shard stands in each spool."""
        try:
            stored = cast("dict[bytes, bytes]", self._client.hgetall(f"{shard_tag(shard)}applied"))
        except RedisError as error:
            raise StoreUnavailable(f"Redis did not say what is counted: {error}") from error
        return {spool.decode(): int(offset) for spool, offset in stored.items()}

    def ended(self, shard: int, spool_ids: Iterable[str]) -> Mapping[str, int]:
        """Return at which offsets spools ended."""
        asked = tuple(spool_ids)
        if not asked:
            return {}
        try:
            stored = cast("list[bytes | None]", self._client.hmget(f"{shard_tag(shard)}ended", asked))
        except RedisError as error:
            raise StoreUnavailable(f"Redis did not say which spools have ended: {error}") from error
        return {spool: int(end) for spool, end in zip(asked, stored, strict=True) if end is not None}

    def delivered(self, shard: int, flights: Iterable[IdHash]) -> Mapping[IdHash, int]:
        """Return the net impressions of flights of a shard."""
        asked = tuple(flights)
        if not asked:
            return {}
        key, fields = f"{shard_tag(shard)}delivered", [flight.hex() for flight in asked]
        try:
            stored = cast("list[bytes | None]", self._client.hmget(key, fields))
        except RedisError as error:
            raise StoreUnavailable(f"Redis did not say what is delivered: {error}") from error
        return {flight: int(count or 0) for flight, count in zip(asked, stored, strict=True)}

    def declare_dropped(self, spool_id: str, events: int) -> None:
        """Set how many events a spool's workers could not write, ever."""
        try:
            self._client.hset(f"{shard_tag(0)}drops", f"spool:{spool_id}", str(events))
        except RedisError as error:
            raise StoreUnavailable(f"Redis did not take a count of drops: {error}") from error

    def agree_on_shards(self, of_new: int, of_folder: int | None) -> int:
        """Return the number of shards, fixed from the first call on."""
        try:
            stored = self._shards_stored()
            check_shards(stored or of_new, of_folder)
            if stored is None:
                self._client.set(SHARDS_KEY, of_new, nx=True)
                stored = self._shards_stored() or of_new  # another host may have come first, with its own
                check_shards(stored, of_folder)
        except RedisError as error:
            raise StoreUnavailable(f"Redis did not say how its counts are cut: {error}") from error
        return stored

    def _shards_stored(self) -> int | None:
        stored = cast("bytes | None", self._client.get(SHARDS_KEY))
        return None if stored is None else int(stored)

    def _call(self, keys: list[str], arguments: list[str | bytes | int]) -> tuple[int, int]:
        try:
            reply = self._client.evalsha(self._sha, len(keys), *keys, *arguments)
        except NoScriptError:  # a server started anew, or one that has just become the primary; it ran nothing
            reply = self._client.eval(self._script, len(keys), *keys, *arguments)
        return cast("tuple[int, int]", reply)


def encode_call(batch: Batch, window_seconds: int) -> tuple[list[str], list[str | bytes | int]]:
    """Return KEYS and ARGV of the script for a batch; the head of `apply.lua` says what stands where."""
    tag = shard_tag(batch.shard)
    listed = [cell.index_key for cell in (*batch.cells, *batch.sketches)]
    indexes = {index: number for number, index in enumerate(dict.fromkeys(listed))}
    echo_blocks = {block: number for number, block in enumerate(dict.fromkeys(echo.block for echo in batch.echoes))}
    keys = [f"{tag}applied", f"{tag}delivered", f"{tag}goals", f"{tag}drops", f"{tag}gap", f"{tag}{REPEATS_PART}"]
    keys += [*batch.blocks, *(cell.key for cell in batch.cells), *(sketch.key for sketch in batch.sketches), *indexes]
    keys += echo_blocks
    arguments: list[str | bytes | int] = [batch.spool_id, batch.start, batch.end, window_seconds]
    arguments += [len(batch.blocks), len(batch.cells), len(batch.sketches), len(indexes), len(batch.flights)]
    arguments += [
        _KIND_OF_RANGE.get((batch.gap, batch.found_again), batch.corrupt),
        _numbers(batch.block_rows),
        batch.rows,
        b"".join(_GROUP.pack(*group) for group in batch.groups),
        batch.increments,
        _numbers([indexes[index] for index in listed]),
        _numbers(batch.views),
        b"".join(_ECHO.pack(echo_blocks[block], *echo) for block, *echo in batch.echoes),
    ]
    arguments += [flight.hex() for flight, _ in batch.flights]
    arguments += [f"{goal.revision}:{goal.impressions}" for _, goal in batch.flights]
    return keys, arguments


def _numbers(numbers: Sequence[int]) -> bytes:
    return struct.pack(f">{len(numbers)}H", *numbers)
