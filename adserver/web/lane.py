"""The hot calls, answered in front of Flask: same functions, same bytes, without its dispatch.

Whatever is unusual about a request goes on to Flask, so the lane knows no error and no rare method. It answers as
Flask's views do because it calls what they call, and because its headers are made by the application itself: each kind
of answer goes once through the application's after-request functions when the lane is built.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Final, Self

from flask import Flask, Response

from adserver.domain.decisions import NoFill
from adserver.domain.errors import AdserverError
from adserver.domain.ids import SLUG_PATTERN, SlotId
from adserver.domain.reasons import NoFillReason
from adserver.web import answers
from adserver.web.calls import DeliveryCalls
from adserver.web.delivery_bodies import BODY_MAX_BYTES
from adserver.web.hosts import HostRules

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_GET: Final = re.compile(
    rf"/v1/(?:slots/(?P<slot>{SLUG_PATTERN})(?P<html>\.html)?|seen/(?P<token>[A-Za-z0-9_-]{{1,96}})\.gif)"
)
_POST: Final = frozenset({"/v1/decisions", "/v1/seen"})
_HOST: Final = re.compile(r"(?:(?!-)[A-Za-z0-9-]{1,63}(?:\.|(?=:|\Z)))+(?::[0-9]{1,5})?")
"""Plain names and IPv4 addresses; Flask has its own mind about others."""
_HOST_MAX_CHARS: Final = 200
_LENGTH: Final = re.compile(r"[0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of answer: what is the same in each of its instances. Immutable."""

    status: str
    before: tuple[tuple[str, str], ...]
    """The headers in front of Content-Length."""
    after: tuple[tuple[str, str], ...]
    """Those behind it."""
    has_length: bool

    @classmethod
    def learn(cls, app: Flask, method: str, path: str, response: Response) -> Self:
        """Return what the application makes of such a response at such an address."""
        with app.test_request_context(path, method=method) as context:
            finished = app.process_response(response)
            _, status, headers = finished.get_wsgi_response(context.request.environ)
        names = [name for name, _ in headers]
        at = names.index("Content-Length") if "Content-Length" in names else len(names)
        return cls(status, tuple(headers[:at]), tuple(headers[at + 1 :]), has_length=at < len(names))

    def send(self, body: bytes, start_response: "StartResponse") -> Iterable[bytes]:
        """Send an answer of this kind."""
        length = (("Content-Length", str(len(body))),) if self.has_length else ()
        start_response(self.status, [*self.before, *length, *self.after])
        return (body,) if body else ()


@dataclass(frozen=True, slots=True)
class _Kinds:
    """All kinds of answer that the lane gives. Immutable."""

    json: _Kind
    json_no_fill: Mapping[NoFillReason, _Kind]
    html: _Kind
    html_no_fill: Mapping[NoFillReason, _Kind]
    page: _Kind
    pixel: _Kind
    events: _Kind

    @classmethod
    def learn(cls, app: Flask) -> Self:
        def learn(path: str, response: Response, method: str = "GET") -> _Kind:
            return _Kind.learn(app, method, path, response)

        return cls(
            json=learn("/v1/slots/x", answers.json_answer(b"")),
            json_no_fill={each: learn("/v1/slots/x", answers.json_no_fill(each)) for each in NoFillReason},
            html=learn("/v1/slots/x.html", answers.html_answer(b"")),
            html_no_fill={each: learn("/v1/slots/x.html", answers.html_no_fill(each)) for each in NoFillReason},
            page=learn("/v1/decisions", answers.json_answer(b""), "POST"),
            pixel=learn("/v1/seen/x.gif", answers.pixel()),
            events=learn("/v1/seen", answers.events_taken(), "POST"),
        )


class Lane:
    """WSGI middleware in front of Flask's own application. Immutable, shared by all threads."""

    def __init__(self, app: Flask, calls: DeliveryCalls, hosts: HostRules) -> None:
        """Stand in front of `app`, which must be complete but for middleware.

        Args:
            app: answers what the lane does not; its after-request functions must depend on no more of a request than
                its method and path without slot and token, and do nothing but set headers.
            calls: answers the rest, for the lane as for Flask's views.
            hosts: which hosts a request may name.
        """
        self._behind: WSGIApplication = app.wsgi_app
        self._calls = calls
        self._hosts = hosts
        self._kinds = _Kinds.learn(app)
        self._pixel = answers.pixel().get_data()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer, or hand on."""
        answer = None
        if self._is_usual(environ):
            method = environ["REQUEST_METHOD"]
            if method == "GET":
                answer = self._get(environ)
            elif method == "POST":
                answer = self._post(environ)
        if answer is None:
            return self._behind(environ, start_response)
        kind, body = answer
        return kind.send(body, start_response)

    def _is_usual(self, environ: "WSGIEnvironment") -> bool:
        host = environ.get("HTTP_HOST")
        if host is None or len(host) > _HOST_MAX_CHARS or _HOST.fullmatch(host) is None:
            return False
        if "HTTP_TRANSFER_ENCODING" in environ or "HTTP_UPGRADE" in environ or "HTTP_EXPECT" in environ:
            return False
        return self._hosts.permit(host, environ["PATH_INFO"], environ["SERVER_PROTOCOL"])

    def _get(self, environ: "WSGIEnvironment") -> tuple[_Kind, bytes] | None:
        match = _GET.fullmatch(environ["PATH_INFO"])
        if match is None:
            return None
        slot, html, token = match.groups()
        if token is not None:
            self._calls.see(token, environ)
            return self._kinds.pixel, self._pixel
        try:
            question = self._calls.question(SlotId(slot), environ)
        except AdserverError:
            return None
        kinds = self._kinds
        if html:
            answer = self._calls.slot_html(question, environ)
            return (kinds.html_no_fill[answer.reason], b"") if isinstance(answer, NoFill) else (kinds.html, answer)
        answer = self._calls.slot_json(question, environ)
        return (kinds.json_no_fill[answer.reason], b"") if isinstance(answer, NoFill) else (kinds.json, answer)

    def _post(self, environ: "WSGIEnvironment") -> tuple[_Kind, bytes] | None:
        path, length = environ["PATH_INFO"], environ.get("CONTENT_LENGTH", "")
        if path not in _POST or _LENGTH.fullmatch(length) is None or int(length) > BODY_MAX_BYTES:
            return None
        try:
            body = environ["wsgi.input"].read(int(length))
        except OSError:
            return None  # the client has gone, or is too slow
        environ["wsgi.input"] = BytesIO(body)  # for Flask, should it come to that
        if len(body) < int(length):
            return None
        try:
            if path == "/v1/decisions":
                return self._kinds.page, self._calls.page_json(body, environ)
            self._calls.take_events(body, environ)
        except AdserverError:
            return None
        return self._kinds.events, b""
