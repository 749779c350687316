"""Which `Host` a request may name. `X-Forwarded-Host` is never looked at."""

import ipaddress
import re
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, Response, request

from adserver.web.problems import problem_response

SETTING: Final = "ADSERVER_ALLOWED_HOSTS"

_HOST: Final = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")
_HEALTH: Final = frozenset({"/healthz", "/readyz"})
_DELIVERY: Final = re.compile(r"/(v1/(slots/|frames/|seen/)|go/)|/(v1/decisions|v1/seen|slot\.js|slot\.css)\Z")

_REMEMBERED: Final = 256
_REMEMBERED_CHARS: Final = 255
"""The longest name that DNS has; a longer text is looked at anew each time."""


class HostRules:
    """Judges hosts: loopback, the public address's and the allowed ones pass. Shared by all threads.

    Immutable, but for a bounded memory (thread-safe, in C) of hosts that were asked for.
    """

    def __init__(self, public_url: str | None = None, allowed: frozenset[str] = frozenset()) -> None:
        """Take the public address, and further names without port."""
        public_host = urlsplit(public_url).netloc if public_url else None
        name = _name_of(public_host) if public_host else None
        self._allowed = allowed | {name} if name else allowed
        self._delivery_takes_any = public_url is not None
        self._knows_lately = lru_cache(_REMEMBERED)(self._knows)

    def permit(self, host: str | None, path: str, protocol: str = "HTTP/1.1") -> bool:
        """Tell whether a request with this `Host` header (None: without one) may go on.

        Health checks come from balancers that name no host or their own; where the public address is set, what readers'
        browsers and the publisher's servers fetch does not depend on the name they used. HTTP/1.1 needs a host
        (RFC 9112, 3.2).
        """
        if host is None and protocol != "HTTP/1.0":
            return False
        if path in _HEALTH or (self._delivery_takes_any and _DELIVERY.match(path)):
            return True
        if not host:
            return False
        return self._knows_lately(host) if len(host) <= _REMEMBERED_CHARS else self._knows(host)

    def _knows(self, host: str) -> bool:
        name = _name_of(host)
        return name is not None and (name in self._allowed or _is_loopback(name))


def install_hosts(app: Flask, rules: HostRules) -> None:
    """Refuse, before any view, requests whose host the rules do not permit."""

    def refuse_foreign_host() -> Response | None:
        environ = request.environ
        host = environ.get("HTTP_HOST")
        if rules.permit(host, request.path, environ.get("SERVER_PROTOCOL", "HTTP/1.1")):
            return None
        detail = f"The service is not known by this host name; {SETTING} lists further names."
        return problem_response(400, "Foreign host", detail, kind="foreign-host")

    app.before_request(refuse_foreign_host)


def names_loopback(host: str) -> bool:
    """Tell whether a `Host` header names this machine as only this machine can reach it."""
    name = _name_of(host)
    return name is not None and _is_loopback(name)


def _name_of(host: str) -> str | None:
    match = _HOST.fullmatch(host)
    if match is None:
        return None
    name = match["name"].lower()
    if name.startswith("["):
        try:
            return f"[{ipaddress.ip_address(name[1:-1])}]"
        except ValueError:
            return None
    return name.removesuffix(".")


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
