"""The JSON of CONTRACT's delivery calls, safe to write into a page's script as it is."""

from collections.abc import Mapping
from typing import Final

import msgspec

from adserver.delivery.fragment import render_fragment
from adserver.delivery.urls import Urls
from adserver.domain.decisions import Fill
from adserver.domain.reasons import NoFillReason
from adserver.domain.variants import Text, Variants


class PlaceBody(msgspec.Struct, frozen=True):
    """A resolved place."""

    id: str
    name: str


class AdvertiserBody(msgspec.Struct, frozen=True):
    """Who pays."""

    id: str
    name: str


class VariantsBody(msgspec.Struct, frozen=True):
    """The texts within the limits, null where there is none."""

    name: str | None
    short: str | None
    long: str | None


class DecisionBody(msgspec.Struct, frozen=True):
    """One fill, in the order of the contract."""

    slot: str
    place: PlaceBody | None
    advertiser: AdvertiserBody
    campaign: str
    flight: str
    creative: str
    label: str
    variant: str
    text: str
    variants: VariantsBody
    disclosure: str | None
    click_url: str
    seen_url: str
    token: str
    html: str


class PageBody(msgspec.Struct, frozen=True):
    """The answer to a page's one call: what each of its slots shows, or why it shows nothing."""

    decisions: Mapping[str, msgspec.Raw | None]
    """Each as `encode_json` wrote it."""
    no_fill: Mapping[str, NoFillReason]
    ledger: str | None = None
    """What the tag keeps for reader caps; null while no capped flight was shown."""


def decision_body(fill: Fill, token: str, urls: Urls) -> DecisionBody:
    """Return a fill as its JSON says it; its addresses name the length that `text` is."""
    place = fill.request.place
    shown = fill.variants.get(fill.shown)
    showing = urls.showing(fill.shown)
    return DecisionBody(
        slot=fill.slot.id,
        place=PlaceBody(place.id, place.name) if place is not None else None,
        advertiser=AdvertiserBody(fill.advertiser.id, fill.advertiser.name),
        campaign=fill.campaign.id,
        flight=fill.flight.id,
        creative=fill.creative.id,
        label=fill.site.label,
        variant=fill.shown.value,
        text=_value(shown) or "",
        variants=_variants_body(fill.variants),
        disclosure=fill.disclosure,
        click_url=showing.click,
        seen_url=showing.seen,
        token=token,
        html=render_fragment(fill, urls),
    )


_INLINE_ESCAPES: Final = (
    (b"<", b"\\u003c"),
    ("\u2028".encode(), b"\\u2028"),
    ("\u2029".encode(), b"\\u2029"),
)
"""What would end a script element, or a line in an old JavaScript; in JSON these stand within strings only."""


def encode_json(body: DecisionBody | PageBody | PlaceBody) -> bytes:
    """Return the body as UTF-8 JSON that a page may inline: no `<`, no U+2028 or U+2029 stands in it."""
    encoded = msgspec.json.encode(body)
    for plain, escaped in _INLINE_ESCAPES:
        encoded = encoded.replace(plain, escaped)
    return encoded


def _variants_body(variants: Variants) -> VariantsBody:
    return VariantsBody(_value(variants.name), _value(variants.short), _value(variants.long))


def _value(text: Text | None) -> str | None:
    return text.value if text is not None else None
