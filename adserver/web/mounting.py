"""Serve under a path of a publisher's own host, such as https://news.example/sponsors."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Mounted:
    """WSGI middleware that tells the application which path it stands under. Immutable, shared by all threads.

    The proxy before it may cut the path off or leave it on; both come to the same, and so does a call past the
    proxy. A path that only begins alike (`/sponsorship` under `/sponsors`) is left whole. The path comes from the
    settings: what a request says of it (`X-Forwarded-Prefix`) is never looked at.
    """

    def __init__(self, app: "WSGIApplication", prefix: str) -> None:
        """Wrap `app`; `prefix` begins with a slash and does not end with one."""
        self._app = app
        self._prefix = prefix
        self._beneath = f"{prefix}/"

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Pass the request on, the prefix moved from `PATH_INFO` to `SCRIPT_NAME`."""
        path = environ.get("PATH_INFO", "")
        if path == self._prefix or path.startswith(self._beneath):
            environ["PATH_INFO"] = path[len(self._prefix) :]
        environ["SCRIPT_NAME"] = self._prefix
        return self._app(environ, start_response)
