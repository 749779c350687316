"""Believe `X-Forwarded-For` and `X-Forwarded-Proto` from named proxies only."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from adserver.counting.addresses import Address, Network, parse_address

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class TrustedProxies:
    """WSGI middleware that puts the reader's address and scheme where a trusted proxy names them. Immutable.

    The reader is the last address of the list that is not itself a trusted proxy; what stands before it was written
    by the reader and means nothing. `X-Forwarded-Host` and `-Prefix` are never looked at.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        networks: tuple[Network, ...],
        on_untrusted: Callable[[], None] | None = None,
    ) -> None:
        """Wrap `app`; without networks nothing is believed.

        Args:
            app: what answers.
            networks: the proxies.
            on_untrusted: is told of each request that seems to come through a proxy near by that is not among them.
        """
        self._app = app
        self._networks = networks
        self._on_untrusted = on_untrusted

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Pass the request on, with `REMOTE_ADDR` and `wsgi.url_scheme` of the reader."""
        if self._networks or "HTTP_X_FORWARDED_FOR" in environ:
            self._look(environ, parse_address(environ.get("REMOTE_ADDR", "")))
        return self._app(environ, start_response)

    def _look(self, environ: "WSGIEnvironment", peer: Address | None) -> None:
        if self._trusts(peer):
            self._believe(environ)
        elif self._on_untrusted and "HTTP_X_FORWARDED_FOR" in environ and peer is not None and peer.is_private:
            self._on_untrusted()  # loopback is private too; from afar anybody may send the header

    def _believe(self, environ: "WSGIEnvironment") -> None:
        scheme = environ.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip().lower()
        if scheme in ("http", "https"):
            environ["wsgi.url_scheme"] = scheme
        for text in reversed(environ.get("HTTP_X_FORWARDED_FOR", "").split(",")):
            address = parse_address(text.strip())
            if address is None:
                return
            environ["REMOTE_ADDR"] = str(address)
            if not self._trusts(address):
                return

    def _trusts(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._networks)
