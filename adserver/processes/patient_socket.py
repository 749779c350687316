"""A client's connection, which must neither send nor read too slowly."""

import errno
import socket
import struct
import time
from typing import Final

REQUEST_SECONDS: Final = 10.0
"""How long a request may take to arrive, beside what its bytes earn it."""
BYTES_A_SECOND: Final = 4096
"""Each so many bytes that arrive earn the rest of the request a second more."""
SEND_SECONDS: Final = 60
"""How long a client may take to read one piece of an answer."""
LINGER_BYTES: Final = 16 * 1024 * 1024
"""More than a proxy lets through: one that is still sending when it is answered must not find the connection broken."""


class PatientSocket(socket.socket):
    """A client's connection whose requests must arrive at a least speed. Used by one thread at a time."""

    def __init__(self, accepted: socket.socket) -> None:
        """Take over an accepted connection, which is of no more use itself."""
        super().__init__(fileno=accepted.detach())
        self.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_SECONDS, 0))
        self._deadline = 0.0
        self.drained = 0
        """Bytes that came after the last answer."""

    def setblocking(self, flag: bool, /) -> None:  # noqa: FBT001 - the signature of Python's own
        """Wait in calls, or not; asks the system only for what is not so already."""
        if flag != self.getblocking():
            super().setblocking(flag)

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


def _too_slow() -> ConnectionResetError:
    return ConnectionResetError(errno.ECONNRESET, "the client is too slow")
