"""gunicorn's answer, its head and a body that is known whole in one piece."""

from gunicorn.http.wsgi import Response  # type: ignore[import-untyped]  # it publishes no types


class WholeResponse(Response):  # type: ignore[misc]  # gunicorn publishes no types
    """An answer that takes one system call, where gunicorn's takes two: one for the head, one for the body.

    Each call lets other threads go first; and a head that goes alone is a packet of its own. One request, one thread.
    """

    headers_sent: bool
    response_length: int | None

    def write(self, data: bytes) -> None:
        """Send a piece of the body, behind the head if that is not sent yet."""
        if self.headers_sent or self.response_length != len(data) or self._omits_body:
            super().write(data)
            return
        head = "".join([*self.default_headers(), *[f"{name}: {value}\r\n" for name, value in self.headers], "\r\n"])
        self.headers_sent = True
        self.sent = len(data)
        self.sock.sendall(head.encode("latin-1") + data)
