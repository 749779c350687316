"""The data folder is put back from an older copy while Redis is as new as ever: each event counts, and once."""

import shutil
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from exactness import SpoolRecords, check, keys_of
from fault_world import GOAL, ZONE
from outcomes import Outcome, note
from stage import Stage

from adserver.counting.records import Record, RecordKind

HOUR = 3600


def copy_folder(stage: Stage) -> Path:
    """Stop the service, copy its data folder, and start it again."""
    assert stage.service.stop() == 0
    copy = stage.folder / "data-copy"
    shutil.copytree(stage.service.data_dir, copy)
    stage.service.start()
    return copy


def put_back(stage: Stage, copy: Path) -> None:
    """Exchange the data folder's content, which may be a disk of its own."""
    assert stage.service.stop() == 0
    for path in stage.service.data_dir.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(copy, stage.service.data_dir, dirs_exist_ok=True)
    stage.service.start()


def assert_exact(stage: Stage, fault: str, before: SpoolRecords, copied: SpoolRecords) -> None:
    """All that was recorded before, and all that came to the copy since, is counted; nothing of it is twice."""
    stopped = time.monotonic()
    stage.settle()
    here = stage.spooled()
    new = tuple((Counter(here.records) - Counter(copied.records)).elements())
    assert len(new) + len(copied.records) == len(here.records)
    everything = replace(before, records=(*before.records, *new))
    balance = check(stage.stored(), everything, stage.readers.ledger, keys_of(stage.service), ZONE, {"bounded": GOAL})
    outcome = Outcome(
        fault=fault,
        before=events_of(before.records),
        during=0,
        after=events_of(new),
        answered=balance.answered,
        recorded=balance.recorded,
        dropped=balance.dropped,
        cells=balance.cells,
        settled_seconds=round(time.monotonic() - stopped, 1),
    )
    note(outcome, f"{len(copied.records)} of {len(before.records)} records were in the copy")


def events_of(records: Iterable[Record]) -> int:
    """Return how many of the records are events of readers."""
    return sum(record.kind < RecordKind.FILL for record in records)


def test_what_a_copy_holds_counts_once_and_new_events_count_at_once(stage: Stage) -> None:
    with stage.load():
        pass
    stage.assert_exact()
    copy = copy_folder(stage)
    copied = stage.spooled()
    with stage.load(150):
        pass
    stage.assert_exact()
    before = stage.recorded()

    put_back(stage, copy)
    with stage.load(30):  # fewer than were lost: at their offsets, all of them were counted already
        pass

    assert_exact(stage, "the data folder put back from a copy", before, copied)


def test_spools_that_had_ended_come_back_and_are_not_counted_again(stage: Stage) -> None:
    with stage.load():
        pass
    stage.assert_exact()
    copy = copy_folder(stage)
    copied = stage.spooled()
    old = list(stage.spool_ends())
    for hours in (7, 8, 34, 60):
        stage.clock.set(hours * HOUR)
        with stage.load(20):
            pass
        stage.settle()
    # A worker leaves its spool with the next event, and a few readers may all come to the other one: more must come.
    with stage.load(20), stage.redis.client() as client:
        stage.service.await_that(lambda: {spool.encode() for spool in old} <= set(client.hkeys("{s0}:ended")))
    stage.settle()
    assert not set(old) & set(stage.spool_ends())
    before = stage.recorded()

    put_back(stage, copy)
    assert set(old) <= set(stage.spool_ends())
    with stage.load(30):
        pass

    assert_exact(stage, "the data folder put back, its spools ended since", before, copied)
