"""A server that misbehaves: each connection is handed to a function that does with it what it likes."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress


@contextmanager
def odd_server(handle: Callable[[socket.socket], None]) -> Iterator[str]:
    """Run a server on a free port of loopback; yield its address, `http://127.0.0.1:…`."""
    ended = threading.Event()
    held: list[socket.socket] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def accept() -> None:
            while not ended.is_set():
                with suppress(OSError):
                    connection, _ = listener.accept()
                    held.append(connection)
                    threading.Thread(target=_handle, args=(handle, connection), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            ended.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)
            for connection in held:
                connection.close()


def answering(status: str, content_type: str, body: bytes) -> Callable[[socket.socket], None]:
    """Return what answers every request on a connection alike."""

    def handle(connection: socket.socket) -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        while connection.recv(65536):
            connection.sendall(head + body)

    return handle


def hanging(connection: socket.socket) -> None:
    """Read, and never answer."""
    while connection.recv(65536):
        pass


def dribbling(connection: socket.socket) -> None:
    """Answer one byte at a time, each well within any time-out for a step, for ever."""
    pause = threading.Event()
    connection.recv(65536)
    for byte in b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9000\r\n\r\n" + b"x" * 9000:
        connection.sendall(bytes((byte,)))
        pause.wait(0.05)


def _handle(handle: Callable[[socket.socket], None], connection: socket.socket) -> None:
    with suppress(OSError):
        handle(connection)
