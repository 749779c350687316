"""Answers made ready: all that is the same at every fill of a creative is rendered once, the rest is filled in."""

import secrets
from functools import lru_cache
from typing import Final

import msgspec

from adserver.decision.memo import Memo
from adserver.delivery.decision_json import PlaceBody, decision_body, encode_json
from adserver.delivery.fragment import render_fragment
from adserver.delivery.urls import Urls
from adserver.domain.decisions import Fill
from adserver.domain.variants import Text

REMEMBERED_BYTES: Final = 8 * 1024 * 1024
"""Of templates, those of JSON and those of fragments each: about 4,000."""
_REMEMBERED_PLACES: Final = 8192
_HOLE: Final = b"%b"

_Key = tuple[str | None, ...]


class Templates:
    """Renders fills as `decision_body` and `render_fragment` do, byte for byte, from memory where that is possible.

    Shared by all threads. A template follows from the words in its key and from nothing else, so a new revision of the
    catalog finds those of what it left unchanged. Slot, flight and place stand beside a creative in thousands of ways:
    they are filled in, like the token.
    """

    def __init__(self) -> None:
        self._json: Memo[_Key, bytes] = Memo(REMEMBERED_BYTES)
        self._fragments: Memo[_Key, bytes] = Memo(REMEMBERED_BYTES)

    def json(self, fill: Fill, base: str, token: str) -> bytes:
        """Return a fill's JSON, whose links lead to `base`, the service's address without a slash at its end."""
        key = _key(fill, base)
        template = self._json.get(key)
        if template is None:
            template = _json_template(fill, base)
            self._json.put(key, template, len(template))
        place = fill.request.place
        signed = token.encode()
        return template % (
            fill.slot.id.encode(),
            b"null" if place is None else _place_json(place.id, place.name),
            fill.flight.id.encode(),
            *(signed, signed, signed, signed, signed),
        )

    def fragment(self, fill: Fill, base: str, token: str) -> bytes:
        """Return a fill's markup, whose links lead to `base`."""
        key = _key(fill, base)
        template = self._fragments.get(key)
        if template is None:
            template = _fragment_template(fill, base)
            self._fragments.put(key, template, len(template))
        signed = token.encode()
        return template % (signed, signed)

    @property
    def remembered_bytes(self) -> int:
        """How long all templates are together."""
        return self._json.weight + self._fragments.weight


def _key(fill: Fill, base: str) -> _Key:
    """Return all that a template follows from; a text's measures follow from the text."""
    advertiser, creative, variants = fill.advertiser, fill.creative, fill.variants
    return (
        base,
        fill.site.label,
        advertiser.id,
        advertiser.name,
        fill.campaign.id,
        creative.id,
        fill.disclosure,
        _value(variants.name),
        _value(variants.short),
        _value(variants.long),
        fill.shown,
    )


def _value(text: Text | None) -> str | None:
    return None if text is None else text.value


def _json_template(fill: Fill, base: str) -> bytes:
    """Return the JSON with holes for slot, place, flight and, five times, the token.

    Slots, flights and tokens are of letters, digits, hyphens and underscores, which no escape of JSON or HTML touches.
    """
    mark = _mark()
    body = decision_body(fill, mark, Urls.of(base, mark))
    place = PlaceBody(mark, mark)
    marked = msgspec.structs.replace(body, slot=mark, place=place, flight=mark)
    return _with_holes(encode_json(marked), encode_json(place), mark.encode())


def _fragment_template(fill: Fill, base: str) -> bytes:
    """Return the markup with two holes for the token."""
    mark = _mark()
    return _with_holes(render_fragment(fill, Urls.of(base, mark)).encode(), mark.encode())


def _mark() -> str:
    """Return a word that no catalog holds."""
    return secrets.token_hex(16)


def _with_holes(whole: bytes, *marks: bytes) -> bytes:
    template = whole.replace(b"%", b"%%")
    for mark in marks:
        template = template.replace(mark, _HOLE)
    return template


@lru_cache(_REMEMBERED_PLACES)
def _place_json(place: str, name: str) -> bytes:
    return encode_json(PlaceBody(place, name))
