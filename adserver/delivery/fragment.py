"""The HTML of one fill: complete without script or stylesheet, and inert whatever the sponsor wrote."""

from functools import lru_cache
from html import escape
from typing import Final

from adserver.delivery.buckets import bucket_of
from adserver.delivery.stylesheet import bucket_class
from adserver.delivery.urls import Urls
from adserver.domain.decisions import Fill
from adserver.domain.variants import LENGTHS, Text, Variant, Variants

REL: Final = "sponsored nofollow noopener"

_BEACON: Final = '<img src="'

_REMEMBERED: Final = 2048
"""Texts with their markup: about 2 MB."""


def render_fragment(fill: Fill, urls: Urls) -> str:
    """Return the fragment of CONTRACT's markup; `auto` carries every length that fits, a named length is alone.

    Without `/slot.css` exactly one length shows: short, else name, else long.
    """
    before, between, after = _around_addresses(fill.site.label, fill.variants, fill.disclosures)
    return f"{before}{escape(urls.click)}{between}{escape(urls.seen)}{after}"


def render_preview(fill: Fill) -> str:
    """Return the fragment as people of the publisher look at it: without beacon, its link past the service."""
    before, between, after = _around_addresses(fill.site.label, fill.variants, fill.disclosures)
    _, _, rest = after.partition(">")
    return f"{before}{escape(fill.creative.click_url)}{between.removesuffix(_BEACON)}{rest}"


@lru_cache(maxsize=_REMEMBERED)
def _around_addresses(label: str, variants: Variants, disclosures: tuple[str, ...]) -> tuple[str, str, str]:
    """Return the markup before, between and after the two addresses: all that is the same at every fill of a text."""
    lengths = [(variant, text) for variant in LENGTHS if (text := variants.get(variant)) is not None]
    shown = _shown_without_stylesheet(lengths)
    spans = "".join(_span(variant, text, hidden=variant is not shown) for variant, text in lengths)
    note = "".join(f'<div class="sponsor-disclosure">{escape(line)}</div>' for line in disclosures)
    return (
        f'<div class="sponsor"><a{_classes(label, lengths)} href="',
        f'" rel="{REL}"><span>{escape(label)}:</span>{spans}</a>{_BEACON}',
        f'" loading="lazy" width="1" height="1" alt="" referrerpolicy="no-referrer">{note}</div>',
    )


def _shown_without_stylesheet(lengths: list[tuple[Variant, Text]]) -> Variant:
    present = [variant for variant, _ in lengths]
    return Variant.SHORT if Variant.SHORT in present else present[0]


def _span(variant: Variant, text: Text, *, hidden: bool) -> str:
    return f' <span data-v="{variant}"{" hidden" if hidden else ""}>{escape(text.value)}</span>'


def _classes(label: str, lengths: list[tuple[Variant, Text]]) -> str:
    """Return the link's class attribute, or nothing where there is no length to choose."""
    if len(lengths) == 1:
        return ""
    classes = [
        bucket_class(variant, columns)
        for variant, text in lengths
        if variant is not Variant.NAME and (columns := bucket_of(label, text)) is not None
    ]
    return f' class="{" ".join(classes)}"' if classes else ""
