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
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Final, Protocol

from gunicorn.http import errors, wsgi  # type: ignore[import-untyped]  # it publishes no types
from gunicorn.http.message import Request  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

from adserver.processes.arrivals import Arrivals
from adserver.processes.patient_socket import PatientSocket
from adserver.processes.whole_response import WholeResponse
from adserver.web.statuses import words_of

FIRST_BYTE_SECONDS: Final = 2.0
"""How long a new connection may be quiet; browsers that connect ahead simply connect again."""
BODY_REST_BYTES: Final = 64 * 1024
"""How much of a body that the application did not want is read past, so that the connection can go on."""
LINGER_SECONDS: Final = 2.0
"""How long a closing connection is listened to, so that its client reads the answer to the end (RFC 9112, 9.6)."""
STOPPING_LOOK_SECONDS: Final = 0.1
"""How often a stopping worker looks whether its last connection has ended."""

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


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn publishes no types
    """A gthread worker none of whose threads waits for a client without end.

    The threads wait for requests themselves, and put a connection back themselves. (gunicorn's main thread hands each
    request to a thread and takes the connection back from it: a quarter of all processor time, for only one thread of
    Python's runs at a time.) The main thread accepts connections, and ends those that are over or quiet; methods run on
    it unless they say otherwise.
    """

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)
        self._arrivals: Arrivals
        self._idle: dict[int, TConn] = {}
        """By descriptor, the connections that no thread works for. Who takes one out has it: one step of a dict."""
        self._lingering: deque[tuple[float, PatientSocket]] = deque()
        """(when it is closed, connection), soonest first."""

    def init_process(self) -> None:
        """Begin in the worker's own process; what waits for connections must not be shared with the parent."""
        self._arrivals = Arrivals()
        super().init_process()

    def run(self) -> None:
        """Serve until told to stop."""
        for number in range(self.cfg.threads):
            threading.Thread(target=self._serve, name=f"requests-{number}", daemon=True).start()
        super().run()

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
        connection.data_ready = True  # by the time that a thread gets it
        connection.timeout = time.monotonic() + FIRST_BYTE_SECONDS
        descriptor = connection.sock.fileno()
        self._idle[descriptor] = connection
        self._arrivals.add(descriptor)

    def _serve(self) -> None:
        """Answer one request after the other, whoever's it is. Runs in each thread, until the process ends."""
        while True:
            descriptor = self._arrivals.next()
            connection = self._idle.pop(descriptor, None)
            if connection is not None:  # else the main thread has just ended it
                self._serve_one(descriptor, connection)

    def _serve_one(self, descriptor: int, connection: TConn) -> None:
        """Answer a request, then wait for the connection's next, or let the main thread end it. Runs in a thread."""
        connection.sock.begin()
        try:
            goes_on = self.handle(connection)
        except BaseException as error:  # noqa: BLE001 - the thread serves others
            _LOG.error(REQUEST_FAILED, exc_info=error)
            goes_on = False
        if not goes_on:
            self._arrivals.forget(descriptor)
            self.method_queue.defer(self._end, connection.sock)
            return
        connection.set_timeout()
        has_more = bool(connection.parser.unreader.buf.getvalue())  # what is read already makes no socket readable
        self._idle[descriptor] = connection
        self._arrivals.again(descriptor, at_once=has_more)

    def handle_request(self, request: Request, connection: TConn) -> bool:
        """Answer one request; return whether the connection may go on. Runs in a thread.

        Does what gunicorn's does, without the access log, which would name readers, and without its hooks.
        """
        answer, environ = wsgi.create(
            request, connection.sock, connection.client, connection.server, self.cfg, response_class=WholeResponse
        )
        environ["wsgi.multithread"] = True
        if not self.alive or len(self._idle) >= self.max_keepalived:
            answer.force_close()
        try:
            pieces = self.wsgi(environ, answer.start_response)
            try:
                for piece in pieces:
                    answer.write(piece)
                answer.close()
            finally:
                if hasattr(pieces, "close"):
                    pieces.close()
        except OSError:
            raise  # the client has gone, or is too slow
        except Exception as error:
            if not answer.headers_sent:
                raise
            _LOG.error(REQUEST_FAILED, exc_info=error)  # a second answer in the first would be taken for a part of it
            return False
        return not answer.should_close()

    def _keepalive_after(self, connection: TConn, keepalive: bool) -> bool:  # noqa: FBT001 - gunicorn's signature
        """Tell whether a connection goes on, once what is left of the request is read. Runs in a thread.

        The connection itself sees to it that this takes no longer than a request may.
        """
        return keepalive and bool(connection.parser.finish_body(max_bytes=BODY_REST_BYTES))

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Wait for what the main thread has to do; while stopping, look often whether all is done."""
        super().wait_for_and_dispatch_events(timeout if self.alive else min(timeout, STOPPING_LOOK_SECONDS))

    def murder_keepalived(self, force: bool = False) -> None:  # noqa: FBT001, FBT002 - gunicorn's signature
        """Close the connections that have been quiet for too long, or all of them."""
        now = time.monotonic()
        for descriptor, connection in list(self._idle.items()):
            if (force or connection.timeout <= now) and self._idle.pop(descriptor, None) is not None:
                self._arrivals.forget(descriptor)
                self.nr_conns -= 1
                connection.close()

    def murder_pending(self) -> None:
        """Close the connections that have been on their way out for too long."""
        while self._lingering and self._lingering[0][0] <= time.monotonic():
            self._let_go(self._lingering.popleft()[1])

    def _cap_keepalive(self, deadline: float) -> None:
        """Let no quiet connection stay longer than this."""
        for connection in list(self._idle.values()):
            connection.timeout = min(connection.timeout, deadline)

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

    def _end(self, client: PatientSocket) -> None:
        """Close a connection without waiting for its client here."""
        self.nr_conns -= 1
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


def _answer(status: int) -> bytes:
    title, detail = words_of(status)
    body = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail}).encode()
    head = (
        f"HTTP/1.1 {status} {title}\r\nContent-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body
