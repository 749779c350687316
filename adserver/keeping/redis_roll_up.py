"""Roll-up in Redis: one script a hash, all of whose keys are one shard's."""

from importlib import resources
from typing import Final, cast

import redis
from redis.exceptions import NoScriptError, RedisClusterException, RedisError

from adserver.counting.cells import cell_key, index_key, rolled_key
from adserver.domain.errors import StoreUnavailable
from adserver.keeping.redis_cells import RedisCells
from adserver.keeping.roll_up import Move

_SCRIPT_NAME: Final = "roll_up.lua"


class RedisRollUp(RedisCells):
    """A `RollUpStore` on Redis or Valkey. The client's retries must be off. One thread."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__(client)
        self._script = resources.files("adserver.keeping").joinpath(_SCRIPT_NAME).read_text()
        self._sha = ""

    def move(self, move: Move) -> int:
        """Move a hash, all of it or nothing; return how many counts there were."""
        keys, arguments = encode_move(move)
        try:
            return cast("int", self._call(keys, arguments))
        except (RedisError, RedisClusterException) as error:
            raise StoreUnavailable(f"Redis did not move old counts: {error}") from error

    def _call(self, keys: list[str], arguments: list[str | bytes | int]) -> object:
        if self._sha:
            try:
                return self._client.evalsha(self._sha, len(keys), *keys, *arguments)
            except NoScriptError:  # a server started anew
                pass
        self._sha = self._client.script_load(self._script)
        return self._client.evalsha(self._sha, len(keys), *keys, *arguments)


def encode_move(move: Move) -> tuple[list[str], list[str | bytes | int]]:
    """Return KEYS and ARGV of the script for a move; the head of `roll_up.lua` says what stands where."""
    rolled = move.family.rolled
    if rolled is None:
        raise ValueError(f"{move.family} are not rolled up")
    keys = [rolled_key(move.shard), cell_key(move.shard, move.family, move.member, move.block)]
    keys.append(index_key(move.shard, move.family, move.block))
    for target in move.targets:
        keys += [cell_key(move.shard, rolled, move.member, target), index_key(move.shard, rolled, target)]
    offsets = b"".join(bytes(one) for one in move.offsets)
    return keys, [move.family.value, move.oldest, move.member, offsets]
