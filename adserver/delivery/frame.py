"""The page inside an iframe: one fill, nothing else. Every address in it is relative."""

from html import escape
from typing import Final

from adserver.delivery.fragment import render_fragment
from adserver.delivery.urls import Urls
from adserver.domain.catalog import Site
from adserver.domain.decisions import Fill

BASE: Final = "../.."
"""The service, seen from `/v1/frames/<slot>`."""

_POLICY: Final = "default-src 'none'; img-src 'self'; style-src 'self'; frame-ancestors "

BLANK_FRAME: Final = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="robots" content="noindex">'
    "<title>Sponsor</title></head><body></body></html>"
)
"""What a frame shows without a fill."""


def render_frame(fill: Fill, token: str) -> str:
    """Return the whole page; its links open a new tab, and what it has no room for falls to a shorter length."""
    site = fill.site
    return (
        f'<!doctype html><html lang="{escape(site.lang)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">'
        f'<title>{escape(site.label)}</title><base target="_blank">'
        f'<link rel="stylesheet" href="{BASE}/slot.css"></head>'
        f'<body class="sponsor-frame">{render_fragment(fill, Urls.of(BASE, token))}</body></html>'
    )


def frame_policy(site: Site | None) -> str:
    """Return the frame's Content-Security-Policy: framed by the site's `origins`, or by anyone where it names none."""
    return _POLICY + (" ".join(site.origins) if site is not None and site.origins else "*")
