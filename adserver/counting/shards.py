"""Which shard counts what. N shards stand in Redis once and never change in a running system.

A worker reads N from the compiled catalog, with the flights that it serves: it never asks Redis.
"""

from adserver.domain.ids import IdHash


def shard_of(hash_: IdHash, shards: int) -> int:
    """Return the shard of a flight, or of the slot where there is no flight: 0 <= shard < `shards`."""
    return int.from_bytes(hash_[:4], "big") % shards
