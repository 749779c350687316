"""A request's id: in its answer, and in every log line written on its behalf. Also the last catch for its faults."""

import logging
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from random import getrandbits  # begun anew in each forked worker by Python; an id is no secret
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HEADER: Final = "X-Request-Id"
APP_FAULT: Final = "web.app_fault"
"""Log event: something around the views raised; the request was answered with 500, if it still could be."""

_LOG: Final = logging.getLogger(__name__)

_SAFE: Final = re.compile(r"[A-Za-z0-9-]{8,64}")
"""What proxies draw (hex, UUIDs) passes; dots, colons and underscores do not: addresses and tokens have them. An ad's
token is longer."""

_FAULT_HEADERS: Final = (("Content-Length", "0"), ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))
_WHOLE: Final = (list, tuple)
"""Answers that are made already when they are returned."""

_CURRENT: Final[ContextVar[str | None]] = ContextVar("request_id", default=None)


def current_request_id() -> str | None:
    """Return the id of the request that this thread works for, or None."""
    return _CURRENT.get()


class RequestIds:
    """WSGI middleware, the outermost. Immutable, shared by all threads.

    The id that a proxy sent is taken if it is one that can be logged, else one is drawn. What the application raises
    is logged here, once and without the address: servers would log the address, and addresses carry tokens.
    """

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer, with the id among the headers."""
        sent = environ.get("HTTP_X_REQUEST_ID")
        request_id = sent if sent and _SAFE.fullmatch(sent) else f"{getrandbits(64):016x}"

        started = False

        def start(
            status: str, headers: list[tuple[str, str]], exc_info: "OptExcInfo | None" = None, /
        ) -> Callable[[bytes], object]:
            nonlocal started
            started = True
            headers.append((HEADER, request_id))
            return start_response(status, headers, exc_info)

        _CURRENT.set(request_id)
        try:
            answer = self._app(environ, start)
        except Exception as fault:  # noqa: BLE001 - a server would log it with the address
            _LOG.error(APP_FAULT, exc_info=fault)
            _CURRENT.set(None)
            # Without a body: an include would print it on the publisher's page.
            start("500 Internal Server Error", list(_FAULT_HEADERS), sys.exc_info() if started else None)
            return ()
        if isinstance(answer, _WHOLE):
            _CURRENT.set(None)
            return answer
        return _Following(answer, request_id)


class AnswerBroken(Exception):
    """An answer ended half-way; the fault behind it stands in the log."""


class _Following:
    """Passes on an answer that is still being made, under its request's id. One thread."""

    def __init__(self, answer: Iterable[bytes], request_id: str) -> None:
        self._answer = answer
        self._request_id = request_id

    def __iter__(self) -> Iterator[bytes]:
        _CURRENT.set(self._request_id)
        try:
            yield from self._answer
        except Exception as fault:  # noqa: BLE001 - a server would log it with the address
            _LOG.error(APP_FAULT, exc_info=fault)
            raise AnswerBroken from None
        finally:
            _CURRENT.set(None)

    def close(self) -> None:
        """Close what it passed on."""
        _CURRENT.set(None)
        close = getattr(self._answer, "close", None)
        if close is not None:
            close()
