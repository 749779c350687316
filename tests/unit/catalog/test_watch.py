"""A worker serves the newest compiled catalog that it could read."""

import errno
import hashlib
import logging
import os
import struct
from pathlib import Path

import pytest

from adserver.catalog.compiled import Compiled, encode_compiled, write_compiled
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
    assert watch.current() is None
    assert watch.poll() is True
    snapshot = watch.current()
    assert snapshot is not None
    assert snapshot.revision == 1
    assert snapshot.site(SiteId("one")) == compiled(1).catalog.sites[0]


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
    header = struct.pack(">8sHQ16s30x", b"ADSVCTLG", 2, len(body), hashlib.blake2b(body, digest_size=16).digest())
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
