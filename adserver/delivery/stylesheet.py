"""The stylesheet that shows the longest length that fits, by container queries. Source of the rules: ADR 0007."""

from typing import Final

from adserver.delivery.buckets import BUCKETS
from adserver.domain.variants import Variant

_BOX: Final = (
    # Without the two sizes the box collapses to nothing in a flex, float or inline-block parent.
    ".sponsor{display:block;container-type:inline-size;inline-size:100%;min-inline-size:7em;overflow-wrap:anywhere}"
    # Out of the flow: an inline image could fall onto a line of its own, an empty one.
    ".sponsor>img{position:absolute}"
    # A text that runs right to left must not reorder the label before it.
    ".sponsor [data-v]{unicode-bidi:plaintext}"
    # Of the site's own colours; the page's where it sets none, as an unknown variable leaves what is inherited.
    ".sponsor>a>span:first-child{color:var(--sponsor-label)}"
    ".sponsor [data-v]{color:var(--sponsor-text)}"
    ".sponsor-disclosure{color:var(--sponsor-disclosure)}"
    # The tag takes a line's room before it has one: what comes later moves nothing.
    "sponsor-slot:not([hidden]){display:block;min-block-size:1lh}"
    # In the middle of a frame's height, whatever that is; a link without a page around it needs no line to be told.
    ".sponsor-frame{margin:0;min-height:100vh;display:grid;align-content:center;font:1em/1.5 system-ui,sans-serif}"
    ".sponsor-frame a{color:inherit;text-decoration:none}"
    ".sponsor-frame a:hover,.sponsor-frame a:focus-visible{text-decoration:underline}"
)

# `!important`, as many pages carry `[hidden]{display:none!important}`. Inside a container query, as a browser that
# knows none must keep to what the markup itself hides.
_NARROWEST: Final = (
    "@container (min-width:0){"
    ".sponsor>a>[data-v]{display:none!important}"
    ".sponsor>a>span:nth-child(2){display:inline!important}"
    "}"
)


def stylesheet() -> str:
    """Return `/slot.css`: the box, the shortest length at the narrowest, then one rule a bucket, narrow to wide."""
    return _BOX + _NARROWEST + "".join(_bucket_rule(columns) for columns in BUCKETS) + "\n"


def _bucket_rule(columns: int) -> str:
    """Return what changes at one width; later rules win, and within one width long wins over short."""
    shown = "".join(
        f".sponsor>.{bucket_class(variant, columns)}>[data-v]{{display:none!important}}"
        f".sponsor>.{bucket_class(variant, columns)}>[data-v={variant}]{{display:inline!important}}"
        for variant in (Variant.SHORT, Variant.LONG)
    )
    return f"@container (min-width:{columns}ch){{{shown}}}"


def bucket_class(variant: Variant, columns: int) -> str:
    """Return the class, on the link, that says from which width a length fits: `s80`, `l144`."""
    return f"{variant.value[0]}{columns}"
