"""What is put into a page: markup that templates take as it is, and that of the embeds which cached pages may hold."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Final, Self
from urllib.parse import quote, urlencode

_FRAME_SANDBOX: Final = "allow-popups allow-popups-to-escape-sandbox"


class Markup(str):
    """Markup that Jinja and Django put in as it is. Immutable."""

    __slots__ = ()

    def __html__(self) -> Self:
        """Return itself: there is nothing to escape."""
        return self


EMPTY: Final = Markup("")


def tag(service: str, slot: str, *, location: str = "", topics: Iterable[str] = (), height: int = 48) -> Markup:
    """Return the tag of a slot with the frame for readers without JavaScript; it holds no token, so it may be cached.

    Args:
        service: the public address of the sponsor service; its slot.js must be on the page too, see `script`.
        slot: the slot's id.
        location: the place that the page is about, as pages write it.
        topics: what the page is about.
        height: of the frame, CSS pixels.
    """
    about = {"location": location, "topic": ",".join(topics)}
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in about.items() if value)
    inside = frame(service, slot, location=location, topics=about["topic"].split(","), height=height)
    return Markup(f'<sponsor-slot name="{escape(slot)}"{attributes}><noscript>{inside}</noscript></sponsor-slot>')


def script(service: str) -> Markup:
    """Return the element that loads slot.js, once a page."""
    return Markup(f'<script src="{escape(service)}/slot.js" defer></script>')


def frame(service: str, slot: str, *, location: str = "", topics: Iterable[str] = (), height: int = 48) -> Markup:
    """Return the frame of a slot, which needs no JavaScript; it holds no token, so it may be cached.

    Args:
        service: the public address of the sponsor service.
        slot: the slot's id.
        location: the place that the page is about, as pages write it.
        topics: what the page is about.
        height: CSS pixels.
    """
    address = service + path("/v1/frames/", slot, "", query(location, topics))
    return Markup(
        f'<iframe src="{escape(address)}" title="Sponsor" loading="lazy" sandbox="{_FRAME_SANDBOX}"'
        f' width="100%" height="{int(height)}"></iframe>'
    )


def query(location: str, topics: Iterable[str], exclude: Iterable[str] = (), **others: str) -> Mapping[str, str]:
    """Return the query of a call, without what is empty."""
    words = {"location": location, "topic": ",".join(topics), "exclude": ",".join(exclude), **others}
    return {name: value for name, value in words.items() if value}


def path(before: str, slot: str, after: str, words: Mapping[str, str]) -> str:
    """Return a call's path with its query, percent-encoded."""
    asked = urlencode(words, quote_via=quote)
    return f"{before}{quote(slot, safe='')}{after}" + (f"?{asked}" if asked else "")
