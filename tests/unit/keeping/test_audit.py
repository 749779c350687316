"""The audit against real spools and a real Redis: it finds what is wrong, and nothing else."""

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from audit_stand import DAY, FLIGHTS, AuditStand

from adserver.counting.cells import CLICKS, IMPRESSIONS, Family, Metric
from adserver.counting.records import event_record
from adserver.counting.spool import segment_path, segment_starts
from adserver.domain.reasons import EventKind, InvalidReason
from adserver.domain.variants import Variant
from adserver.keeping.archive import ARCHIVE_NAME, ArchiveWriter
from adserver.keeping.audit import StoreMoved
from adserver.keeping.disk import Disk
from adserver.keeping.sources import SPOOLS_NAME, ArchivedSource, Missing, Records, find_records
from adserver.keeping.tails import SpoolTail


def cell_keys(client: redis.Redis, family: Family) -> list[bytes]:
    return sorted(key for key in client.scan_iter(match=f"*:{family}:*", count=1000) if b"index" not in key)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("most_records", [1_000_000, 40])
def test_what_was_counted_right_agrees(valkey: redis.Redis, tmp_path: Path, seed: int, most_records: int) -> None:
    stand = AuditStand(valkey, tmp_path / "host", int(time.time()), random.Random(seed))
    stand.write_some(200)
    stand.count()

    audit = stand.audit(most_records=most_records)
    stand.close()

    assert audit.agrees, (audit.differences, audit.flights)
    assert (audit.records, audit.unsettled, audit.missing, audit.strangers) == (200, 0, (), ())
    assert audit.cells > 30


@pytest.mark.parametrize("family", Family)
def test_a_count_that_is_one_off_is_found_where_it_stands(stand: AuditStand, family: Family) -> None:
    stand.write_some(200)
    stand.count()
    key = cell_keys(stand.client, family)[0]
    field = max(stand.client.hkeys(key))
    stand.client.hincrby(key, field, 1)

    audit = stand.audit()

    assert not audit.agrees
    [difference] = audit.differences
    assert (difference.spot.family, difference.found - difference.expected) == (family, 1)
    assert difference.spot.member in key.decode()


def test_cells_that_nothing_was_recorded_for_are_found(stand: AuditStand) -> None:
    stand.write_some(50)
    stand.count()
    member = f"{FLIGHTS[3].hex()}:{'ab' * 6}:{'cd' * 5}"
    stand.client.hset(f"{{s1}}:hours:{member}:80000", b"\x00\x03", 4)
    stand.client.sadd("{s1}:index:hours:80000", member)

    [difference] = stand.audit().differences

    assert (difference.expected, difference.found, difference.metric) == (0, 4, CLICKS.code)
    assert difference.time == 480_000


def test_a_hash_that_is_gone_is_found(stand: AuditStand) -> None:
    stand.write_some(100)
    stand.count()
    key = cell_keys(stand.client, Family.PLACES)[0]
    fields = stand.client.hlen(key)
    stand.client.delete(key)

    audit = stand.audit()

    assert 0 < len(audit.differences) <= fields
    assert {difference.found for difference in audit.differences} == {0}


def test_what_counts_towards_a_goal_must_be_what_the_cells_have(stand: AuditStand) -> None:
    stand.write(event_record(stand.token(3), EventKind.SEEN, None, Variant.LONG, stand.now) for _ in range(2))
    stand.count()
    assert stand.audit().agrees
    stand.client.hincrby("{s1}:delivered", FLIGHTS[3].hex(), 1)

    audit = stand.audit()

    assert not audit.differences
    [flight] = audit.flights
    assert (flight.flight, flight.delivered, set(flight.impressions.values())) == (FLIGHTS[3], 2, {1})


def test_views_over_a_goal_agree_in_whatever_cell_they_are(stand: AuditStand) -> None:
    views = [event_record(stand.token(4 * n), EventKind.SEEN, None, Variant.LONG, stand.now) for n in range(14)]
    stand.write(views)
    stand.count()
    over = Metric.invalid(EventKind.SEEN, InvalidReason.OVER)
    fields = [field for key in cell_keys(stand.client, Family.HOURS) for field in stand.client.hkeys(key)]
    assert {field[1] for field in fields} == {IMPRESSIONS.code, over.code}

    assert stand.audit().agrees


def test_what_is_written_and_not_counted_yet_is_no_difference(stand: AuditStand) -> None:
    stand.write_some(60)
    stand.count()
    stand.write_some(60)

    audit = stand.audit()

    assert audit.agrees
    assert audit.records == 60


