"""A receiver of webhooks on this machine, that answers as it is told, and can be down."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(slots=True)
class Received:
    """One POST. Immutable by habit."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class HookReceiver:
    """What came, and what is answered. Shared by the server's threads."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    """One for each call to come; 204 once there are no more."""
    received: list[Received] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    """Set: no answer waits."""

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}/hook?room=7"


@contextmanager
def running_receiver(port: int = 0, *, hangs: bool = False) -> Iterator[HookReceiver]:
    """Run one on a port, or on a free one; where it hangs, it answers when `release` is set."""
    receiver = HookReceiver()
    if not hangs:
        receiver.release.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.received.append(Received(self.path, dict(self.headers), body))
            receiver.release.wait(30)
            self.send_response(receiver.answers.pop(0) if receiver.answers else 204)
            self.send_header("Location", receiver.url)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        receiver.port = server.server_address[1]
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.release.set()
            server.shutdown()
            thread.join()
