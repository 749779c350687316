"""Begin a process's background work with its first request."""

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from adserver.counting.forks import forget_after_fork

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class BeginningWithRequests:
    """A WSGI application that calls `begin` once in each process, before its first request. Shared by all threads.

    Servers that load the application in a parent and fork workers from it must find no thread there: a child would
    inherit its locks, held for ever.
    """

    def __init__(self, app: "WSGIApplication", begin: Callable[[], None]) -> None:
        """Take what answers, and what is to be begun."""
        self._app = app
        self._begin = begin
        self._lock = threading.Lock()
        self._has_begun = False
        forget_after_fork(self._forget)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request."""
        if not self._has_begun:
            with self._lock:  # those that come meanwhile wait until it has begun
                if not self._has_begun:
                    self._begin()
                    self._has_begun = True
        return self._app(environ, start_response)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._has_begun = False
