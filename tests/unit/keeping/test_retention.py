"""Segments on their way into the archive, with a crash or a refusing disk at every step of it."""

import copy
import errno
import logging
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from retention_host import HOUR, NOW, Crash, Host, archived, segments

from adserver.config_values import MOST_RETENTION_HOURS
from adserver.counting.records import RECORD_BYTES
from adserver.counting.spool import SEGMENT_SECONDS, SpoolWriter, segment_path
from adserver.domain.token import CLICK_LIFE_SECONDS
from adserver.keeping.archive import ARCHIVE_NAME
from adserver.keeping.counts import MemoryCountStore
from adserver.keeping.redis_counts import DEDUPE_WINDOW_SECONDS
from adserver.keeping.retention import (
    ARCHIVES_AGAIN,
    CANNOT_ARCHIVE,
    longest_retention_seconds,
)


def test_a_segment_is_put_away_a_day_after_all_of_it_was_counted_and_not_before(tmp_path: Path) -> None:
    host = Host(tmp_path)
    with_three = SpoolWriter.open_in(host.spools, segment_bytes=640)
    host.write(with_three, 25)

    host.pass_by(23.5)
    assert (archived(host), segments(host)) == (0, {"0": 3})

    host.pass_by(1)
    assert (archived(host), segments(host)) == (2, {"0": 1})
    assert host.recorded() == host.written
    assert (tmp_path / ARCHIVE_NAME).stat().st_mode & 0o077 == 0


def test_a_segment_that_one_shard_lacks_is_not_put_away(tmp_path: Path) -> None:
    host = Host(tmp_path)
    writer = SpoolWriter.open_in(host.spools, segment_bytes=640)
    host.write(writer, 25)
    host.round()
    counted = host.store.offsets[1, writer.spool_id]
    host.now += 30 * HOUR

    for _ in range(10):
        host.counter._cursors[writer.spool_id, 1] = 320
        host.retention.step(host.now)
        host.now += 11

    assert archived(host) == 0
    assert counted == 25 * RECORD_BYTES


def test_a_store_that_falls_back_begins_the_time_anew(tmp_path: Path) -> None:
    host = Host(tmp_path)
    writer = SpoolWriter.open_in(host.spools, segment_bytes=640)
    host.write(writer, 25)
    host.round()
    empty = MemoryCountStore(7 * 86_400, lambda: NOW)
    host.now += 23 * HOUR
    host.store.__dict__.update(copy.deepcopy(empty.__dict__))
    host.counter.recall()
    host.retention.step(host.now)
    host.pass_by(2)
    assert archived(host) == 0

    host.pass_by(23)
    assert archived(host) == 2


def test_a_store_that_falls_back_while_a_segment_is_archived_keeps_the_segment(tmp_path: Path) -> None:
    host = Host(tmp_path)
    writer = SpoolWriter.open_in(host.spools, segment_bytes=640)
    host.write(writer, 25)
    host.round()
    host.now += 25 * HOUR
    host.retention.step(host.now)  # begins
    host.counter._cursors[writer.spool_id, 0] = 0
    for _ in range(5):
        host.retention.step(host.now)
        host.now += 11

    assert (archived(host), segments(host)) == (0, {"0": 3})


