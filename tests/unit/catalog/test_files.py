"""A file of the data folder is replaced whole, and stays replaced after a power loss; what was made of it is kept."""

import os
import stat
from pathlib import Path

import pytest

from adserver.catalog.files import DRAFT_SUFFIX, Remembered, replace_file


def test_what_is_written_is_on_disk_before_it_has_its_name_and_the_name_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, happened = tmp_path / "file", list[tuple[str, str, int]]()
    fsync, replace = os.fsync, os.replace

    def sync(descriptor: int) -> None:
        found = os.fstat(descriptor)
        folder = stat.S_ISDIR(found.st_mode)
        assert found.st_ino == (tmp_path if folder else tmp_path / f"file{DRAFT_SUFFIX}").stat().st_ino
        happened.append(("sync", "folder" if folder else "file", 0 if folder else found.st_size))
        fsync(descriptor)

    def rename(source: Path, target: Path) -> None:
        happened.append(("rename", Path(target).name, Path(source).stat().st_size))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "replace", rename)
    replace_file(path, b"12345")

    assert happened == [("sync", "file", 5), ("rename", "file", 5), ("sync", "folder", 0)]
    assert path.read_bytes() == b"12345"


class Counted:
    """Makes a text of a file, and counts how often. For one thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.times = 0

    def __call__(self) -> str:
        self.times += 1
        return self.path.read_text()


def remembered(path: Path) -> tuple[Remembered[str], Counted]:
    made = Counted(path)
    return Remembered(path, made), made


def test_what_was_made_of_a_file_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "file"
    replace_file(path, b"one")
    memory, made = remembered(path)
    assert [memory.get() for _ in range(3)] == ["one"] * 3
    assert made.times == 1


@pytest.mark.parametrize("what", ["file", "time", "size"])
def test_it_is_made_again_when_anything_tells_of_a_change(tmp_path: Path, what: str) -> None:
    path = tmp_path / "file"
    path.write_text("one")
    os.utime(path, ns=(1, 1))
    memory, made = remembered(path)
    memory.get()
    if what == "file":
        other = tmp_path / "other"
        other.write_text("two")
        os.utime(other, ns=(1, 1))
        other.replace(path)
    elif what == "time":
        path.write_text("two")
        os.utime(path, ns=(2, 2))
    else:
        path.write_text("three")
        os.utime(path, ns=(1, 1))
    assert memory.get() != "one"
    assert made.times == 2


def test_what_failed_is_tried_again(tmp_path: Path) -> None:
    memory, made = remembered(tmp_path / "file")
    with pytest.raises(FileNotFoundError):
        memory.get()
    (tmp_path / "file").write_bytes(b"\xff")
    with pytest.raises(UnicodeDecodeError):
        memory.get()
    with pytest.raises(UnicodeDecodeError):
        memory.get()
    assert made.times == 2
