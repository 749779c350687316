"""The two files that pages link: the tag's script and the stylesheet, ready to send."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import Self

from adserver.delivery.stylesheet import stylesheet


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


def load_script() -> Asset:
    """Return `/slot.js`, which `scripts/tag` makes of `tag/slot.js`."""
    source = files("adserver.delivery").joinpath("static/slot.js").read_text(encoding="utf-8")
    return Asset.of(source, "text/javascript; charset=utf-8")


def make_stylesheet() -> Asset:
    """Return `/slot.css`."""
    return Asset.of(stylesheet(), "text/css; charset=utf-8")
