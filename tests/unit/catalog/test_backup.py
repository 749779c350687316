"""The data folder's copy comes back whole, or is refused."""

from pathlib import Path

import pytest
from catalog_bench import Bench, campaign, campaign_file

from adserver.catalog.backup import BACKUP_NAME, Backup, RevisionBackup
from adserver.catalog.revisions import RevisionUnreadable


def kept() -> Backup:
    bench = Bench()
    bench.push(campaign_file(campaign("spring")))
    revision = bench.store.get(1)
    assert revision is not None
    return Backup(revision, bench.store.name_fields())


def written(folder: Path) -> Path:
    RevisionBackup(folder).write(kept())
    return folder / BACKUP_NAME


def test_comes_back_as_it_was_written(tmp_path: Path) -> None:
    written(tmp_path)
    assert RevisionBackup(tmp_path).read() == kept()
    assert RevisionBackup(tmp_path).number() == 1


def test_that_was_never_written_is_none(tmp_path: Path) -> None:
    assert RevisionBackup(tmp_path).read() is None
    assert RevisionBackup(tmp_path).number() == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"spring-flight", b"autumn-flight"),
        (b'"number":1', b'"number":9'),
        (b'"author":"kim"', b'"author":"lee"'),
        (b'{"version":1', b'{"version":2'),
        (b"}", b""),
    ],
    ids=["a name", "its number", "its author", "its version", "torn"],
)
def test_with_anything_changed_is_refused(tmp_path: Path, old: bytes, new: bytes) -> None:
    path = written(tmp_path)
    whole = path.read_bytes()
    assert old in whole
    path.write_bytes(whole.replace(old, new, 1))
    with pytest.raises(RevisionUnreadable):
        RevisionBackup(tmp_path).read()
    with pytest.raises(RevisionUnreadable):
        RevisionBackup(tmp_path).number()


def test_is_given_back_only_to_a_store_that_is_behind(tmp_path: Path) -> None:
    written(tmp_path)
    behind = Bench()
    assert RevisionBackup(tmp_path).put_back(behind.store) is True
    assert behind.live_campaigns() == ["spring"]
    assert RevisionBackup(tmp_path).put_back(behind.store) is False
