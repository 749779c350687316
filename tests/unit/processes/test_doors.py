"""The sockets that a supervisor holds for its servers."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from adserver.processes.doors import Doors, FrontDoor, ListenAddress, PortTaken


@contextlib.contextmanager
def listening() -> Iterator[tuple[socket.socket, ListenAddress]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener, ListenAddress("127.0.0.1", listener.getsockname()[1])


def free_address() -> ListenAddress:
    with listening() as (_, address):
        return address


@contextlib.contextmanager
def front_door() -> Iterator[FrontDoor]:
    with contextlib.closing(FrontDoor(free_address())) as front:
        yield front


def call(address: ListenAddress) -> None:
    with socket.create_connection((address.host, address.port), timeout=5):
        return


def inherited(descriptor: int) -> socket.socket:
    """Return a door as a server has it."""
    return socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_STREAM)


def test_a_taken_port_is_named() -> None:
    with listening() as (_, address), pytest.raises(PortTaken, match=str(address)):
        FrontDoor(address, seconds=0.05)


def test_a_port_that_is_let_go_meanwhile_is_waited_for() -> None:
    with listening() as (listener, address):
        closing = threading.Timer(0.1, listener.close)
        closing.start()
        FrontDoor(address, seconds=10).close()
        closing.join()


def test_a_host_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(PortTaken):
        FrontDoor(ListenAddress("no-such-host.invalid", 1), seconds=600)


def test_callers_are_refused_until_a_server_listens_and_whenever_none_is_to_come() -> None:
    with front_door() as front:
        with pytest.raises(ConnectionRefusedError):
            call(front.address)
        for _ in range(2):
            with inherited(front.descriptor) as server:
                server.listen(5)
                call(front.address)
            call(front.address)  # the server is gone; who calls now waits for the next
            front.refuse()
            with pytest.raises(ConnectionRefusedError):
                call(front.address)


def test_the_address_stays_taken_while_callers_are_refused() -> None:
    with front_door() as front, pytest.raises(PortTaken):
        FrontDoor(front.address, seconds=0.05)


@pytest.mark.parametrize(
    ("host", "shown"),
    [("127.0.0.1", "127.0.0.1:80"), ("0.0.0.0", "0.0.0.0:80"), ("::", "[::]:80"), ("::1", "[::1]:80")],  # noqa: S104
)
def test_an_address_is_written_as_its_kind_needs(host: str, shown: str) -> None:
    assert str(ListenAddress(host, 80)) == shown


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200),
        (b"HTTP/1.1 503 Oh\r\nContent-Length: 0\r\n\r\n", 503),
        (b"no HTTP\r\n\r\n", None),
        (b"", None),
    ],
)
def test_a_server_is_asked_at_its_side_door(answer: bytes, status: int | None) -> None:
    with front_door() as front, contextlib.closing(Doors(front)) as doors, inherited(doors.descriptors[1]) as side:

        def serve() -> None:
            connection, _ = side.accept()
            with connection:
                asked = connection.recv(65536)
                assert asked.startswith(b"GET /healthz ")
                connection.sendall(answer)

        server = threading.Thread(target=serve)
        server.start()
        assert doors.ask("/healthz") == status
        server.join()


def test_a_side_door_at_which_nobody_answers_is_no_answer() -> None:
    with front_door() as front:
        doors = Doors(front)
        assert doors.ask("/healthz") is None
        doors.close()
        assert doors.ask("/healthz") is None
