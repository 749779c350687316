"""Sponsor lines for a page that is made now, for one reader."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sponsor_slots import markup
from sponsor_slots.markup import EMPTY, Markup
from sponsor_slots.transport import Answer, Transport

TIMEOUT_SECONDS: Final = 0.15

_FRAGMENT_BEGINS: Final = '<div class="sponsor">'


class SponsorClient:
    """Asks a sponsor service for slots. Shared by all threads; make one a process, at its start.

    A page never breaks, nor waits, for it: on any fault, and after its time-out, a slot is empty. A service that fails
    three times in a row is asked again every two seconds only.
    """

    def __init__(self, service: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        """Take the address of the service, such as `https://sponsors.example`, and the most that a page may wait.

        Raises:
            ValueError: the address is none.
        """
        if not service.startswith(("http://", "https://")):
            raise ValueError(f"the address of a sponsor service begins with https:// or http://, not {service!r}")
        self.service = service.rstrip("/")
        self._transport = Transport(timeout_seconds)

    def fragment(
        self,
        slot: str,
        *,
        location: str = "",
        topics: Iterable[str] = (),
        variant: str = "auto",
        exclude: Iterable[str] = (),
        reader_address: str = "",
    ) -> Markup:
        """Return the markup of one slot; empty without a sponsor, and on any fault.

        It holds one reader's token: put it only into pages that are not cached.

        Args:
            slot: the slot's id.
            location: the place that the page is about, as pages write it.
            topics: what the page is about.
            variant: `auto`, `name`, `short` or `long`.
            exclude: advertisers, categories or labels that may not stand here.
            reader_address: passed on only where it is given; a service with a file of places by address may use it.
        """
        words = markup.query(location, topics, exclude, variant=variant if variant != "auto" else "")
        address = self.service + markup.path("/v1/slots/", slot, ".html", words)
        answer = self._transport.call("GET", address, _headers(reader_address))
        return _fragment(_text(answer, "text/html"))

    def fragments(
        self,
        slots: Sequence[str],
        *,
        location: str = "",
        topics: Iterable[str] = (),
        exclude: Iterable[str] = (),
        reader_address: str = "",
    ) -> Mapping[str, Markup]:
        """Return the markup of a page's slots by their ids, asked for in one call; each may be empty.

        Within one call competitors don't stand together, and no sponsor stands twice unless its flight may.
        """
        wanted = {
            "location": location,
            "topics": list(topics),
            "exclude": list(exclude),
            "slots": [{"id": slot, "slot": slot} for slot in slots],
        }
        headers = {**_headers(reader_address), "Content-Type": "application/json"}
        answer = self._transport.call("POST", self.service + "/v1/decisions", headers, json.dumps(wanted).encode())
        decisions = _decisions(_text(answer, "application/json"))
        return {slot: _fragment(_html(decisions.get(slot))) for slot in slots}

    def tag(self, slot: str, *, location: str = "", topics: Iterable[str] = ()) -> Markup:
        """Return the tag with its frame for readers without JavaScript: no call, no token, safe in a cached page."""
        return markup.tag(self.service, slot, location=location, topics=topics)

    def script(self) -> Markup:
        """Return the element that loads what the tags need, once a page."""
        return markup.script(self.service)


def _headers(reader_address: str) -> dict[str, str]:
    headers = {"User-Agent": "sponsor-slots"}
    if reader_address:
        headers["X-Forwarded-For"] = reader_address
    return headers


def _text(answer: Answer | None, content_type: str) -> str:
    """Return the body of a good answer of this type; empty for all else."""
    if answer is None or answer.status != 200 or not answer.content_type.startswith(content_type):
        return ""
    return answer.body.decode(errors="replace")


def _fragment(text: str) -> Markup:
    """Return a fragment; anything else that answers under this address, such as a sign-in page, is none."""
    return Markup(text) if text.startswith(_FRAGMENT_BEGINS) else EMPTY


def _decisions(text: str) -> Mapping[str, object]:
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    decisions = read.get("decisions") if isinstance(read, dict) else None
    return decisions if isinstance(decisions, dict) else {}


def _html(decision: object) -> str:
    html = decision.get("html") if isinstance(decision, dict) else None
    return html if isinstance(html, str) else ""
