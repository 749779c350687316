"""HTTP as bytes on a socket: what no client library would send, and what comes back to the end of the connection."""

import socket
from contextlib import closing, suppress
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser


@dataclass(frozen=True)
class Answer:
    """What a server sent."""

    status: int
    headers: Message
    body: bytes
    sent: bytes
    """All of it, as it came."""


def request(path: str = "/", *headers: str, method: str = "GET", host: str | None = "localhost") -> bytes:
    """Return the bytes of a request without body that asks for one answer."""
    lines = [f"{method} {path} HTTP/1.1", *([f"Host: {host}"] if host is not None else []), *headers]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")


def exchange(port: int, data: bytes, seconds: float = 10) -> Answer:
    """Send bytes to a server of this machine and return what it answers until it closes the connection.

    Raises:
        TimeoutError: it does not close in time.
    """
    with closing(socket.create_connection(("127.0.0.1", port), timeout=seconds)) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):  # refused before all of it was sent
            connection.sendall(data)
        return read_answer(connection)


def read_answer(connection: socket.socket) -> Answer:
    """Return what comes until the end of a connection; status 0 where nothing does."""
    received = bytearray()
    try:
        while data := connection.recv(65_536):
            received += data
    except ConnectionResetError:
        pass  # what the server had sent before is all there is
    return parse(bytes(received))


def parse(sent: bytes) -> Answer:
    """Return an answer's parts."""
    head, _, body = sent.partition(b"\r\n\r\n")
    line, _, fields = head.partition(b"\r\n")
    status = int(line.split()[1]) if line else 0
    return Answer(status, BytesParser().parsebytes(fields + b"\r\n\r\n"), body, sent)
