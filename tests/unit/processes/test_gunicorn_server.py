"""How gunicorn is told to serve, and when a server counts as up."""

import contextlib
import socket
from collections.abc import Iterator
from types import ModuleType

import pytest
from gunicorn.config import Config  # type: ignore[import-untyped]  # it publishes no types
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from adserver.processes import gunicorn_conf
from adserver.processes.children import ChildSpec, Progress
from adserver.processes.doors import Doors, FrontDoor, ListenAddress
from adserver.processes.gunicorn_server import web_spec
from adserver.runtime import gunicorn_conf as under_serve


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


@pytest.mark.parametrize("module", [gunicorn_conf, under_serve], ids=["everywhere", "under serve"])
def test_every_setting_is_one_that_gunicorn_knows_and_takes(module: ModuleType) -> None:
    config = Config()
    names = [name for name in vars(module) if name in config.settings]
    for name in names:
        config.set(name, getattr(module, name))
    public = {name for name in vars(module) if name.islower() and name[0] != "_"} - {"gc", "os", "worker"}
    assert set(names) == public
    assert {name for name in vars(gunicorn_conf) if name in config.settings} <= set(names)
    assert issubclass(config.worker_class, ThreadWorker)
    assert config.forwarded_allow_ips == []
    assert config.control_socket_disable is True
    assert config.accesslog is None
    assert config.loglevel == "error"  # warnings carry addresses


def test_requests_in_flight_get_their_time_before_the_kill() -> None:
    with server() as spec:
        assert spec.grace_seconds > gunicorn_conf.graceful_timeout


def test_a_server_is_set_up_by_what_loads_the_workers_code() -> None:
    with server() as spec:
        assert spec.argv[spec.argv.index("--config") + 1] == f"python:{under_serve.__name__}"


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
