"""Roll-up in Redis: scripts that move a few hashes each, all of whose keys are one shard's."""

from collections.abc import Sequence
from importlib import resources
from typing import Final, cast

import redis
from redis.exceptions import NoScriptError, RedisClusterException, RedisError

from adserver.counting.cells import (
    cell_key,
    index_key,
    reach_index_key,
    reach_key,
    reached_key,
    rolled_key,
)
from adserver.domain.errors import StoreUnavailable
from adserver.domain.ids import IdHash
from adserver.keeping.redis_cells import RedisCells
from adserver.keeping.roll_up import Move, Sketches
from adserver.store.presence import may_exist

_MOVE: Final = "roll_up.lua"
_SETTLE: Final = "settle_reach.lua"

Argument = str | bytes | int


class RedisRollUp(RedisCells):
    """A `RollUpStore` on Redis or Valkey. The client's retries must be off. One thread."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__(client)
        self._shas: dict[str, str] = {}

    def move(self, moves: Sequence[Move]) -> int:
        """Move hashes of one shard and family, all of it or nothing; return how many held anything."""
        return self._run(_MOVE, *encode_moves(moves)) if moves else 0

    def sketched_days(self, shard: int, among: range) -> Sequence[int]:
        """Return the days that may have sketches of readers, lowest first."""
        try:
            there = may_exist(self._client, [(reach_index_key(shard, day),) for day in among])
        except (RedisError, RedisClusterException) as error:
            raise StoreUnavailable(f"Redis did not say which days have readers: {error}") from error
        return [day for day, may in zip(among, there, strict=True) if may]

    def sketched(self, shard: int, day: int) -> frozenset[IdHash]:
        """Return the flights that have a sketch of a day's readers."""
        try:
            names = cast("set[bytes]", self._client.smembers(reach_index_key(shard, day)))
        except (RedisError, RedisClusterException) as error:
            raise StoreUnavailable(f"Redis did not say which flights had readers: {error}") from error
        return frozenset(IdHash(bytes.fromhex(name.decode())) for name in names)

    def settle(self, sketches: Sketches) -> int:
        """Leave of sketches their numbers, all of it or nothing; return how many there were."""
        keys = [reached_key(sketches.shard, sketches.day), reach_index_key(sketches.shard, sketches.day)]
        keys += [reach_key(sketches.shard, sketches.day, flight) for flight in sketches.flights]
        return self._run(_SETTLE, keys, [flight.hex() for flight in sketches.flights])

    def _run(self, script: str, keys: Sequence[str], arguments: Sequence[Argument]) -> int:
        try:
            return cast("int", self._call(script, keys, arguments))
        except (RedisError, RedisClusterException) as error:
            raise StoreUnavailable(f"Redis did not move old counts: {error}") from error

    def _call(self, script: str, keys: Sequence[str], arguments: Sequence[Argument]) -> object:
        if script in self._shas:
            try:
                return self._client.evalsha(self._shas[script], len(keys), *keys, *arguments)
            except NoScriptError:  # a server started anew
                pass
        text = resources.files("adserver.keeping").joinpath(script).read_text()
        self._shas[script] = self._client.script_load(text)
        return self._client.evalsha(self._shas[script], len(keys), *keys, *arguments)


def encode_moves(moves: Sequence[Move]) -> tuple[list[str], list[Argument]]:
    """Return KEYS and ARGV of `roll_up.lua`, whose head says what stands where, for moves of one shard and family."""
    first = moves[0]
    rolled = first.family.rolled
    if rolled is None:
        raise ValueError(f"{first.family} are not rolled up")
    keys = [rolled_key(first.shard)]
    arguments: list[Argument] = [first.family.value, first.oldest, len(moves)]
    for move in moves:
        keys.append(cell_key(move.shard, move.family, move.member, move.block))
        keys.append(index_key(move.shard, move.family, move.block))
        for target in move.targets:
            keys += [cell_key(move.shard, rolled, move.member, target), index_key(move.shard, rolled, target)]
        arguments += [move.member, len(move.targets), b"".join(bytes(one) for one in move.offsets)]
    return keys, arguments