def test_the_time_goes_on_over_restarts_of_the_keeper(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.write(SpoolWriter.open_in(host.spools, segment_bytes=640), 25)
    for _ in range(5):
        host.pass_by(5.5, steps=2)
        host.crash()
    host.round()

    assert archived(host) == 2


def test_the_last_segment_of_a_worker_that_has_gone_is_put_away_and_its_spool_ends(tmp_path: Path) -> None:
    host = Host(tmp_path)
    writer = SpoolWriter.open_in(host.spools, segment_bytes=640)
    host.write(writer, 25)
    host.count()
    writer.close()

    host.pass_by(25, steps=30)
    host.pass_by(25, steps=30)

    assert segments(host) == {}
    assert host.ends.ended == {writer.spool_id: 25 * RECORD_BYTES}
    assert host.store.applied(0) == host.store.applied(1) == {}
    assert host.recorded() == host.written


def test_the_spool_of_a_living_worker_stays_however_idle_it_is(tmp_path: Path) -> None:
    host = Host(tmp_path)
    writer = SpoolWriter.open_in(host.spools, segment_bytes=640)
    host.write(writer, 5)

    for _ in range(3):
        host.pass_by(30)
    host.write(writer, 5)
    host.count()

    assert (segments(host), host.net()) == ({"0": 1}, 10)


def test_a_spool_taken_again_goes_on_where_it_was_after_all_of_it_was_put_away(tmp_path: Path) -> None:
    host = Host(tmp_path)
    writer = SpoolWriter.open_in(host.spools, segment_bytes=640)
    writer.declare_dropped(1)  # so that it does not end
    host.write(writer, 5)
    host.count()
    writer.close()
    host.pass_by(25)
    assert archived(host) == 1

    again = SpoolWriter.open_in(host.spools, segment_bytes=640)
    host.write(again, 5)
    host.crash()
    host.count()

    assert again.offset == 10 * RECORD_BYTES
    assert again.spool_id == writer.spool_id
    assert host.net() == 10
    assert not host.store.gaps


def test_an_old_segment_that_has_grown_lately_is_not_put_away(tmp_path: Path) -> None:
    host = Host(tmp_path)
    writer = SpoolWriter.open_in(host.spools)
    host.write(writer, 5)
    host.round()
    host.now += 23 * HOUR
    host.write(writer, 5)
    host.round()
    writer.close()
    host.now += 2 * HOUR
    host.round()

    assert archived(host) == 0


def test_a_retention_that_outlives_the_tokens_bits_is_refused() -> None:
    longest = longest_retention_seconds(DEDUPE_WINDOW_SECONDS)
    assert longest // HOUR == MOST_RETENTION_HOURS
    assert longest + CLICK_LIFE_SECONDS + SEGMENT_SECONDS < DEDUPE_WINDOW_SECONDS


def test_archives_go_when_their_time_is_over(tmp_path: Path) -> None:
    host = Host(tmp_path, archive_days=10)
    host.write(SpoolWriter.open_in(host.spools, segment_bytes=640), 25)
    host.pass_by(25)
    assert archived(host) == 2

    host.pass_by(8.9 * 24)
    assert archived(host) == 2
    host.pass_by(0.2 * 24)
    assert archived(host) == 0


def test_a_full_disk_is_said_once_and_the_segment_stays(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    full = True

    def fail(_number: int, name: str) -> None:
        if full and name == "sync":
            raise OSError(errno.ENOSPC, "No space left on device")

    host = Host(tmp_path, fail)
    host.write(SpoolWriter.open_in(host.spools, segment_bytes=640), 25)
    caplog.set_level(logging.INFO)
    host.pass_by(25)
    assert (archived(host), segments(host)) == (0, {"0": 3})
    assert "No space" in host.retention.upkeep(host.now)

    full = False
    host.pass_by(25)

    assert archived(host) == 2
    assert host.retention.upkeep(host.now) == ""
    assert [record.getMessage() for record in caplog.records] == [CANNOT_ARCHIVE, ARCHIVES_AGAIN]
    assert host.recorded() == host.written


def test_offsets_are_forgotten_only_once_the_store_is_back_and_the_spool_is_gone(tmp_path: Path) -> None:
    host = Host(tmp_path)
    writer = SpoolWriter.open_in(host.spools, segment_bytes=640)
    host.write(writer, 5)
    host.count()
    writer.close()
    host.ends.away = True
    for _ in range(3):
        host.pass_by(25)
    assert host.store.applied(0)

    host.ends.away = False
    host.crash()
    host.round()

    assert (host.ends.ended, segments(host)) == ({writer.spool_id: 320}, {})


def worst_schedule(host: Host) -> Iterator[None]:
    """Two workers, one of which goes; everything is put away. Yields where a crash may have happened before."""
    first = SpoolWriter.open_in(host.spools, segment_bytes=640)
    second = SpoolWriter.open_in(host.spools, segment_bytes=640)
    host.write(first, 25)
    host.write(second, 13)
    host.count()
    second.close()
    for _ in range(4):
        for _ in range(12):
            yield
            host.round(steps=1)
        host.now += 25 * HOUR


def steps_of_the_schedule(folder: Path) -> int:
    host = Host(folder)
    for _ in worst_schedule(host):
        pass
    host.crash()
    return len(host.disk.steps)


@pytest.mark.parametrize("error", [Crash, OSError])
def test_a_failure_at_any_step_loses_nothing_and_counts_nothing_twice(
    tmp_path: Path, error: type[BaseException]
) -> None:
    total = steps_of_the_schedule(tmp_path / "whole")
    assert total > 25
    for number in range(total):
        failed: list[str] = []

        def fail(at: int, name: str, number: int = number, failed: list[str] = failed) -> None:
            if at == number and not failed:
                failed.append(name)
                raise error(errno.EIO, "fails here")

        host = Host(tmp_path / str(number), fail)
        rounds = worst_schedule(host)
        while True:
            try:
                if next(rounds, "done") == "done":
                    break
            except Crash:
                assert host.recorded() == host.written, (number, failed)
                host.crash()
                rounds = iter(_go_on(host))
        assert failed
        assert host.recorded() == host.written, (number, failed)
        assert segments(host) == {"0": 1}, (number, failed)
        assert archived(host) == 4
        assert list(host.ends.ended.values()) == [13 * RECORD_BYTES]
        assert host.net() == 38
        host.crash()


def _go_on(host: Host) -> Iterator[None]:
    for _ in range(4):
        for _ in range(12):
            yield
            host.round(steps=1)
        host.now += 25 * HOUR


def _do_something(host: Host, workers: list[SpoolWriter], rng: random.Random) -> None:
    choice = rng.random()
    if choice < 0.3:
        if len(workers) < 3 and (not workers or rng.random() < 0.3):
            workers.append(SpoolWriter.open_in(host.spools, segment_bytes=64 * rng.randint(2, 8)))
        host.write(rng.choice(workers), rng.randint(1, 9))
    elif choice < 0.4 and workers:
        workers.pop(rng.randrange(len(workers))).close()
    elif choice < 0.5:
        host.now += rng.choice((1, 13, 26)) * HOUR
    else:
        try:
            host.round(steps=3)
        except Crash:
            host.crash()


@pytest.mark.parametrize("seed", range(6))
def test_workers_that_come_and_go_under_a_failing_disk_lose_nothing(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    faulty = True

    def fail(_number: int, _name: str) -> None:
        if faulty and rng.random() < 0.05:
            raise rng.choice((Crash(), OSError(errno.ENOSPC, "full")))

    host = Host(tmp_path, fail)
    workers: list[SpoolWriter] = []
    for _ in range(120):
        _do_something(host, workers, rng)
    assert host.recorded() == host.written
    faulty = False
    host.crash()
    for worker in workers:
        worker.close()
    for _ in range(3):
        host.pass_by(26, steps=60)

    assert segments(host) == {}
    assert host.recorded() == host.written
    assert host.net() == host.written.total()
    assert not host.store.gaps
    with suppress(FileNotFoundError):
        assert not [path for path in (tmp_path / ARCHIVE_NAME).iterdir() if path.suffix == ".draft"]


def test_an_archive_is_not_replaced_by_what_an_older_copy_of_its_spool_has(tmp_path: Path) -> None:
    host = Host(tmp_path)
    writer = SpoolWriter.open_in(host.spools)
    host.write(writer, 10)
    older = segment_path(host.spools / "0", 0).read_bytes()
    header = (host.spools / "0" / "header").read_bytes()
    host.write(writer, 10)
    writer.close()
    host.pass_by(24.5)
    host.pass_by(24.5)
    assert (archived(host), segments(host)) == (1, {})
    assert host.ends.ended == {writer.spool_id: 20 * RECORD_BYTES}
    host.store.ends = dict(host.ends.ended)

    (host.spools / "0").mkdir()
    (host.spools / "0" / "header").write_bytes(header)
    segment_path(host.spools / "0", 0).write_bytes(older)
    host.pass_by(24.5)
    host.pass_by(24.5)

    assert segments(host) == {}
    assert host.recorded() == host.written
    assert host.net() == 20
