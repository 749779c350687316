"""A worker serves the newest compiled catalog that it could read."""

import errno
import hashlib
import logging
import os
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from catalog_bench import NOON, Bench, NoPlaces, campaign, campaign_file

from adserver.catalog import watch as watch_module
from adserver.catalog.compiled import Compiled, encode_compiled, open_compiled, write_compiled
from adserver.catalog.publish import Publisher
from adserver.catalog.revisions import Head
from adserver.catalog.watch import SNAPSHOT_UNREADABLE, CatalogWatch
from adserver.decision.image import Section, encode_image
from adserver.domain.catalog import Catalog, Site
from adserver.domain.ids import SiteId


def compiled(revision: int) -> Compiled:
    site = Site(SiteId("one"), f"Name of revision {revision}", "https://one.example/", "UTC")
    return Compiled(revision, Catalog(sites=(site,)))


def watched(tmp_path: Path) -> tuple[CatalogWatch, Path]:
    path = tmp_path / "catalog.snapshot"
    return CatalogWatch(path), path


def revision_of(watch: CatalogWatch) -> int | None:
    snapshot = watch.current()
    return snapshot.revision if snapshot else None


def test_without_a_file_there_is_no_snapshot(tmp_path: Path) -> None:
    watch, _ = watched(tmp_path)
    assert watch.poll() is False
    assert watch.current() is None
    assert watch.fault is None


def test_a_file_that_appears_is_loaded_at_the_next_poll(tmp_path: Path) -> None:
    watch, path = watched(tmp_path)
    watch.poll()
    write_compiled(path, compiled(1))
    assert watch.poll() is True
    snapshot = watch.current()
    assert snapshot is not None
    assert snapshot.revision == 1
    assert snapshot.site(SiteId("one")) == compiled(1).catalog.sites[0]


def test_the_first_file_is_found_by_whoever_asks_and_a_later_one_by_the_poll_alone(tmp_path: Path) -> None:
    watch, path = watched(tmp_path)
    assert watch.current() is None
    write_compiled(path, compiled(1))
    assert revision_of(watch) == 1
    write_compiled(path, compiled(2))
    assert revision_of(watch) == 1
    newest = watch.newest()
    assert newest is not None
    assert newest.revision == 2
    write_compiled(path, compiled(3))
    assert revision_of(watch) == 2
    assert watch.poll() is True
    assert revision_of(watch) == 3


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[threading.Event, threading.Event]]:
    """Have a load wait; gives what tells that one is under way, and what lets it go on."""
    loading, go_on = threading.Event(), threading.Event()
    load = open_compiled

    def load_slowly(path: Path) -> memoryview:
        loading.set()
        assert go_on.wait(30)
        return load(path)

    monkeypatch.setattr(watch_module, "open_compiled", load_slowly)
    yield loading, go_on
    go_on.set()


