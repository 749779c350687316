"""Records made into a batch as the keeper makes them, through their bytes."""

from collections.abc import Iterable, Mapping

from adserver.counting.coarser import SiteDay
from adserver.counting.records import Record, encode
from adserver.domain.ids import IdHash
from adserver.keeping.batches import Batch, Goal
from adserver.keeping.batching import make_batches
from adserver.keeping.record_table import RecordTable


def batch_of(
    records: Iterable[Record],
    site_day: SiteDay,
    goals: Mapping[IdHash, Goal],
    *,
    spool: str,
    start: int,
    end: int,
    shard: int = 0,
    shards: int = 1,
) -> Batch:
    """Return the batch of one shard for records that stand in [start, end) of a spool."""
    table = RecordTable.read(b"".join(map(encode, records)))
    [counted] = make_batches(table, [shard], shards, site_day, goals)
    return counted.batch(spool, start, end)
