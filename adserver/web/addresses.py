"""The service's own address, as its links name it."""

from typing import TYPE_CHECKING, Final

from werkzeug.wrappers import Request

from adserver.decision.memo import Memo

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_REMEMBERED_CHARS: Final = 100_000


class BaseUrls:
    """Knows where links of an answer lead. Shared by all threads; a function of the request, with a bounded memory."""

    def __init__(self, public_url: str | None) -> None:
        """Take the public address without a slash at its end; None: links name the host that a request names."""
        self._public_url = public_url
        self._seen: Memo[tuple[str, str, str], str] = Memo(_REMEMBERED_CHARS)

    def of(self, environ: "WSGIEnvironment") -> str:
        """Return the address without a slash at its end, with the prefix that the service is mounted under."""
        if self._public_url is not None:
            return self._public_url
        host = environ.get("HTTP_HOST")
        if host is None:
            return _base_of(environ)
        key = (environ["wsgi.url_scheme"], host, environ.get("SCRIPT_NAME", ""))
        base = self._seen.get(key)
        if base is None:
            base = _base_of(environ)
            self._seen.put(key, base, sum(map(len, key)) + len(base))
        return base


def _base_of(environ: "WSGIEnvironment") -> str:
    return Request(environ).url_root.rstrip("/")
