"""What a publisher's developer puts on a page for a slot: the snippets of docs/embedding.md, for one slot and place."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from urllib.parse import quote, urlencode, urlsplit

from adserver.domain.ids import SlotId


@dataclass(frozen=True, slots=True)
class Snippet:
    """One way to embed a slot. Immutable."""

    name: str
    """Short, unique, for links."""
    title: str
    suits: str
    """Which pages."""
    text: str
    policy: str
    """What a Content-Security-Policy of the page must let through; empty: nothing."""


def make_snippets(service: str, slot: SlotId, location: str = "", topic: str = "") -> tuple[Snippet, ...]:
    """Return the ways to embed a slot, the one that suits most pages first.

    Args:
        service: the service's address, without a slash at its end.
        slot: its id.
        location: the place that the page is about, as pages write it; empty: none.
        topic: topics, separated by commas; empty: none.
    """
    parts = urlsplit(service)
    origin = f"{parts.scheme}://{parts.netloc}"
    about = {name: value for name, value in (("location", location), ("topic", topic)) if value}
    query = f"?{urlencode(about, safe=',', quote_via=quote)}" if about else ""
    said = "".join(f' {name}="{escape(value)}"' for name, value in about.items())
    sheet = f'<link rel="stylesheet" href="{escape(service)}/slot.css">'
    fragment = f"{parts.path}/v1/slots/{slot}.html{query}"
    return tuple(_snippets(service, origin, sheet, _Asked(slot, said, escape(query), fragment)))


@dataclass(frozen=True, slots=True)
class _Asked:
    slot: SlotId
    attributes: str
    query: str
    """As it stands in an attribute."""
    fragment: str
    """Its path, with the service's own before it and the query behind."""


def _snippets(service: str, origin: str, sheet: str, asked: _Asked) -> Iterator[Snippet]:
    yield Snippet(
        "tag",
        "Tag",
        "Any page, cached or not; the only way that tells whether a line was viewable.",
        f'{sheet}\n<script src="{escape(service)}/slot.js" defer></script>\n'
        f'<sponsor-slot name="{asked.slot}"{asked.attributes}>What shows when no sponsor does</sponsor-slot>',
        f"script-src {origin}; connect-src {origin}; style-src {origin}",
    )
    yield Snippet(
        "frame",
        "Frame",
        "Pages that are cached and take no script; AMP.",
        f'<iframe src="{escape(service)}/v1/frames/{asked.slot}{asked.query}" title="Sponsor" loading="lazy"\n'
        '        sandbox="allow-popups allow-popups-to-escape-sandbox" width="100%" height="48"></iframe>',
        f"frame-src {origin}",
    )
    images = f"img-src {origin}; style-src {origin}"
    yield Snippet(
        "ssi",
        "SSI",
        "Pages that nginx or Apache puts together for each reader, and nobody caches.",
        f'{sheet}\n<!--# include virtual="{asked.fragment}" -->',
        images,
    )
    yield Snippet(
        "esi",
        "ESI",
        "Pages behind Varnish or Fastly, which ask for the line at each reader.",
        f'{sheet}\n<esi:include src="{escape(asked.fragment)}"/>',
        images,
    )
    yield Snippet(
        "php",
        "PHP",
        "Pages that PHP makes for each reader, and nobody caches.",
        '<?php\n$within = stream_context_create(["http" => ["timeout" => 0.5]]);\n'
        f'echo @file_get_contents("{_php(origin + asked.fragment)}", false, $within) ?: "";',
        images,
    )
    yield Snippet(
        "wordpress",
        "WordPress",
        "With the plugin of integrations/wordpress: a shortcode, which prints the tag.",
        f'[sponsor_slot name="{asked.slot}"{asked.attributes}]',
        f"script-src {origin}; connect-src {origin}; style-src {origin}",
    )


def _php(text: str) -> str:
    """Return a text as it stands between double quotes in PHP."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
