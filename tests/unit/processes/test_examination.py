import fcntl
import os
from pathlib import Path

import pytest

from adserver.catalog.compiled import Compiled, write_compiled
from adserver.catalog.file_names import COMPILED_NAME
from adserver.counting.spool import SpoolWriter
from adserver.counting.tally import Tally
from adserver.counting.worker_sums import SumsFile
from adserver.domain.catalog import Catalog
from adserver.processes.data_dir import DataDir
from adserver.processes.examination import examine_environ, examine_folder, examine_service, filesystem_of
from adserver.processes.keeper_process import KEEPER_LOCK_NAME

MOUNTS = r"""
overlay / overlay rw 0 0
proc /proc proc rw 0 0
/dev/sda1 /srv ext4 rw 0 0
files:/export /srv/shared nfs4 rw 0 0
tmpfs /srv/with\040blank tmpfs rw 0 0
/dev/sdb1 /var ext4 rw 0 0
files:/var /var nfs rw 0 0
short
"""


@pytest.mark.parametrize(
    ("path", "type_"),
    [
        ("/home/me", "overlay"),
        ("/srv/adserver", "ext4"),
        ("/srv/shared", "nfs4"),
        ("/srv/shared/deep/down", "nfs4"),
        ("/srv/shared-not", "ext4"),
        ("/srv/with blank/data", "tmpfs"),
        ("/var/lib/adserver", "nfs"),
    ],
)
def test_a_path_is_on_the_file_system_that_is_mounted_nearest_and_last(path: str, type_: str) -> None:
    assert filesystem_of(Path(path), MOUNTS) == type_


def test_without_mounts_the_file_system_is_not_known() -> None:
    assert filesystem_of(Path("/srv"), "") is None


def test_a_folder_that_is_not_there_has_no_facts_and_is_not_made(tmp_path: Path) -> None:
    assert examine_folder(tmp_path / "none") is None
    assert not (tmp_path / "none").exists()


def test_a_local_folder_keeps_locks_and_has_room_and_nothing_is_left_in_it(tmp_path: Path) -> None:
    facts = examine_folder(tmp_path)
    assert facts is not None
    assert (facts.writable, facts.keeps_locks) == (True, True)
    assert facts.free_bytes is not None
    assert facts.free_bytes > 0
    assert list(tmp_path.iterdir()) == []


def test_secrets_that_others_may_read_are_named(tmp_path: Path) -> None:
    data_dir = DataDir(tmp_path)
    data_dir.admin_token()
    data_dir.secret_keys()
    before = examine_folder(tmp_path)
    (tmp_path / "secret-keys").chmod(0o640)
    after = examine_folder(tmp_path)

    assert before is not None
    assert after is not None
    assert before.open_to_others == ()
    assert after.open_to_others == (str(tmp_path / "secret-keys"),)


def test_a_folder_nobody_works_on(tmp_path: Path) -> None:
    facts = examine_service(tmp_path, tmp_path / "spools", tmp_path / "metrics")
    assert (facts.running, facts.keepers, facts.keeper) == (False, (), None)
    assert (facts.snapshot, facts.published, facts.dropped_events, facts.untrusted_proxies) == (None, False, 0, 0)


def test_a_worker_at_work_its_drops_and_the_proxies_it_saw(tmp_path: Path) -> None:
    tally = Tally()
    sums = SumsFile(tmp_path / "metrics", tally, lambda _: None, lambda: 0)
    tally.untrusted_proxy()
    sums.flush()
    writer = SpoolWriter.open_in(tmp_path / "spools")
    writer.declare_dropped(2)

    facts = examine_service(tmp_path, tmp_path / "spools", tmp_path / "metrics")

    assert (facts.running, facts.dropped_events, facts.untrusted_proxies) == (True, 2, 1)
    sums.close()
    writer.close()


def test_the_keeper_is_who_holds_its_lock(tmp_path: Path) -> None:
    told, tell = os.pipe()
    released, release = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(release)
        fcntl.flock(os.open(tmp_path / KEEPER_LOCK_NAME, os.O_RDWR | os.O_CREAT), fcntl.LOCK_EX)
        os.write(tell, b".")
        os.read(released, 1)
        os._exit(0)
    try:
        os.read(told, 1)
        assert examine_service(tmp_path, tmp_path, tmp_path).keepers == (pid,)
    finally:
        for descriptor in (told, tell, released, release):
            os.close(descriptor)
        os.waitpid(pid, 0)


def test_a_compiled_catalog_is_found_and_one_that_is_torn_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / COMPILED_NAME
    write_compiled(path, Compiled(1, Catalog()))
    assert examine_service(tmp_path, tmp_path, tmp_path).published

    path.write_bytes(path.read_bytes()[:-1])
    fault = examine_service(tmp_path, tmp_path, tmp_path).snapshot
    assert fault is not None
    assert "torn" in fault


def test_names_that_begin_like_settings_are_found_but_not_those_that_kubernetes_makes_for_a_service() -> None:
    made = {"ADSERVER_PORT": "tcp://10.0.0.1:80", "ADSERVER_PORT_80_TCP": "x", "ADSERVER_SERVICE_HOST": "10.0.0.1"}
    environ = {"ADSERVER_WORKERS": "2", "ADSERVER_TYPO": "1", "HOME": "/root", **made}
    assert examine_environ(environ) == ("ADSERVER_TYPO",)
