"""What of ours stands on a page of a publisher: tags, frames, fragments, and what they need, read from its HTML."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final
from urllib.parse import parse_qs, urljoin, urlsplit

_SCRIPT: Final = re.compile(r"/slot\.js$")
_STYLESHEET: Final = re.compile(r"/slot\.css$")
_FRAME: Final = re.compile(r"/v1/frames/([^/]+)$")
_CLICK: Final = re.compile(r"/go/([A-Za-z0-9_-]{1,96})$")
_BEACON: Final = re.compile(r"/v1/seen/[A-Za-z0-9_-]{1,96}\.gif$")
_INCLUDE: Final = re.compile(r"<!--\s*#\s*include\s[^>]*?/v1/slots/([^/.\"']+)\.html|<esi:include\s[^>]*?/v1/slots/")


@dataclass(frozen=True, slots=True)
class SlotEmbed:
    """A tag or a frame. Immutable."""

    slot: str
    location: str
    url: str = ""
    """Of a frame."""
    sandbox: frozenset[str] | None = None
    """What a frame's sandbox allows; None: it has none."""
    titled: bool = True


@dataclass(frozen=True, slots=True)
class ScriptEmbed:
    """The tag's script. Immutable."""

    url: str
    nonce: str = ""
    integrity: str = ""


@dataclass(slots=True)
class PageEmbeds:
    """All of them, in the order of the page. One thread, filled while it is read."""

    url: str
    """The page's own; addresses are absolute by it."""
    tags: list[SlotEmbed] = field(default_factory=list)
    frames: list[SlotEmbed] = field(default_factory=list)
    scripts: list[ScriptEmbed] = field(default_factory=list)
    stylesheets: list[str] = field(default_factory=list)
    beacons: list[str] = field(default_factory=list)
    """Of fragments: the addresses of their images."""
    tokens: list[str] = field(default_factory=list)
    """Of fragments: those in their links."""
    policies: list[str] = field(default_factory=list)
    """Contents of its `meta` elements."""
    includes: int = 0
    """Instructions to include a fragment that nobody has followed."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing of ours is there."""
        return not (self.tags or self.frames or self.beacons or self.includes)


def read_embeds(html: str, url: str) -> PageEmbeds:
    """Return what of ours stands on a page; never raises, whatever the page is."""
    reader = _Reader(url)
    reader.feed(html)
    reader.close()
    reader.found.includes = len(_INCLUDE.findall(html))
    return reader.found


class _Reader(HTMLParser):
    """Reads one page. One thread, one use."""

    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found = PageEmbeds(url)
        self._base = url

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in reversed(attrs)}
        match tag:
            case "base":
                self._base = urljoin(self._base, said.get("href", ""))
            case "meta" if said.get("http-equiv", "").lower() == "content-security-policy":
                self.found.policies.append(said.get("content", ""))
            case "script":
                self._script(said)
            case "link" if "stylesheet" in said.get("rel", "").lower().split():
                self._stylesheet(said)
            case "sponsor-slot":
                self.found.tags.append(SlotEmbed(said.get("name", ""), said.get("location", "")))
            case "iframe" | "amp-iframe":
                self._frame(said)
            case "a" if found := _CLICK.search(self._path(said.get("href", ""))):
                self.found.tokens.append(found[1])
            case "img" if _BEACON.search(self._path(said.get("src", ""))):
                self.found.beacons.append(self._absolute(said["src"]))

    def _script(self, said: dict[str, str]) -> None:
        if _SCRIPT.search(self._path(said.get("src", ""))):
            url = self._absolute(said["src"])
            self.found.scripts.append(ScriptEmbed(url, said.get("nonce", ""), said.get("integrity", "")))

    def _stylesheet(self, said: dict[str, str]) -> None:
        if _STYLESHEET.search(self._path(said.get("href", ""))):
            self.found.stylesheets.append(self._absolute(said["href"]))

    def _frame(self, said: dict[str, str]) -> None:
        src = said.get("src", "")
        if found := _FRAME.search(self._path(src)):
            location = parse_qs(urlsplit(src).query).get("location", [""])[0]
            sandbox = frozenset(said["sandbox"].lower().split()) if "sandbox" in said else None
            titled = bool(said.get("title", "").strip())
            self.found.frames.append(SlotEmbed(found[1], location, self._absolute(src), sandbox, titled))

    def _absolute(self, address: str) -> str:
        return urljoin(self._base, address.strip())

    def _path(self, address: str) -> str:
        """Return an address's path; empty for one that is none."""
        try:
            return urlsplit(self._absolute(address)).path
        except ValueError:
            return ""