def test_cells_counted_into_while_they_are_read_are_left_out_and_said(
    stand: AuditStand, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand.write_some(100)
    stand.count()
    auditor = stand.auditor()
    compare = auditor._compare

    def count_more(day: int | None) -> None:
        if day is None:
            stand.write(event_record(stand.token(3), EventKind.SEEN, None, Variant.LONG, stand.now) for _ in range(3))
            stand.count()
        compare(day)

    monkeypatch.setattr(auditor, "_compare", count_more)
    audit = auditor.run()

    assert audit.agrees
    assert audit.unsettled > 0
    assert stand.audit().unsettled == 0


def test_a_store_that_falls_back_meanwhile_is_not_judged(stand: AuditStand, monkeypatch: pytest.MonkeyPatch) -> None:
    stand.write_some(30)
    stand.count()
    auditor = stand.auditor()
    monkeypatch.setattr(auditor, "_compare", lambda _day: stand.client.delete("{s0}:applied"))

    with pytest.raises(StoreMoved):
        auditor.run()


def test_records_of_another_host_are_missed_until_its_folder_is_given(stand: AuditStand, tmp_path: Path) -> None:
    other = AuditStand(stand.client, tmp_path / "other", stand.now, random.Random(8))
    for host in (stand, other):
        host.write_some(80)
        host.count()
    other.close()

    alone, together = stand.audit(), stand.audit(other.folder)

    assert alone.strangers == tuple(sorted(writer.spool_id for writer in other.writers))
    assert alone.differences
    assert together.agrees
    assert together.strangers == ()
    assert together.records == 160


def test_a_segment_that_is_gone_is_named(stand: AuditStand) -> None:
    stand.write_some(100)
    stand.count()
    folder = stand.folder / SPOOLS_NAME / "0"
    start = segment_starts(folder)[1]
    segment_path(folder, start).unlink()

    [missing] = stand.audit().missing

    assert (missing.spool_id, missing.start, missing.end) == (stand.writers[0].spool_id, start, start + 640)


def test_damaged_records_are_passed_over_as_they_were_when_counted(stand: AuditStand) -> None:
    stand.write_some(20)
    assert stand.writers[0].append(b"x" * 64) == 1
    stand.write_some(20)
    stand.count()

    audit = stand.audit()

    assert audit.agrees
    assert audit.records == 40


# --- beside a keeper that puts segments away, and behind a copy that was put back ---


def put_one_away(stand: AuditStand) -> None:
    """Archive and unlink the oldest segment of the first spool, as the keeper does."""
    folder = stand.folder / SPOOLS_NAME / "0"
    start, following = segment_starts(folder)[:2]
    path = segment_path(folder, start)
    writer = ArchiveWriter(stand.folder / ARCHIVE_NAME, stand.writers[0].spool_id, start, Disk())
    writer.add(path.read_bytes())
    writer.finish(following)
    path.unlink()


@pytest.mark.parametrize("corrupt", [False, True])
def test_a_segment_that_is_put_away_during_an_audit_is_read_from_the_archive(
    stand: AuditStand, corrupt: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand.write_some(5)
    if corrupt:
        assert stand.writers[0].append(b"x" * 64) == 1
    stand.write_some(95)
    stand.count()
    auditor = stand.auditor()
    count_days = auditor._count_days

    def count_days_late(records: Records) -> Iterator[int]:
        put_one_away(stand)
        return count_days(records)

    monkeypatch.setattr(auditor, "_count_days", count_days_late)
    audit = auditor.run()

    assert audit.agrees, (audit.differences, audit.flights)
    assert (audit.records, audit.missing) == (100, ())


def test_a_segment_that_is_put_away_while_folders_are_looked_through_is_found_in_the_archive(
    stand: AuditStand, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand.write_some(100)
    stand.count()
    segments = SpoolTail.segments
    left = [stand]

    def put_away_midway(tail: SpoolTail) -> list[tuple[int, int]]:
        if left:
            put_one_away(left.pop())
            raise FileNotFoundError
        return segments(tail)

    monkeypatch.setattr(SpoolTail, "segments", put_away_midway)

    audit = stand.audit()

    assert (audit.agrees, audit.records) == (True, 100)


def test_what_was_counted_past_the_end_of_a_copy_that_was_put_back_is_said(stand: AuditStand) -> None:
    stand.write_some(100)
    stand.count()
    folder = stand.folder / SPOOLS_NAME / "0"
    last = segment_starts(folder)[-1]
    end = stand.writers[0].offset
    segment_path(folder, last).unlink()

    audit = stand.audit()

    assert audit.missing == (Missing(stand.writers[0].spool_id, last, end),)
    assert audit.differences


# --- late ---


def late_stand(valkey: redis.Redis, folder: Path, seed: int) -> AuditStand:
    """Return a host of which some events came when their tokens' bits were gone."""
    stand = AuditStand(valkey, folder, int(time.time()) - 7 * DAY + 4 * 3600, random.Random(seed))
    stand.write_some(200)
    stand.count()
    assert stand.client.hget("{s0}:drops", "late")
    return stand


@pytest.mark.parametrize("seed", range(6))
def test_differences_that_late_events_explain_are_told_and_no_fault(
    valkey: redis.Redis, tmp_path: Path, seed: int
) -> None:
    stand = late_stand(valkey, tmp_path / "host", seed)

    audit = stand.audit()
    stand.close()

    assert (audit.agrees, audit.differences) == (True, ())
    assert audit.late > 0
    assert audit.explained > 0


def test_more_than_late_events_explain_differs(valkey: redis.Redis, tmp_path: Path) -> None:
    stand = late_stand(valkey, tmp_path / "host", 3)
    late = stand.audit().late
    key = cell_keys(valkey, Family.HOURS)[0]
    valkey.hincrby(key, max(valkey.hkeys(key)), 4 * late + 1)

    audit = stand.audit()
    stand.close()

    assert not audit.agrees
    assert {one.spot.family for one in audit.differences} == {Family.HOURS}


def test_late_events_explain_nothing_of_tokens_that_were_young_enough(valkey: redis.Redis, tmp_path: Path) -> None:
    stand = late_stand(valkey, tmp_path / "host", 3)
    stand.late_before = 0

    audit = stand.audit()
    stand.close()

    assert not audit.agrees
    assert audit.explained == 0


def test_records_of_an_archive_are_placed_where_they_stood_behind_damaged_ones_too(stand: AuditStand) -> None:
    assert stand.writers[0].append(b"x" * 64) == 1
    stand.write_some(60)
    put_one_away(stand)
    [source] = [one for one in find_records([stand.folder]).sources if isinstance(one, ArchivedSource)]

    placed = [offset for start, data in source.placed_chunks() for offset in range(start, start + len(data), 64)]

    assert placed == [offset for offset, _ in source.records()]
    assert placed[0] == 64
