"""What is said, once, when events cannot be written, and when they can again."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from adserver.counting.drops import dropped_events, spools_fail
from adserver.counting.recorder import CANNOT_WRITE, WRITES_AGAIN, SpoolRecorder
from adserver.counting.records import Event
from adserver.domain.reasons import EventKind
from adserver.domain.variants import Variant

FULL = OSError(28, "No space left on device")


def record(recorder: SpoolRecorder, events: int = 1) -> None:
    for _ in range(events):
        recorder.event(Event(None, EventKind.SEEN, None, Variant.AUTO, 1_800_000_000))


def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Have every write to a spool fail, until the function returned is called."""
    real = os.write

    def fail(descriptor: int, data: bytes) -> int:
        raise FULL

    monkeypatch.setattr(os, "write", fail)
    return lambda: monkeypatch.setattr(os, "write", real)


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, int]]:
    return [(line.message, line.levelno) for line in caplog.records]


def test_a_full_disk_is_said_once_and_its_end_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = SpoolRecorder(tmp_path)
    record(recorder)
    assert (recorder.fault, spools_fail(tmp_path)) == (None, False)

    mend = full_disk(monkeypatch)
    record(recorder, 5)
    assert said(caplog) == [(CANNOT_WRITE, logging.ERROR)]
    assert vars(caplog.records[0])["fault"] == FULL.strerror
    assert (recorder.fault, spools_fail(tmp_path), dropped_events(tmp_path)) == (FULL.strerror, True, 5)

    mend()
    record(recorder, 5)
    assert said(caplog)[1:] == [(WRITES_AGAIN, logging.WARNING)]
    assert (recorder.fault, spools_fail(tmp_path), dropped_events(tmp_path)) == (None, False, 5)


def test_a_folder_that_takes_no_spool_is_said_and_what_was_dropped_is_declared_after(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    spools = tmp_path / "spools"
    spools.write_text("a file stands where the folder should")
    recorder = SpoolRecorder(spools)
    record(recorder, 3)
    assert said(caplog) == [(CANNOT_WRITE, logging.ERROR)]
    assert recorder.fault is not None
    assert not spools_fail(spools)

    spools.unlink()
    monkeypatch.setattr("adserver.counting.recorder._REOPEN_SECONDS", 0.0)
    recorder._retry_at = 0.0
    record(recorder)
    recorder.flush()
    assert said(caplog)[1:] == [(WRITES_AGAIN, logging.WARNING)]
    assert dropped_events(spools) == 3


def test_a_process_that_takes_a_spool_over_does_not_take_over_its_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = SpoolRecorder(tmp_path)
    record(first)
    mend = full_disk(monkeypatch)
    record(first)
    first.close()
    mend()
    assert spools_fail(tmp_path)

    record(SpoolRecorder(tmp_path))
    assert not spools_fail(tmp_path)
