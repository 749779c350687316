"""`stats`, `plan` and `push` where no service runs, or in another folder than its own: what to do, and nothing made."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adserver.cli.main import main
from adserver.processes.embedded_redis import EmbeddedRedis

ASKING = ["stats", "plan", "push"]


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("ADSERVER_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@contextmanager
def silent_socket(path: Path) -> Iterator[None]:
    """Leave the socket of a server that was killed: it is there, and nobody listens."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        yield


@contextmanager
def another_process_that_holds(data_dir: Path) -> Iterator[None]:
    """Have a process that holds a data folder as a service does, and ends with its input."""
    code = "import sys, pathlib; from adserver.processes.data_dir import DataDir"
    code += "; lock = DataDir(pathlib.Path(sys.argv[1])).lock(); print('held', flush=True); sys.stdin.read()"
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    command = (sys.executable, "-c", code, str(data_dir))
    with subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield


@pytest.mark.parametrize("command", ASKING)
def test_without_a_service_it_says_where_none_runs_and_makes_no_folder(elsewhere: Path, command: str) -> None:
    result = run(command)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"Error: no service runs on {elsewhere}/.adserver: start it (adserver serve, or make run), "
        "or set ADSERVER_DATA_DIR to its folder\n"
    )
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("command", ASKING)
def test_machines_are_told_the_same(elsewhere: Path, command: str) -> None:
    result = run(command, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"].startswith(f"no service runs on {elsewhere}/.adserver")


@pytest.mark.parametrize("command", ASKING)
def test_a_socket_that_a_killed_service_left_is_no_service(elsewhere: Path, command: str) -> None:
    with silent_socket(EmbeddedRedis.of(elsewhere / ".adserver").socket):
        assert run(command).stderr.startswith(f"Error: no service runs on {elsewhere}/.adserver")


@pytest.mark.processes
def test_a_service_whose_redis_is_away_is_told_from_none(elsewhere: Path) -> None:
    with another_process_that_holds(elsewhere / ".adserver"):
        result = run("stats")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: a service runs on {elsewhere}/.adserver, but its Redis does not answer: ")


@pytest.mark.parametrize("command", ASKING)
def test_a_redis_of_ones_own_is_named_by_its_setting_without_its_password(
    elsewhere: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADSERVER_REDIS_URL", "redis://kim:hunter2@127.0.0.1:1/0")
    result = run(command)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: the Redis that ADSERVER_REDIS_URL names does not answer: ")
    assert "hunter2" not in result.output
    assert list(elsewhere.iterdir()) == []