def test_while_one_thread_loads_the_first_file_another_waits_for_it(
    tmp_path: Path, loads: tuple[threading.Event, threading.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_module, "_FIRST_LOAD_SECONDS", 30)
    watch, path = watched(tmp_path)
    write_compiled(path, compiled(1))
    loading, go_on = loads
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(watch.poll)
        assert loading.wait(30)
        second = pool.submit(revision_of, watch)
        assert watch.poll() is False, "who only looks whether there is something new goes on"
        go_on.set()
        assert first.result() is True
        assert second.result() == 1


def test_a_first_file_that_does_not_load_in_time_keeps_no_page_waiting(
    tmp_path: Path, loads: tuple[threading.Event, threading.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_module, "_FIRST_LOAD_SECONDS", 0.01)
    watch, path = watched(tmp_path)
    write_compiled(path, compiled(1))
    loading, go_on = loads
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(watch.poll)
        assert loading.wait(30)
        assert watch.current() is None
        go_on.set()
        assert first.result() is True
    assert revision_of(watch) == 1


def test_a_file_that_is_the_same_is_not_loaded_again(tmp_path: Path) -> None:
    watch, path = watched(tmp_path)
    write_compiled(path, compiled(1))
    watch.poll()
    before = watch.current()
    assert watch.poll() is False
    assert watch.current() is before


def test_a_replaced_file_is_swapped_in_even_with_the_size_and_time_of_the_old(tmp_path: Path) -> None:
    watch, path = watched(tmp_path)
    write_compiled(path, compiled(1))
    os.utime(path, ns=(1, 1))
    watch.poll()
    draft = tmp_path / "another"
    write_compiled(draft, compiled(2))
    os.utime(draft, ns=(1, 1))
    assert draft.stat().st_size == path.stat().st_size
    draft.replace(path)
    assert watch.poll() is True
    assert revision_of(watch) == 2


@pytest.mark.parametrize("damaged", [b"", b"garbage", encode_compiled(compiled(2))[:-1]])
def test_a_damaged_file_keeps_the_old_snapshot_and_is_reported_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damaged: bytes
) -> None:
    watch, path = watched(tmp_path)
    write_compiled(path, compiled(1))
    watch.poll()
    path.write_bytes(damaged)
    with caplog.at_level(logging.WARNING):
        assert [watch.poll() for _ in range(3)] == [False] * 3
    assert [record.message for record in caplog.records] == [SNAPSHOT_UNREADABLE]
    assert revision_of(watch) == 1
    assert watch.fault is not None


def test_a_file_that_is_mended_serves_again(tmp_path: Path) -> None:
    watch, path = watched(tmp_path)
    path.write_bytes(b"garbage")
    watch.poll()
    write_compiled(path, compiled(2))
    assert watch.poll() is True
    assert revision_of(watch) == 2
    assert watch.fault is None


def test_a_file_that_is_taken_away_leaves_its_snapshot(tmp_path: Path) -> None:
    watch, path = watched(tmp_path)
    write_compiled(path, compiled(1))
    watch.poll()
    path.unlink()
    assert watch.poll() is False
    assert revision_of(watch) == 1


def of_another_shape(path: Path, sections: dict[str, Section]) -> None:
    """Write a file that is whole and of this version, but that no snapshot can be made of."""
    body = encode_image(sections)
    header = struct.pack(">8sHQ16s30x", b"ADSVCTLG", 4, len(body), hashlib.blake2b(body, digest_size=16).digest())
    path.write_bytes(header + body)


@pytest.mark.parametrize("sections", [{}, {"meta": b"no meta", "retired": b""}])
def test_a_catalog_that_cannot_be_served_keeps_the_old_snapshot_and_is_reported_once(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    sections: dict[str, Section],
) -> None:
    watch, path = watched(tmp_path)
    write_compiled(path, compiled(1))
    watch.poll()
    of_another_shape(path, sections)
    with caplog.at_level(logging.WARNING):
        assert [watch.poll() for _ in range(3)] == [False] * 3
        with monkeypatch.context() as patched:
            patched.setattr(Path, "read_bytes", refuse)  # what it holds will not get better, so nobody looks
            assert watch.poll() is False
    assert [record.message for record in caplog.records] == [SNAPSHOT_UNREADABLE]
    assert revision_of(watch) == 1
    assert watch.fault is not None
    assert watch.fault.startswith("the compiled catalog has another shape: ")

    write_compiled(path, compiled(3))
    assert watch.poll() is True
    assert revision_of(watch) == 3
    assert not watch.fault


def test_a_file_that_the_disk_refuses_is_reported_once_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch, path = watched(tmp_path)
    write_compiled(path, compiled(1))
    with monkeypatch.context() as patched, caplog.at_level(logging.WARNING):
        patched.setattr(Path, "read_bytes", refuse)
        assert [watch.poll() for _ in range(3)] == [False] * 3
    assert [record.message for record in caplog.records] == [SNAPSHOT_UNREADABLE]
    assert watch.poll() is True
    assert (revision_of(watch), watch.fault) == (1, None)


def refuse(path: Path) -> bytes:
    raise OSError(errno.EIO, "Input/output error", str(path))


def test_a_mapped_file_goes_on_serving_when_it_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adserver.catalog.compiled.MAPPED_BYTES", 0)
    watch, path = watched(tmp_path)
    write_compiled(path, compiled(1))
    assert watch.poll() is True
    first = watch.current()
    assert first is not None
    write_compiled(path, compiled(2))
    assert watch.poll() is True
    assert revision_of(watch) == 2
    assert first.catalog == compiled(1).catalog


class TestTheWholeCatalog:
    def test_is_decoded_once_a_revision(self, tmp_path: Path) -> None:
        watch, path = watched(tmp_path)
        assert watch.catalog() == Catalog()
        write_compiled(path, compiled(1))
        first = watch.catalog()
        assert first == compiled(1).catalog
        assert watch.catalog() is first
        write_compiled(path, compiled(2))
        watch.poll()
        assert watch.catalog() == compiled(2).catalog

    def test_is_what_a_publisher_would_build_and_spares_it_the_work(self, tmp_path: Path) -> None:
        one = Bench()
        one.push(campaign_file(campaign("spring")))
        one.mirror(tmp_path).step(NOON)
        watch, _ = watched(tmp_path)
        with_it = Publisher(one.store, NoPlaces(), lambda: NOON, catalog_of=watch.catalog_of)
        assert with_it.catalog(with_it.live()) is watch.catalog()
        assert one.publisher.catalog(one.publisher.live()) == watch.catalog()

    def test_of_another_revision_or_another_digest_is_not_taken_for_it(self, tmp_path: Path) -> None:
        one = Bench()
        one.push(campaign_file(campaign("spring")))
        one.mirror(tmp_path).step(NOON)
        watch, _ = watched(tmp_path)
        head = one.store.head()
        assert watch.catalog_of(head) is not None
        assert watch.catalog_of(Head(head.number, "f" * 16)) is None
        assert watch.catalog_of(Head(head.number + 1, head.digest)) is None
        one.push(campaign_file(campaign("autumn")))
        with_it = Publisher(one.store, NoPlaces(), lambda: NOON, catalog_of=watch.catalog_of)
        assert [campaign.id for campaign in with_it.catalog(with_it.live()).campaigns] == ["autumn"]
