"""How gunicorn is told to serve."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
from gunicorn.config import Config  # type: ignore[import-untyped]  # it publishes no types

from adserver.processes import gunicorn_conf
from adserver.processes.children import Progress
from adserver.processes.gunicorn_server import ListenAddress, PortTaken, probe, wait_for_port, web_spec


@contextlib.contextmanager
def listening() -> Iterator[tuple[socket.socket, ListenAddress]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener, ListenAddress("127.0.0.1", listener.getsockname()[1])


def test_a_free_port_is_free() -> None:
    with listening() as (_, address):
        pass
    wait_for_port(address)


def test_a_taken_port_is_named() -> None:
    with listening() as (_, address), pytest.raises(PortTaken, match=str(address)):
        wait_for_port(address, seconds=0.05)


def test_a_port_that_is_let_go_meanwhile_is_waited_for() -> None:
    with listening() as (listener, address):
        closing = threading.Timer(0.1, listener.close)
        closing.start()
        wait_for_port(address, seconds=10)
        closing.join()


def test_a_host_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(PortTaken):
        wait_for_port(ListenAddress("no-such-host.invalid", 1), seconds=600)


@pytest.mark.parametrize(
    ("host", "shown", "probed"),
    [
        ("127.0.0.1", "127.0.0.1:80", "127.0.0.1"),
        ("0.0.0.0", "0.0.0.0:80", "127.0.0.1"),  # noqa: S104 - shown, not bound
        ("::", "[::]:80", "::1"),
        ("::1", "[::1]:80", "::1"),
    ],
)
def test_an_address_is_written_and_reached_as_its_kind_needs(host: str, shown: str, probed: str) -> None:
    assert str(ListenAddress(host, 80)) == shown
    assert ListenAddress(host, 80).probe_host == probed


@pytest.mark.parametrize(
    ("answer", "progress"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Progress.READY),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", Progress.WAITING),
        (b"no HTTP\r\n\r\n", Progress.WAITING),
        (b"", Progress.WAITING),
    ],
)
def test_a_worker_is_up_when_it_says_so(answer: bytes, progress: Progress) -> None:
    with listening() as (listener, address):

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        server = threading.Thread(target=serve)
        server.start()
        assert probe(address) is progress
        server.join()


def test_nobody_listening_is_nobody_up() -> None:
    with listening() as (_, address):
        pass
    assert probe(address) is Progress.WAITING


def test_every_setting_is_one_that_gunicorn_knows_and_takes() -> None:
    config = Config()
    names = [name for name in vars(gunicorn_conf) if name in config.settings]
    for name in names:
        config.set(name, getattr(gunicorn_conf, name))
    public = [name for name, value in vars(gunicorn_conf).items() if name.islower() and name[0] != "_" and name != "os"]
    assert sorted(names) == sorted(public)
    assert config.worker_class_str == "gthread"
    assert config.forwarded_allow_ips == []
    assert config.control_socket_disable is True
    assert config.accesslog is None
    assert config.loglevel == "error"  # warnings carry addresses


def test_requests_in_flight_get_their_time_before_the_kill() -> None:
    spec = web_spec(ListenAddress("127.0.0.1", 8080), 2, {}, "some.module:app()")
    assert spec.grace_seconds > gunicorn_conf.graceful_timeout
    assert spec.argv[-5:] == ("--bind", "127.0.0.1:8080", "--workers", "2", "some.module:app()")
