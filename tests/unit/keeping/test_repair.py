"""What was archived and then lost by the store is counted again through the script, once, whatever happens."""

import random
import shutil
from typing import cast

import pytest
from audit_stand import GOALS, SHARDS, AuditStand, site_day

from adserver.counting.cells import SHARDS_KEY
from adserver.domain.errors import StoreUnavailable
from adserver.keeping.archive import ARCHIVE_NAME
from adserver.keeping.batches import Batch
from adserver.keeping.counts import Applied
from adserver.keeping.disk import Disk
from adserver.keeping.redis_cells import RedisCells, RedisSpoolEnds
from adserver.keeping.redis_counts import RedisCountStore
from adserver.keeping.repair import Fillable, Repair, Repaired
from adserver.keeping.retention import Retention, RetentionRules
from adserver.keeping.sources import SPOOLS_NAME, find_records


def put_away(stand: AuditStand) -> None:
    """Archive every segment that is closed, and end the spools that are left."""
    ends = RedisSpoolEnds(stand.client)
    rules = RetentionRules(3600, archive_days=0)
    retention = Retention(stand.folder, stand.folder / SPOOLS_NAME, stand.counter, ends, rules, Disk())
    now = float(stand.now)
    for hours in (0, 2, 2):
        now += hours * 3600
        for _ in range(60):
            stand.counter.sync()
            retention.step(now)
            now += 11
    retention.close()


def lose_all(stand: AuditStand) -> None:
    stand.client.flushall()
    stand.client.set(SHARDS_KEY, SHARDS)


def repair(stand: AuditStand, counts: Fillable | None = None) -> Repaired:
    records = find_records([stand.folder])
    counts = counts or RedisCountStore(stand.client)
    return Repair(records, RedisCells(stand.client), counts, site_day, GOALS).run()


@pytest.mark.parametrize("keeper_first", [True, False])
def test_all_is_as_before_after_everything_was_lost(stand: AuditStand, keeper_first: bool) -> None:
    stand.write_some(150)
    assert stand.writers[0].append(b"x" * 64) == 1
    stand.write_some(150)
    stand.count()
    put_away(stand)
    stand.write_some(30)
    stand.count()
    assert stand.audit().agrees
    lose_all(stand)
    if keeper_first:
        stand.count()
        assert not stand.audit().agrees

    repaired = repair(stand)
    stand.count()

    assert stand.audit().agrees
    assert repaired.filled_bytes > 200 * 64
    assert repaired.left_bytes == 0
    assert repair(stand) == Repaired(0, 0)
    assert stand.audit().agrees


def test_spools_that_have_ended_are_counted_again_where_a_shard_has_forgotten_them(stand: AuditStand) -> None:
    stand.write_some(100)
    stand.count()
    stand.close()
    put_away(stand)
    assert not list((stand.folder / SPOOLS_NAME).iterdir())
    assert stand.audit().agrees
    assert repair(stand) == Repaired(0, 0)
    for key in stand.client.scan_iter(match="{s1}*"):
        stand.client.delete(key)
    assert not stand.audit().agrees

    assert repair(stand).filled_bytes == 100 * 64
    assert stand.audit().agrees


class Unreliable:
    """Loses replies, before or after the range was applied."""

    def __init__(self, inner: RedisCountStore, rng: random.Random) -> None:
        self._inner = inner
        self._rng = rng

    def apply(self, batch: Batch) -> Applied:
        if self._rng.random() < 0.2:
            raise StoreUnavailable("lost on the way there")
        applied = self._inner.apply(batch)
        if self._rng.random() < 0.2:
            raise StoreUnavailable("lost on the way back")
        return applied


@pytest.mark.parametrize("seed", range(5))
def test_a_repair_that_is_broken_off_anywhere_is_taken_up_again(stand: AuditStand, seed: int) -> None:
    stand.write_some(300)
    stand.count()
    put_away(stand)
    lose_all(stand)
    stand.count()
    unreliable = Unreliable(RedisCountStore(stand.client), random.Random(seed))
    for _ in range(400):
        try:
            repair(stand, unreliable)
            break
        except StoreUnavailable:
            stand.count()

    assert stand.audit().agrees


class Twice:
    """Sends every call twice, as two repairs at once would, or one whose call was held up on the way."""

    def __init__(self, inner: RedisCountStore) -> None:
        self._inner = inner
        self.second: list[bool] = []

    def apply(self, batch: Batch) -> Applied:
        applied = self._inner.apply(batch)
        self.second.append(self._inner.apply(batch).done)
        return applied


def test_a_range_of_a_gap_that_is_sent_twice_counts_once(stand: AuditStand) -> None:
    stand.write_some(120)
    stand.count()
    put_away(stand)
    lose_all(stand)
    stand.count()
    twice = Twice(RedisCountStore(stand.client))

    repair(stand, twice)

    assert stand.audit().agrees
    assert twice.second
    assert not any(twice.second)


def test_a_gap_that_begins_within_an_archive_is_filled_from_there(stand: AuditStand) -> None:
    stand.write_some(40)
    stand.count()
    copies = {key: stand.client.dump(key) for key in stand.client.scan_iter()}
    assert stand.writers[0].append(b"x" * 64) == 1
    stand.write_some(80)
    stand.count()
    put_away(stand)
    stand.client.flushall()
    for key, value in copies.items():
        stand.client.restore(key, 0, value)  # type: ignore[arg-type]
    stand.count()
    assert not stand.audit().agrees

    assert repair(stand).left_bytes == 0
    assert stand.audit().agrees


def test_what_stands_nowhere_stays_declared(stand: AuditStand) -> None:
    stand.write_some(120)
    stand.count()
    put_away(stand)
    for path in (stand.folder / "archive").iterdir():
        path.unlink()
    lose_all(stand)
    stand.count()

    repaired = repair(stand)

    assert repaired.filled_bytes == 0
    assert repaired.left_bytes == stand.audit().gap_bytes > 0


def test_an_end_is_never_lowered_by_an_older_copy_of_the_spool_and_its_return_is_no_loss(stand: AuditStand) -> None:
    stand.write_some(100)
    stand.count()
    stand.close()
    copy = stand.folder.parent / "copy"
    shutil.copytree(stand.folder / SPOOLS_NAME, copy)
    put_away(stand)
    ended = stand.client.hgetall("{s0}:ended")
    ends = RedisSpoolEnds(stand.client)
    for spool in ended:
        ends.end(cast("bytes", spool).decode(), 64)
    assert stand.client.hgetall("{s0}:ended") == ended
    (stand.folder / SPOOLS_NAME).rmdir()
    shutil.copytree(copy, stand.folder / SPOOLS_NAME)

    assert repair(stand) == Repaired(0, 0)
    stand.count()

    assert stand.audit().agrees
    shutil.rmtree(stand.folder / ARCHIVE_NAME)
    assert stand.audit().agrees
