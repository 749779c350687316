"""The two files that pages link: the tag's script and the stylesheet, ready to send."""

import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import Final, Self

from adserver.delivery.stylesheet import stylesheet

_NOT_CODE: Final = re.compile(r"/\*[\s\S]*?\*/ *|^ *//.*$|^ +", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Asset:
    """A static file in memory. Immutable."""

    body: bytes
    content_type: str
    etag: str
    """Without quotes; changes with the body."""

    @classmethod
    def of(cls, text: str, content_type: str) -> Self:
        """Return a text as an asset."""
        body = text.encode()
        return cls(body, content_type, hashlib.blake2b(body, digest_size=9).hexdigest())


def strip_comments(source: str) -> str:
    """Return a script without its comments, indentation and empty lines: readers need not load them.

    Knows no JavaScript: the source keeps `/*`, and `//` at the start of a line, out of its strings.
    """
    lines = _NOT_CODE.sub("", source).splitlines()
    return "\n".join(line for line in lines if line) + "\n"


def load_script() -> Asset:
    """Return `/slot.js`, from the package's files."""
    source = files("adserver.delivery").joinpath("static/slot.js").read_text(encoding="utf-8")
    return Asset.of(strip_comments(source), "text/javascript; charset=utf-8")


def make_stylesheet() -> Asset:
    """Return `/slot.css`."""
    return Asset.of(stylesheet(), "text/css; charset=utf-8")
