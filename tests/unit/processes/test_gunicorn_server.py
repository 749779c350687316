"""How gunicorn is told to serve, and when a server counts as up."""

import contextlib
import gc
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from gunicorn.config import Config  # type: ignore[import-untyped]  # it publishes no types
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from adserver.processes import gunicorn_conf
from adserver.processes.children import ChildSpec, Progress
from adserver.processes.doors import Doors, FrontDoor, ListenAddress
from adserver.processes.gunicorn_server import web_spec


@contextlib.contextmanager
def server() -> Iterator[ChildSpec]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with contextlib.closing(FrontDoor(ListenAddress("127.0.0.1", port))) as front:
        spec = web_spec(front, 2, {}, "some.module:app()")
        yield spec
        doors_of(spec).close()


def doors_of(spec: ChildSpec) -> Doors:
    assert spec.doors is not None
    return spec.doors


def successor_of(spec: ChildSpec) -> ChildSpec:
    assert spec.successor is not None
    return spec.successor()


def test_every_setting_is_one_that_gunicorn_knows_and_takes() -> None:
    config = Config()
    names = [name for name in vars(gunicorn_conf) if name in config.settings]
    for name in names:
        config.set(name, getattr(gunicorn_conf, name))
    imported = {"gc", "importlib", "os", "suppress"}
    public = {name for name in vars(gunicorn_conf) if name.islower() and name[0] != "_"} - imported
    assert set(names) == public
    assert issubclass(config.worker_class, ThreadWorker)
    assert config.forwarded_allow_ips == []
    assert config.control_socket_disable is True
    assert config.accesslog is None
    assert config.loglevel == "error"  # warnings carry addresses


@dataclass(frozen=True)
class Loader:
    """What gunicorn calls its application."""

    app_uri: str


@dataclass(frozen=True)
class Master:
    """What starts the workers."""

    app: Loader


@pytest.mark.parametrize(
    ("text", "application", "is_loaded"),
    [
        ("made = []", "{module}:make()", True),
        ("made = []", "{module}:app", False),  # to load it is to make its application
        ("raise RuntimeError('a fault of its author')", "{module}:make()", False),
    ],
)
def test_the_code_of_a_factory_is_loaded_before_the_workers_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, application: str, is_loaded: bool
) -> None:
    module = f"code_of_{tmp_path.name}"
    (tmp_path / f"{module}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    gunicorn_conf.when_ready(Master(Loader(application.format(module=module))))
    gc.unfreeze()
    assert (sys.modules.pop(module, None) is not None) == is_loaded


def test_requests_in_flight_get_their_time_before_the_kill() -> None:
    with server() as spec:
        assert spec.grace_seconds > gunicorn_conf.graceful_timeout


def test_a_server_listens_at_both_its_doors() -> None:
    with server() as spec:
        front, side = doors_of(spec).descriptors
        binds = ("--bind", f"fd://{front}", "--bind", f"fd://{side}")
        assert spec.argv[-7:] == (*binds, "--workers", "2", "some.module:app()")


def test_a_successor_shares_the_front_door_and_has_its_own_side_door() -> None:
    with server() as spec, contextlib.closing(doors_of(new := successor_of(spec))) as doors:
        assert (spec.name, new.name) == ("web", "web-2")
        assert doors.front is doors_of(spec).front
        assert doors.descriptors[1] != doors_of(spec).descriptors[1]


@pytest.mark.parametrize(
    ("new", "old", "progress"),
    [
        ((200, 200), (200, 200), Progress.READY),
        ((200, 503), (200, 200), Progress.WAITING),
        ((200, 503), (200, 503), Progress.READY),
        ((200, 503), (None, None), Progress.WAITING),  # too busy to answer is not worse
        ((200, 200), (None, None), Progress.READY),
        ((None, None), (None, None), Progress.WAITING),
    ],
)
def test_a_successor_is_up_when_it_is_as_ready_as_the_one_before_it(
    monkeypatch: pytest.MonkeyPatch,
    new: tuple[int | None, int | None],
    old: tuple[int | None, int | None],
    progress: Progress,
) -> None:
    with server() as spec, contextlib.closing(doors_of(successor := successor_of(spec))) as doors:
        answers = {id(doors): new, id(doors_of(spec)): old}
        paths = ("/healthz", "/readyz")
        monkeypatch.setattr(Doors, "ask", lambda self, path: answers[id(self)][paths.index(path)])
        assert successor.progress() is progress
        assert spec.progress() is (Progress.READY if old[0] == 200 else Progress.WAITING)
