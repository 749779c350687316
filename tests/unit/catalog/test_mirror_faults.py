"""What cannot be read or written leaves a host with what it serves, and is mended at the next chance."""

import errno
import logging
from pathlib import Path

import pytest
from catalog_bench import (
    NOON,
    Bench,
    campaign,
    campaign_file,
    campaigns,
    flight,
    slots,
    slots_file,
)
from mirrored import bench, campaign_ids, compiled, retired

from adserver.catalog.backup import BACKUP_NAME, RevisionBackup
from adserver.catalog.compiled import Compiled, write_compiled
from adserver.catalog.documents import Documents
from adserver.catalog.file_names import COMPILED_NAME
from adserver.catalog.files import DRAFT_SUFFIX
from adserver.catalog.mirror import NOT_FOLLOWED
from adserver.catalog.plan import Plan
from adserver.catalog.revisions import NO_HEAD, Entry, Revision


def test_a_revision_that_this_version_refuses_leaves_the_old_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = bench()
    mirror = one.mirror(tmp_path)
    mirror.step(NOON)
    commit_unreadable(one)
    with caplog.at_level(logging.WARNING):
        assert [mirror.step(NOON) for _ in range(3)] == [1] * 3
    assert [record.message for record in caplog.records] == [NOT_FOLLOWED]
    assert mirror.fault
    assert campaign_ids(tmp_path) == ["spring"]


def test_a_revision_that_is_refused_is_not_fetched_four_times_a_second(tmp_path: Path) -> None:
    one = bench()
    mirror = one.mirror(tmp_path)
    commit_unreadable(one)
    mirror.step(NOON)
    one.store.reads = 0
    mirror.step(NOON)
    assert one.store.reads == 0


def test_the_next_good_revision_is_followed(tmp_path: Path) -> None:
    one = bench()
    mirror = one.mirror(tmp_path)
    mirror.step(NOON)
    commit_unreadable(one)
    mirror.step(NOON)
    good = Revision(Entry(3, "kim", NOON, "", Plan()), readable())
    one.store.commit(one.store.head(), good, {})
    assert mirror.step(NOON) == 3
    assert mirror.fault == ""


def test_a_folder_that_cannot_be_written_is_said_and_tried_again(tmp_path: Path) -> None:
    one = bench()
    mirror = one.mirror(tmp_path)
    mirror.step(NOON)
    obstacle = tmp_path / f"{COMPILED_NAME}{DRAFT_SUFFIX}"
    obstacle.mkdir()
    one.publish_files(campaign_file(campaign("autumn")))
    assert mirror.step(NOON) == 1
    assert mirror.fault
    obstacle.rmdir()
    assert mirror.step(NOON) == 2
    assert campaign_ids(tmp_path) == ["autumn", "spring"]


def test_a_copy_that_is_damaged_gives_way_to_the_stores(tmp_path: Path) -> None:
    one = bench()
    one.mirror(tmp_path).step(NOON)
    whole = (tmp_path / BACKUP_NAME).read_bytes()
    (tmp_path / BACKUP_NAME).write_bytes(whole.replace(b"spring-flight", b"autumn-flight"))
    one.publish_files(campaign_file(campaign("autumn")))
    assert one.mirror(tmp_path).step(NOON) == 2
    backup = RevisionBackup(tmp_path).read()
    assert backup is not None
    assert backup.revision.number == 2


def test_a_damaged_copy_of_what_is_live_is_written_anew(tmp_path: Path) -> None:
    one = bench()
    one.mirror(tmp_path).step(NOON)
    whole = (tmp_path / BACKUP_NAME).read_bytes()
    (tmp_path / BACKUP_NAME).write_bytes(whole[:-1])
    assert one.mirror(tmp_path).step(NOON) == 1
    assert (tmp_path / BACKUP_NAME).read_bytes() == whole


@pytest.mark.parametrize("refused", [BACKUP_NAME, COMPILED_NAME])
def test_a_file_that_the_disk_refuses_once_is_read_at_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    one = bench()
    one.publish_files(campaign_file(campaign("autumn")))
    one.mirror(tmp_path).step(NOON)
    head = one.store.head()
    one.store.wipe()
    one.push(campaign_file(campaign("theirs")))
    mirror, read = one.mirror(tmp_path), Path.read_bytes

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", lambda path: (refuse if path.name == refused else read)(path))
        mirror.step(NOON)
    assert "Input/output error" in mirror.fault
    assert one.live_campaigns() == ["theirs"]
    assert mirror.step(NOON) == 2
    assert mirror.fault == ""
    assert one.store.head() == head
    assert one.live_campaigns() == ["autumn", "spring"]


def test_a_compiled_file_that_the_disk_refuses_once_keeps_its_retired_creatives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = bench()
    mirror = one.mirror(tmp_path)
    mirror.step(NOON)
    one.push(campaign_file(campaign("autumn")))
    mirror.step(NOON)
    before = retired(tmp_path)
    one.store.away = True
    again = one.mirror(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", refuse)
        again.step(NOON)
    again.step(NOON)
    assert retired(tmp_path) == before != {}


def test_a_compiled_file_that_is_newer_than_the_copy_is_not_replaced_by_it(tmp_path: Path) -> None:
    one = bench()
    mirror = one.mirror(tmp_path)
    mirror.step(NOON)
    copy = (tmp_path / BACKUP_NAME).read_bytes()
    one.publish_files(campaign_file(campaign("autumn")))
    mirror.step(NOON)
    (tmp_path / BACKUP_NAME).write_bytes(copy)
    one.store.wipe()
    again = one.mirror(tmp_path)
    assert [again.step(NOON) for _ in range(2)] == [2, 2]
    assert "Redis has revision 1 only" in again.fault
    assert campaign_ids(tmp_path) == ["autumn", "spring"]


def test_a_stop_between_the_two_files_is_made_good_at_the_start(tmp_path: Path) -> None:
    one = bench()
    mirror = one.mirror(tmp_path)
    mirror.step(NOON)
    old = compiled(tmp_path)
    one.push(campaign_file(campaign("autumn")))
    mirror.step(NOON)
    write_compiled(tmp_path / COMPILED_NAME, old)
    one.store.away = True
    assert one.mirror(tmp_path).step(NOON) == 2
    assert campaign_ids(tmp_path) == ["autumn"]
    assert set(retired(tmp_path)) == {"spring-creative"}


def test_a_catalog_compiled_by_another_version_is_compiled_anew_at_the_start(tmp_path: Path) -> None:
    one = bench()
    one.mirror(tmp_path).step(NOON)
    ours = compiled(tmp_path)
    write_compiled(tmp_path / COMPILED_NAME, Compiled(1, Bench().mirror(tmp_path)._compiled.catalog, (), ours.digest))
    one.mirror(tmp_path).step(NOON)
    assert compiled(tmp_path) == ours


def readable() -> Documents:
    upload = campaigns(campaign_file(campaign("winter", flights=[flight("f")])))
    return Documents(upload.campaign_files, slots(slots_file()).slots)


def commit_unreadable(one: Bench) -> None:
    """Publish what a later version takes, and this one does not."""
    documents = Documents({"a.yaml": {"advertiser": {"id": "a", "name": "A"}, "campaigns": [], "planets": []}})
    head = one.store.head()
    assert head != NO_HEAD
    one.store.commit(head, Revision(Entry(head.number + 1, "later", NOON, "", Plan()), documents), {})


def refuse(path: Path) -> bytes:
    raise OSError(errno.EIO, "Input/output error", str(path))
