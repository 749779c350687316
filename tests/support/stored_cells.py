"""Puts cells where the keeper puts them."""

from collections.abc import Iterable

import redis

from adserver.counting.cells import (
    Family,
    cell_field,
    cell_key,
    hours_member,
    index_key,
    places_member,
    topics_member,
)
from adserver.statistics.cell_store import Member, StoredCell
from adserver.store.cluster_client import ClusterClient


def put_cells(client: redis.Redis, cells: Iterable[tuple[Family, StoredCell]], shard: int = 0) -> None:
    """Add counts to a shard of Redis."""
    if isinstance(client, ClusterClient):  # whose pipelines take reads only
        _put(client, cells, shard)
        return
    with client.pipeline(transaction=False) as pipeline:
        _put(pipeline, cells, shard)
        pipeline.execute()


def _put(client: redis.Redis, cells: Iterable[tuple[Family, StoredCell]], shard: int) -> None:
    for family, cell in cells:
        text = member_text(family, cell.member)
        field = cell_field(cell.field.offset, cell.field.variant, cell.field.metric)
        client.hincrby(cell_key(shard, family, text, cell.block), field, cell.count)
        client.sadd(index_key(shard, family, cell.block), text)


def member_text(family: Family, member: Member) -> str:
    """Return what stands in the index for a member."""
    match family:
        case Family.HOURS:
            assert member.creative is not None
            return hours_member(member.flight, member.creative, member.slot)
        case Family.PLACES:
            assert member.creative is not None
            assert member.place is not None
            return places_member(member.flight, member.creative, member.slot, member.place)
        case Family.TOPICS:
            assert member.topic is not None
            return topics_member(member.flight, member.slot, member.topic)
