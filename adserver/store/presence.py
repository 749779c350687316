"""Which of very many keys there are, when hardly any is: years without a count cost next to nothing."""

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar, cast

import redis

from adserver.store.cluster_client import ClusterClient

_THINGS: Final = 64
"""Whose keys one EXISTS asks for."""
_COMMANDS: Final = 500
"""In one round, so that no other client waits long."""

_Item = TypeVar("_Item")


def may_exist(client: redis.Redis, things: Sequence[Sequence[str]]) -> list[bool]:
    """Tell of each thing whether any of its keys may exist; False is certain. All keys lie in one slot.

    On a cluster each key is asked for alone, as a node that hands over a slot answers nothing about several keys.

    Raises:
        redis.RedisError: no answer.
        redis.RedisClusterException: no node answers.
    """
    if isinstance(client, ClusterClient):
        counts = iter(_exists(client, [(key,) for thing in things for key in thing]))
        return [sum(next(counts) for _ in thing) > 0 for thing in things]
    bundles = list(chunks(things, _THINGS))
    sums = _exists(client, [tuple(key for thing in bundle for key in thing) for bundle in bundles])
    return [count > 0 for bundle, count in zip(bundles, sums, strict=True) for _ in bundle]


def chunks(items: Sequence[_Item], size: int) -> Iterator[Sequence[_Item]]:
    """Yield the items in order, at most `size` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _exists(client: redis.Redis, commands: Sequence[Sequence[str]]) -> list[int]:
    counts: list[int] = []
    for some in chunks(commands, _COMMANDS):
        with client.pipeline(transaction=False) as pipeline:
            for keys in some:
                pipeline.exists(*keys)
            counts += cast("list[int]", pipeline.execute())
    return counts
