import json
import logging
import os
from pathlib import Path

import pytest

from adserver.keeping.keeper import KeeperReport
from adserver.keeping.keeper_state import (
    KEEPER_STATE_NAME,
    STALE_SECONDS,
    STATE_UNWRITABLE,
    KeeperState,
    KeeperStateFile,
    read_keeper_state,
    warn_of,
)

NOW = 4_000_000_000.0
"""Ahead of any file's time of change."""

WELL = KeeperReport(redis=True, unapplied_bytes=0, applied_ranges=1, revision=7)
AWAY = KeeperReport(redis=False, unapplied_bytes=640, applied_ranges=0, revision=7, trouble="Redis 10.0.0.5: no answer")


def read(folder: Path) -> KeeperState:
    state = read_keeper_state(folder)
    assert state is not None
    return state


def test_what_a_step_came_to_can_be_read(tmp_path: Path) -> None:
    KeeperStateFile(tmp_path).report(AWAY, NOW)

    state = read(tmp_path)

    assert (state.at, state.pid, state.redis, state.backlog_bytes, state.revision) == (NOW, os.getpid(), False, 640, 7)
    assert state.trouble == "Redis 10.0.0.5: no answer"


def test_the_lag_runs_from_the_first_step_that_left_something(tmp_path: Path) -> None:
    file = KeeperStateFile(tmp_path)
    file.report(WELL, NOW)
    file.report(AWAY, NOW + 2)
    file.report(AWAY, NOW + 5)
    assert read(tmp_path).lag_seconds(NOW + 6) == 4

    file.report(WELL, NOW + 7)
    assert read(tmp_path).lag_seconds(NOW + 8) == 0


def test_a_keeper_that_is_silent_is_behind_since_it_last_spoke(tmp_path: Path) -> None:
    KeeperStateFile(tmp_path).report(WELL, NOW)
    state = read(tmp_path)
    assert not state.is_stale(NOW + STALE_SECONDS)
    assert state.is_stale(NOW + STALE_SECONDS + 1)
    assert state.lag_seconds(NOW + 60) == 60


def test_the_file_is_written_at_news_and_else_once_a_second(tmp_path: Path) -> None:
    file = KeeperStateFile(tmp_path)
    file.report(WELL, NOW)
    file.report(WELL, NOW + 0.5)
    assert read(tmp_path).at == NOW
    file.report(AWAY, NOW + 0.75)
    assert read(tmp_path).at == NOW + 0.75
    file.report(AWAY, NOW + 1.75)
    assert read(tmp_path).at == NOW + 1.75
    file.report(AWAY, NOW - 3_600)  # the clock was set back
    assert json.loads((tmp_path / KEEPER_STATE_NAME).read_bytes())["at"] == NOW - 3_600


def test_on_a_full_disk_the_keeper_is_still_seen_at_work_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = KeeperStateFile(tmp_path)
    file.report(WELL, NOW)
    (tmp_path / "keeper.draft").mkdir()  # stands where the draft should be
    with caplog.at_level(logging.ERROR):
        file.report(WELL, NOW + 20)
        file.report(WELL, NOW + 30)

    assert not read(tmp_path).is_stale(NOW + 35)
    assert [line.getMessage() for line in caplog.records] == [STATE_UNWRITABLE]


@pytest.mark.parametrize("text", ["", "{", '{"version": 2, "at": 1, "pid": 1, "redis": true}', '{"version": 1}'])
def test_a_state_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / KEEPER_STATE_NAME).write_text(text)
    assert read_keeper_state(tmp_path) is None


def test_without_a_keeper_there_is_no_state_and_a_warning(tmp_path: Path) -> None:
    assert read_keeper_state(tmp_path) is None
    assert "no keeper" in warn_of(None, NOW)[0]


def test_nothing_is_warned_of_while_all_goes_well(tmp_path: Path) -> None:
    KeeperStateFile(tmp_path).report(WELL, NOW)
    assert warn_of(read(tmp_path), NOW + 1) == ()


def test_a_silent_keeper_is_warned_of(tmp_path: Path) -> None:
    KeeperStateFile(tmp_path).report(WELL, NOW)
    assert "silent for 60 s" in warn_of(read(tmp_path), NOW + 60)[0]


def test_anybody_may_know_why_a_store_is_refused_but_not_where_it_is(tmp_path: Path) -> None:
    file = KeeperStateFile(tmp_path)
    file.report(AWAY, NOW)
    assert "10.0.0.5" not in warn_of(read(tmp_path), NOW)[0]

    refusal = "Redis has maxmemory-policy allkeys-lru"
    file.report(KeeperReport(False, 0, 0, 7, trouble=refusal, refusal=refusal), NOW)
    assert refusal in warn_of(read(tmp_path), NOW)[0]


def test_a_revision_that_cannot_be_served_is_told_to_the_operator_and_hinted_to_anybody(tmp_path: Path) -> None:
    file = KeeperStateFile(tmp_path)
    file.report(WELL, NOW)
    stuck = KeeperReport(redis=True, unapplied_bytes=0, applied_ranges=0, revision=7, catalog_fault="/srv/x: disk full")
    file.report(stuck, NOW + 0.1)

    state = read(tmp_path)
    assert state.catalog_fault == "/srv/x: disk full"
    [warning] = warn_of(state, NOW + 1)
    assert "live revision" in warning
    assert "/srv" not in warning


def test_an_archive_that_takes_nothing_is_warned_of_with_the_reason(tmp_path: Path) -> None:
    file = KeeperStateFile(tmp_path)
    file.report(WELL, NOW)
    file.report(KeeperReport(True, 0, 0, 7, archive_fault="No space left on device"), NOW + 0.1)

    [warning] = warn_of(read(tmp_path), NOW + 1)
    assert "archive" in warning
    assert "No space left on device" in warning

    file.report(WELL, NOW + 0.2)
    assert warn_of(read(tmp_path), NOW + 1) == ()
