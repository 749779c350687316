"""Serve the application by gunicorn, as a child of the supervisor."""

import http.client
import signal
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from adserver.domain.errors import AdserverError
from adserver.processes import gunicorn_conf
from adserver.processes.children import ChildSpec, Progress

APPLICATION: Final = "adserver.runtime:create_wsgi_app()"

_CONFIG: Final = "python:adserver.processes.gunicorn_conf"
_ANSWER_SECONDS: Final = 0.5
_PORT_POLL_SECONDS: Final = 0.05
_ANY: Final = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked by loopback, not bound


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

    @property
    def probe_host(self) -> str:
        """Where this machine reaches it."""
        return _ANY.get(self.host, self.host)


def wait_for_port(address: ListenAddress, seconds: float = 3.0) -> None:
    """Return once the address is free: workers of a service killed a moment ago let go of it within a second.

    Raises:
        PortTaken: it is not free after `seconds`, or cannot be listened on at all.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            _try_to_listen(address)
        except OSError as error:
            if time.monotonic() >= deadline or isinstance(error, socket.gaierror | PermissionError):
                raise PortTaken(address, error.strerror or str(error)) from error
            time.sleep(_PORT_POLL_SECONDS)
        else:
            return


def web_spec(address: ListenAddress, workers: int, env: Mapping[str, str], application: str = APPLICATION) -> ChildSpec:
    """Return how the supervisor runs gunicorn. SIGTERM lets requests in flight finish.

    Args:
        address: where it listens.
        workers: how many processes answer.
        env: its whole environment.
        application: what gunicorn loads in each worker, `module:factory()`.
    """
    return ChildSpec(
        name="web",
        argv=(
            *(sys.executable, "-m", "gunicorn", "--config", _CONFIG),
            *("--bind", str(address), "--workers", str(workers), application),
        ),
        env=env,
        progress=lambda: probe(address),
        stop_signal=signal.SIGTERM,
        grace_seconds=gunicorn_conf.graceful_timeout + 0.5,
    )


def probe(address: ListenAddress) -> Progress:
    """Ask `/healthz` whether a worker answers."""
    connection = http.client.HTTPConnection(address.probe_host, address.port, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return Progress.WAITING
    finally:
        connection.close()
    return Progress.READY if status == 200 else Progress.WAITING


def _try_to_listen(address: ListenAddress) -> None:
    found = socket.getaddrinfo(address.host or None, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, where = found[0]
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen(1)
