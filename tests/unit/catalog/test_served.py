"""No number that this host has served is ever given again, whatever became of Redis and of the data folder's files."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from catalog_bench import NOON, Bench, campaign, campaign_file, campaigns, folder, slots, slots_file

from adserver.catalog.backup import BACKUP_NAME, RevisionBackup
from adserver.catalog.compiled import CompiledUnreadable, read_compiled_number
from adserver.catalog.file_names import COMPILED_NAME
from adserver.catalog.merging import Extent
from adserver.catalog.publish import Published
from adserver.catalog.revisions import NO_HEAD, Head
from adserver.catalog.served import ServedUnreadable
from adserver.catalog.store import MemoryRevisionStore

SERVED = 7


def host(data_dir: Path) -> Bench:
    """Return a host that has served revision 7."""
    made = Bench(data_dir=data_dir)
    for number in range(SERVED):
        made.push(campaign_file(campaign(f"season-{number}")))
    made.mirror(data_dir).step(NOON)
    return made


def fall_back(one: Bench, number: int) -> None:
    """Put the store back to an earlier revision; 0: to nothing."""
    older = Bench()
    for each in range(number):
        older.push(campaign_file(campaign(f"season-{each}")))
    one.store.inner = older.store.inner if number else MemoryRevisionStore()


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def push(one: Bench) -> Published:
    return one.push(campaign_file(campaign("winter")))


def post(one: Bench) -> Published:
    return one.publish_files(campaign_file(campaign("winter")))


@pytest.mark.parametrize("lost", [0, 1, 6])
@pytest.mark.parametrize("publish", [push, post])
def test_a_copy_that_cannot_be_read_stops_publishing_over_a_store_that_fell_back(
    tmp_path: Path, publish: Callable[[Bench], Published], lost: int
) -> None:
    one = host(tmp_path)
    damage(tmp_path / BACKUP_NAME)
    fall_back(one, lost)
    before = one.store.inner.head()
    with pytest.raises(ServedUnreadable, match=rf"{BACKUP_NAME}.*put that file back.*adserver push"):
        publish(one)
    with pytest.raises(ServedUnreadable):
        one.publisher.first_publish(folder({"a.yaml": campaign_file(campaign())}), author="serve")
    assert one.store.inner.head() == before


@pytest.mark.parametrize("lost", [0, 1, 6])
def test_with_the_copy_moved_away_numbers_go_on_above_what_was_served(tmp_path: Path, lost: int) -> None:
    one = host(tmp_path)
    (tmp_path / BACKUP_NAME).unlink()
    fall_back(one, lost)
    published = push(one)
    assert (published.base, published.revision) == (lost, SERVED + 1)
    assert one.store.head().number == SERVED + 1
    assert one.mirror(tmp_path).step(NOON) == SERVED + 1


def test_an_older_copy_put_in_its_place_does_not_bring_numbers_back(tmp_path: Path) -> None:
    one = host(tmp_path)
    older = tmp_path / "older"
    older.mkdir()
    fall_back(one, 3)
    one.mirror(older).step(NOON)
    (older / BACKUP_NAME).replace(tmp_path / BACKUP_NAME)
    one.store.wipe()
    assert one.publish_files(campaign_file(campaign("winter"))).revision == SERVED + 1


def test_what_was_lost_can_be_published_again_unchanged(tmp_path: Path) -> None:
    one = host(tmp_path)
    (tmp_path / BACKUP_NAME).unlink()
    fall_back(one, 3)
    mirror = one.mirror(tmp_path)
    assert mirror.step(NOON) == SERVED
    assert "Redis has revision 3 only" in mirror.fault
    published = one.push(campaign_file(campaign("season-2")))
    assert (published.base, published.revision, bool(published.plan)) == (3, SERVED + 1, False)
    assert mirror.step(NOON) == SERVED + 1
    assert mirror.fault == ""


def test_a_copy_that_cannot_be_read_does_not_matter_while_the_store_has_all(tmp_path: Path) -> None:
    one = host(tmp_path)
    damage(tmp_path / BACKUP_NAME)
    assert push(one).revision == SERVED + 1


def test_a_compiled_catalog_that_cannot_be_read_does_not_matter_beside_the_copy(tmp_path: Path) -> None:
    one = host(tmp_path)
    damage(tmp_path / COMPILED_NAME)
    one.store.wipe()
    assert push(one).revision == SERVED + 1


def test_with_nothing_to_tell_what_was_served_nothing_is_published(tmp_path: Path) -> None:
    one = host(tmp_path)
    damage(tmp_path / COMPILED_NAME)
    (tmp_path / BACKUP_NAME).unlink()
    one.store.wipe()
    with pytest.raises(ServedUnreadable, match=COMPILED_NAME):
        push(one)
    assert one.store.head() == NO_HEAD


def test_a_disk_that_refuses_the_copy_stops_publishing_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = host(tmp_path)
    one.store.wipe()
    with monkeypatch.context() as patched:
        patched.setattr(RevisionBackup, "read", refuse)
        with pytest.raises(ServedUnreadable, match="Input/output error"):
            push(one)
    assert push(one).revision == SERVED + 1


def refuse(_backup: RevisionBackup) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_host_that_never_served_begins_at_1(tmp_path: Path) -> None:
    one = Bench(data_dir=tmp_path)
    assert one.publish(slots(slots_file())).revision == 1


def test_looking_at_what_is_live_reads_the_copy_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = host(tmp_path)
    read, reads = RevisionBackup.read, list[Path]()

    def counted(backup: RevisionBackup) -> object:
        reads.append(tmp_path)
        return read(backup)

    monkeypatch.setattr(RevisionBackup, "read", counted)
    heads: list[Head] = [one.publisher.live().head for _ in range(10)]
    assert {head.number for head in heads} == {SERVED}
    assert len(reads) == 1

    one.publish(campaigns(campaign_file(campaign("winter"))), Extent.NAMED)
    one.mirror(tmp_path).step(NOON)
    reads.clear()
    assert one.publisher.live().revision == SERVED + 1
    assert len(reads) == 1


def test_the_number_of_a_compiled_catalog_is_read_with_its_checks(tmp_path: Path) -> None:
    host(tmp_path)
    path = tmp_path / COMPILED_NAME
    assert read_compiled_number(path) == SERVED
    damage(path)
    with pytest.raises(CompiledUnreadable):
        read_compiled_number(path)
