"""gunicorn's threaded worker, made patient with slow clients and silent about what it cannot read.

What gunicorn 27's own worker does, tried with raw sockets, and what this one does instead:

    a connection that sends nothing      holds a thread for 5 s           waits beside the threads, 2 s
    half a request line, header or body  holds a thread for ever          10 s, and then 4 KiB a second at least
    a closing connection not closed      holds the whole worker for 2 s   waits beside the threads, 2 s
    a request that cannot be parsed      HTML that quotes it, and a log   a problem document that does not, and no log
                                         line with the client's address
"""

import errno
import json
import logging
import selectors
import socket
import struct
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from functools import partial
from typing import Final, Protocol

from gunicorn.http import errors  # type: ignore[import-untyped]  # it publishes no types
from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

from adserver.web.statuses import words_of

FIRST_BYTE_SECONDS: Final = 2.0
"""How long a new connection may be quiet; browsers that connect ahead simply connect again."""
REQUEST_SECONDS: Final = 10.0
"""How long a request may take to arrive, beside what its bytes earn it."""
BYTES_A_SECOND: Final = 4096
"""Each so many bytes that arrive earn the rest of the request a second more."""
SEND_SECONDS: Final = 60
"""How long a client may take to read one piece of an answer."""
LINGER_SECONDS: Final = 2.0
"""How long a closing connection is listened to, so that its client reads the answer to the end (RFC 9112, 9.6)."""
LINGER_BYTES: Final = 16 * 1024 * 1024
"""More than a proxy lets through: one that is still sending when it is answered must not find the connection broken."""

REQUEST_FAILED: Final = "server.request_failed"
"""Log event: a request ended in an error that the application did not answer."""

_LOG: Final = logging.getLogger(__name__)

_STATUS: Final[Mapping[type[Exception], int]] = {
    errors.LimitRequestLine: 414,
    errors.LimitRequestHeaders: 431,
    errors.ExpectationFailed: 417,
    errors.UnsupportedTransferCoding: 501,
    errors.ForbiddenProxyRequest: 403,
    errors.ConfigurationProblem: 404,  # SCRIPT_NAME is set, and the path does not begin with it
}


class _Listener(Protocol):
    """A socket that takes connections."""

    def accept(self) -> tuple[socket.socket, object]:
        """Return the next connection and its peer."""

    def getsockname(self) -> object:
        """Return where it listens."""


class PatientSocket(socket.socket):
    """A client's connection whose requests must arrive at a least speed. Used by one thread at a time."""

    def __init__(self, accepted: socket.socket) -> None:
        """Take over an accepted connection, which is of no more use itself."""
        super().__init__(fileno=accepted.detach())
        self.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_SECONDS, 0))
        self._deadline = 0.0
        self.drained = 0
        """Bytes that came after the last answer."""

    def begin(self) -> None:
        """Let the time of the next request run."""
        self._deadline = time.monotonic() + REQUEST_SECONDS

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """Return what has come, waiting for it as long as the request's time lasts.

        Raises:
            ConnectionResetError: it has run out.
        """
        if time.monotonic() >= self._deadline:
            raise _too_slow()
        try:
            data = super().recv(size, flags | socket.MSG_DONTWAIT)
        except BlockingIOError:
            data = self._wait(size, flags)
        self._deadline += len(data) / BYTES_A_SECOND
        return data

    def sendall(self, data: bytes, flags: int = 0, /) -> None:  # type: ignore[override]  # gunicorn sends bytes only
        """Send all of it.

        Raises:
            ConnectionResetError: the client does not read it.
        """
        try:
            super().sendall(data, flags)
        except BlockingIOError:
            raise _too_slow() from None

    def drain(self) -> bool:
        """Pass over what still comes after the last answer; return whether there is more to wait for."""
        try:
            size = len(super().recv(65_536, socket.MSG_DONTWAIT))
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.drained += size
        return size > 0 and self.drained < LINGER_BYTES

    def _wait(self, size: int, flags: int) -> bytes:
        self.settimeout(max(0.001, self._deadline - time.monotonic()))
        try:
            return super().recv(size, flags)
        except TimeoutError:
            raise _too_slow() from None
        finally:
            self.settimeout(None)  # with a time-out set, even MSG_DONTWAIT waits


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn publishes no types
    """A gthread worker none of whose threads waits for a client without end. Its own methods run on its main thread."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)
        self._lingering: deque[tuple[float, PatientSocket]] = deque()
        """(when it is closed, connection), soonest first."""

    def accept(self, listener: _Listener) -> None:
        """Take a connection, and let it wait beside the threads until it says something."""
        try:
            client, peer = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return
        self.nr_conns += 1
        connection = TConn(self.cfg, PatientSocket(client), peer, listener.getsockname())
        connection.timeout = time.monotonic() + FIRST_BYTE_SECONDS
        self.pending_conns.append(connection)
        readable = partial(self.on_pending_socket_readable, connection)
        self.poller.register(connection.sock, selectors.EVENT_READ, readable)

    def enqueue_req(self, connection: TConn) -> None:
        """Hand a connection that has something to say to a thread."""
        connection.sock.begin()
        super().enqueue_req(connection)

    def finish_request(self, connection: TConn, outcome: "Future[object]") -> None:
        """Keep a connection for the next request, or close it without waiting for its client here."""
        if outcome.cancelled() or outcome.exception() or outcome.result():
            super().finish_request(connection, outcome)
        else:
            self.nr_conns -= 1
            self._linger(connection.sock)

    def murder_pending(self) -> None:
        """Close the connections that have been quiet, or on their way out, for too long."""
        super().murder_pending()
        while self._lingering and self._lingering[0][0] <= time.monotonic():
            self._let_go(self._lingering.popleft()[1])

    def handle_error(self, _request: object, client: socket.socket, _address: object, error: Exception) -> None:
        """Answer a request that could not be read or served, repeating and logging nothing of it."""
        ours = isinstance(error, (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName))
        unreadable = isinstance(error, errors.ParseException) and not ours
        if not unreadable:
            _LOG.error(REQUEST_FAILED, exc_info=error)
        try:
            client.sendall(_answer(_STATUS.get(type(error), 400) if unreadable else 500))
        except OSError:
            return  # the client has gone

    def _linger(self, client: PatientSocket) -> None:
        try:
            client.settimeout(0.0)
            client.shutdown(socket.SHUT_WR)
            self.poller.register(client, selectors.EVENT_READ, self._drain)
        except OSError:
            client.close()
            return
        self._lingering.append((time.monotonic() + LINGER_SECONDS, client))

    def _drain(self, client: PatientSocket) -> None:
        if not client.drain():
            self._let_go(client)

    def _let_go(self, client: PatientSocket) -> None:
        if client.fileno() >= 0:
            self.poller.unregister(client)
            client.close()


def _too_slow() -> ConnectionResetError:
    return ConnectionResetError(errno.ECONNRESET, "the client is too slow")


def _answer(status: int) -> bytes:
    title, detail = words_of(status)
    body = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail}).encode()
    head = (
        f"HTTP/1.1 {status} {title}\r\nContent-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body
