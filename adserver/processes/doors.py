"""The sockets of a web server, held by its supervisor: so they outlive it, and two servers can share one address."""

import contextlib
import http.client
import socket
import time
from dataclasses import dataclass
from typing import Final

from adserver.domain.errors import AdserverError

_LOOPBACK: Final = "127.0.0.1"
_ANSWER_SECONDS: Final = 0.5
_PORT_POLL_SECONDS: Final = 0.05


class PortTaken(AdserverError):
    """Something else listens where the service should."""

    def __init__(self, address: "ListenAddress", reason: str) -> None:
        super().__init__(f"cannot listen on {address}: {reason}; choose another port, or stop what uses it")


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Where the service listens. Immutable."""

    host: str
    """A name, an IPv4 or an IPv6 address (no brackets)."""
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class FrontDoor:
    """The address that everyone calls. Belongs to the supervisor; its servers inherit the socket.

    While a server dies and the next one starts, callers wait in the socket's queue for that second. It refuses them
    instead where nobody is going to answer soon: a page must not wait for us.
    """

    def __init__(self, address: ListenAddress, seconds: float = 3.0) -> None:
        """Take the address, and refuse callers until a server listens.

        Args:
            address: what to listen on.
            seconds: how long to wait for it: workers of a service killed a moment ago let go of it within a second.

        Raises:
            PortTaken: it is not free after `seconds`, or cannot be listened on at all.
        """
        self.address = address
        self._socket = _take(address, time.monotonic() + seconds)
        self.refuse()

    @property
    def descriptor(self) -> int:
        """What a server inherits."""
        return self._socket.fileno()

    def refuse(self) -> None:
        """Refuse callers, those in the queue too, until a server listens again."""
        with contextlib.suppress(OSError):  # other systems than Linux can't; callers then wait in the queue
            self._socket.shutdown(socket.SHUT_RD)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)  # nobody else may listen there meanwhile

    def close(self) -> None:
        """Let go of the address."""
        self._socket.close()


class Doors:
    """All sockets of one server: the front door, shared with its successor, and a side door of its own, on loopback.

    At the side door the supervisor asks this very server how it is, while another one answers at the front door as
    well. Belongs to the supervisor.
    """

    def __init__(self, front: FrontDoor) -> None:
        self.front = front
        self._side = socket.create_server((_LOOPBACK, 0))
        self._side_port: int = self._side.getsockname()[1]

    @property
    def descriptors(self) -> tuple[int, int]:
        """What the server inherits: front door, side door."""
        return self.front.descriptor, self._side.fileno()

    def ask(self, path: str) -> int | None:
        """Return the status with which the server answers a path; None: it did not within half a second."""
        connection = http.client.HTTPConnection(_LOOPBACK, self._side_port, timeout=_ANSWER_SECONDS)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def close(self) -> None:
        """Let go of the side door; the front door is the service's."""
        self._side.close()


def _take(address: ListenAddress, deadline: float) -> socket.socket:
    while True:
        try:
            return _listen(address)
        except OSError as error:
            if time.monotonic() >= deadline or isinstance(error, socket.gaierror | PermissionError):
                raise PortTaken(address, error.strerror or str(error)) from error
            time.sleep(_PORT_POLL_SECONDS)  # nobody tells when an address is let go of


def _listen(address: ListenAddress) -> socket.socket:
    found = socket.getaddrinfo(address.host or None, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, where = min(found, key=lambda info: info[0] != socket.AF_INET)
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen(1)
    except OSError:
        listener.close()
        raise
    return listener
