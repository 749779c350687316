"""What a page's Content-Security-Policy lets through. Source of the rules: CSP level 3, sections 6.6 and 6.7."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self
from urllib.parse import SplitResult, urlsplit


class Fetch(StrEnum):
    """What a page fetches from the service; the value is the directive that names it first."""

    SCRIPT = "script-src-elem"
    STYLE = "style-src-elem"
    IMAGE = "img-src"
    CONNECT = "connect-src"
    FRAME = "frame-src"

    @property
    def directives(self) -> tuple[str, ...]:
        """The directives that decide, the first that is there alone."""
        return (self, *_FALLBACKS[self], "default-src")

    @property
    def directive(self) -> str:
        """The directive that people write for it."""
        return _FALLBACKS[self][0] if self in (Fetch.SCRIPT, Fetch.STYLE) else self


_FALLBACKS: Final[Mapping[Fetch, tuple[str, ...]]] = {
    Fetch.SCRIPT: ("script-src",),
    Fetch.STYLE: ("style-src",),
    Fetch.IMAGE: (),
    Fetch.CONNECT: (),
    Fetch.FRAME: ("child-src",),
}
_HOST: Final = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://)?(?P<host>\*|(?:\*\.)?[a-z0-9.-]+|\[[0-9a-f:.]+\])"
    r"(?::(?P<port>\d+|\*))?(?P<path>/[^?#]*)?"
)
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy. Immutable."""

    directives: Mapping[str, tuple[str, ...]]

    @classmethod
    def parse_all(cls, text: str) -> tuple[Self, ...]:
        """Return the policies of a header's value; of a directive that stands twice the first counts."""
        policies = []
        for one in text.split(","):
            directives: dict[str, tuple[str, ...]] = {}
            for directive in one.split(";"):
                name, *sources = directive.split() or [""]
                directives.setdefault(name.lower(), tuple(sources))
            policies.append(cls(directives))
        return tuple(policies)

    def allows(self, fetch: Fetch, url: str, page: str, *, nonce: str = "", integrity: str = "") -> bool:
        """Tell whether a page at an address may fetch another; `nonce` and `integrity` are of a script's element."""
        sources = next((self.directives[name] for name in fetch.directives if name in self.directives), None)
        if sources is None:
            return True
        lowered = [source.lower() for source in sources]
        if nonce and f"'nonce-{nonce}'" in sources:
            return True
        hashes = [f"'{each}'" for each in integrity.split()]
        if hashes and all(each in sources for each in hashes):
            return True
        if fetch is Fetch.SCRIPT and "'strict-dynamic'" in lowered:
            return False
        return any(_matches(source, urlsplit(url), urlsplit(page)) for source in lowered)


def _matches(source: str, url: SplitResult, page: SplitResult) -> bool:
    if source == "'self'":
        return url.hostname == page.hostname and _is_scheme(url.scheme, page.scheme) and _is_port(None, url, page)
    if re.fullmatch(r"[a-z][a-z0-9+.-]*:", source):
        return _is_scheme(url.scheme, source[:-1])
    found = _HOST.fullmatch(source)
    if found is None:
        return False
    if found["host"] == "*" and source == "*":
        return url.scheme in (*_PORTS, page.scheme)
    return (
        _is_scheme(url.scheme, found["scheme"] or page.scheme)
        and _is_host(found["host"], url.hostname or "")
        and _is_port(found["port"] or "", url, page)
        and _is_path(found["path"] or "", url.path)
    )


def _is_scheme(scheme: str, wanted: str) -> bool:
    return scheme == wanted or (wanted == "http" and scheme == "https")


def _is_host(pattern: str, host: str) -> bool:
    if pattern == "*":
        return True
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


def _is_port(port: str | None, url: SplitResult, page: SplitResult) -> bool:
    """Compare with a source's port: none written is the scheme's own, `*` any, None the page's."""
    have = url.port or _PORTS.get(url.scheme)
    if port is None:
        wanted = page.port or _PORTS.get(page.scheme)
        return have == wanted or (wanted == 80 and have == 443)
    if port == "*":
        return True
    return have == (int(port) if port else _PORTS.get(url.scheme)) or (port == "80" and have == 443)


def _is_path(pattern: str, path: str) -> bool:
    return not pattern or (path.startswith(pattern) if pattern.endswith("/") else path == pattern)
