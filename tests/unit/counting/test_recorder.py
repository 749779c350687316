import fcntl
import multiprocessing
import os
from pathlib import Path

import pytest

from adserver.counting.recorder import DECISIONS_LOST, SpoolRecorder
from adserver.counting.records import CORRUPT, DecisionKey, Event, Record, RecordKind, decode
from adserver.domain.ids import Kind, id_hash
from adserver.domain.reasons import EventKind, NoFillReason
from adserver.domain.token import Token
from adserver.domain.variants import Variant
from adserver.keeping.tails import SpoolTail

SECOND = 1_795_500_123
SLOT = id_hash(Kind.SLOT, "masthead")


def token(sequence: int = 0) -> Token:
    return Token(
        issuer=b"issuer",
        shard=0,
        sequence=sequence,
        issued_second=SECOND,
        flight=id_hash(Kind.FLIGHT, "minnesota"),
        creative=id_hash(Kind.CREATIVE, "elevate"),
        slot=SLOT,
        place=Kind.PLACE.unknown,
        topic=Kind.TOPIC.none,
        variant=Variant.AUTO,
    )


def recorder_in(folder: Path) -> SpoolRecorder:
    return SpoolRecorder(folder, wall_clock=lambda: SECOND)


def written(folder: Path) -> list[Record]:
    tail = SpoolTail(folder / "0")
    tail.sync()
    records = list(decode(tail.read(0, 1_000_000)))
    assert CORRUPT not in records
    return [record for record in records if isinstance(record, Record)]


def count_no_fill(recorder: SpoolRecorder, reason: NoFillReason) -> None:
    recorder.no_fill(
        DecisionKey.unfilled(
            shard=0,
            slot=SLOT,
            place=Kind.PLACE.unknown,
            topic=Kind.TOPIC.none,
            variant=Variant.AUTO,
            reason=reason,
            second=SECOND,
        )
    )


def test_an_event_stands_in_the_spool_before_the_call_returns(tmp_path: Path) -> None:
    recorder_in(tmp_path).event(Event(token(7), EventKind.SEEN, None, Variant.SHORT, SECOND))

    (record,) = written(tmp_path)
    assert (record.kind, record.sequence, record.reported) == (RecordKind.SEEN, 7, Variant.SHORT.code)


def test_decisions_are_summed_and_written_at_the_flush(tmp_path: Path) -> None:
    recorder = recorder_in(tmp_path)
    for sequence in range(3):
        recorder.fill(token(sequence))
    count_no_fill(recorder, NoFillReason.PLACE)
    count_no_fill(recorder, NoFillReason.PLACE)
    count_no_fill(recorder, NoFillReason.TOPIC)
    recorder.flush()

    fills = [record.times for record in written(tmp_path) if record.kind == RecordKind.FILL]
    no_fills = {record.reason: record.times for record in written(tmp_path) if record.kind == RecordKind.NO_FILL}
    assert fills == [3]
    assert no_fills == {NoFillReason.PLACE.code: 2, NoFillReason.TOPIC.code: 1}


def test_a_flush_writes_what_came_since_the_last_only(tmp_path: Path) -> None:
    recorder = recorder_in(tmp_path)
    recorder.fill(token())
    recorder.flush()
    recorder.fill(token())
    recorder.flush()
    recorder.flush()

    assert [record.times for record in written(tmp_path)] == [1, 1]


def test_decisions_of_different_quarters_are_apart_because_days_may_begin_at_any_quarter(tmp_path: Path) -> None:
    recorder = recorder_in(tmp_path)
    count_no_fill(recorder, NoFillReason.PLACE)
    recorder.no_fill(
        DecisionKey.unfilled(
            shard=0,
            slot=SLOT,
            place=Kind.PLACE.unknown,
            topic=Kind.TOPIC.none,
            variant=Variant.AUTO,
            reason=NoFillReason.PLACE,
            second=SECOND + 900,
        )
    )
    recorder.flush()

    assert len(written(tmp_path)) == 2


def test_events_that_no_spool_takes_are_declared_when_one_does_and_decisions_are_kept(tmp_path: Path) -> None:
    spools = tmp_path / "spools"
    spools.write_text("a file in the way")
    recorder = recorder_in(spools)
    recorder.event(Event(token(1), EventKind.SEEN, None, Variant.AUTO, SECOND))
    recorder.event(Event(token(2), EventKind.SEEN, None, Variant.AUTO, SECOND))
    recorder.fill(token(3))
    recorder.flush()

    spools.unlink()
    recorder._retry_at = 0.0
    recorder.flush()

    assert [(record.kind, record.times) for record in written(spools)] == [(RecordKind.FILL, 1)]
    assert SpoolTail(spools / "0").dropped == 2


def test_what_is_summed_is_written_when_the_recorder_is_closed_and_the_spool_is_free(tmp_path: Path) -> None:
    recorder = recorder_in(tmp_path)
    recorder.fill(token())
    recorder.close()

    assert [record.times for record in written(tmp_path)] == [1]
    with (tmp_path / "0" / "header").open() as header:
        fcntl.flock(header, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with (tmp_path / "run").open() as run:
        fcntl.flock(run, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_forked_child_writes_to_a_spool_of_its_own_and_none_of_its_parents_sums(tmp_path: Path) -> None:
    recorder = recorder_in(tmp_path)
    recorder.event(Event(token(1), EventKind.SEEN, None, Variant.AUTO, SECOND))
    recorder.fill(token(2))

    def write_in_child() -> None:
        recorder.event(Event(token(3), EventKind.SEEN, None, Variant.AUTO, SECOND))
        recorder.close()

    child = multiprocessing.get_context("fork").Process(target=write_in_child)
    child.start()
    child.join()
    recorder.close()

    spools = [SpoolTail(tmp_path / name) for name in ("0", "1")]
    kinds = []
    for tail in spools:
        tail.sync()
        kinds.append([record.kind for record in decode(tail.read(0, 1_000)) if isinstance(record, Record)])
    assert kinds == [[RecordKind.SEEN, RecordKind.FILL], [RecordKind.SEEN]]


def test_sums_that_no_spool_takes_are_bounded_and_what_is_known_goes_on_being_summed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("adserver.counting.recorder.MOST_SUMS", 3)
    recorder = recorder_in(tmp_path)
    for reason in list(NoFillReason)[:5]:
        count_no_fill(recorder, reason)
    count_no_fill(recorder, NoFillReason.UNKNOWN_SLOT)
    recorder.flush()

    assert sorted(record.times for record in written(tmp_path)) == [1, 1, 2]
    assert [(line.getMessage(), vars(line)["decisions"]) for line in caplog.records] == [(DECISIONS_LOST, 2)]


def test_sums_that_a_full_disk_does_not_take_are_written_by_the_next_flush(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = recorder_in(tmp_path)
    recorder.event(Event(token(), EventKind.SEEN, None, Variant.AUTO, SECOND))  # the spool is open
    for reason in list(NoFillReason)[:5]:
        count_no_fill(recorder, reason)
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:150]))
        recorder.flush()
    assert len(written(tmp_path)) == 3

    recorder.flush()
    reasons = sorted(record.reason for record in written(tmp_path) if record.kind == RecordKind.NO_FILL)
    assert reasons == [reason.code for reason in list(NoFillReason)[:5]]
