"""The data folder: one service, secrets made once."""

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from adserver.domain.errors import DataDirBusy, SettingRefused
from adserver.processes.data_dir import DataDir


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_is_made_with_its_parents_for_this_user_alone(tmp_path: Path) -> None:
    folder = DataDir(tmp_path / "a" / "b")
    assert mode(folder.path) == 0o700


def test_a_file_in_its_place_is_refused_by_the_settings_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingRefused, match=r"^ADSERVER_DATA_DIR: .*file"):
        DataDir(tmp_path / "file")


def test_a_second_service_is_told_the_firsts_pid(tmp_path: Path) -> None:
    with DataDir(tmp_path).lock(), pytest.raises(DataDirBusy) as busy:
        DataDir(tmp_path).lock()
    assert busy.value.pid == os.getpid()
    assert str(tmp_path) in str(busy.value)


def test_a_released_folder_can_be_taken_again_whatever_its_lock_says(tmp_path: Path) -> None:
    lock = DataDir(tmp_path).lock()
    lock.release()
    lock.release()
    (tmp_path / "service.lock").write_text("999999999999 left by a longer pid\n")
    with DataDir(tmp_path).lock():
        assert (tmp_path / "service.lock").read_text() == f"{os.getpid()}\n"


def test_the_lock_is_not_inherited_by_children(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('here', flush=True); input()"]
    with DataDir(tmp_path).lock():
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=False)
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"here\n"  # the kernel closes descriptors a moment after Popen has returned
        with DataDir(tmp_path).lock():
            assert child.poll() is None
            child.communicate(b"\n")


def test_secrets_are_made_once_and_kept_for_this_user_alone(tmp_path: Path) -> None:
    folder = DataDir(tmp_path)
    keys, token = folder.secret_keys(), folder.admin_token()
    assert [len(key) for key in keys] == [32]
    assert token.startswith("adsv_")
    assert len(token) == len("adsv_") + 43
    assert (DataDir(tmp_path).secret_keys(), DataDir(tmp_path).admin_token()) == (keys, token)
    assert {mode(tmp_path / name) for name in ("secret-keys", "admin-token")} == {0o600}
    assert {path.name for path in tmp_path.iterdir()} == {"secret-keys", "admin-token"}


def test_two_folders_have_different_secrets(tmp_path: Path) -> None:
    one, two = DataDir(tmp_path / "1"), DataDir(tmp_path / "2")
    assert one.secret_keys() != two.secret_keys()
    assert one.admin_token() != two.admin_token()


def test_processes_that_start_at_once_agree_on_the_secrets(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: DataDir(tmp_path).admin_token(), range(64)))
    assert len(set(found)) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"admin-token"}


def test_keys_added_by_hand_are_read_newest_first(tmp_path: Path) -> None:
    (tmp_path / "secret-keys").write_text(f"{'ab' * 32}\n{'cd' * 16}\n")
    assert DataDir(tmp_path).secret_keys() == (b"\xab" * 32, b"\xcd" * 16)


@pytest.mark.parametrize("content", ["", "not hex\n", "abcd\n", "ab" * 65])
def test_a_damaged_key_file_stops_the_start_and_is_not_replaced(tmp_path: Path, content: str) -> None:
    (tmp_path / "secret-keys").write_text(content)
    with pytest.raises(SettingRefused, match="secret-keys is damaged"):
        DataDir(tmp_path).secret_keys()
    assert (tmp_path / "secret-keys").read_text() == content


def test_an_empty_token_file_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "admin-token").touch()
    with pytest.raises(SettingRefused, match="admin-token is empty"):
        DataDir(tmp_path).admin_token()
