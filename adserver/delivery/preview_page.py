"""A preview as one page that needs nothing else: the lines of a campaign at every width, light and dark."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from adserver.delivery.fragment import render_preview
from adserver.delivery.preview import WIDTHS, CreativePreview, SlotPreview, readable_link
from adserver.delivery.stylesheet import stylesheet
from adserver.domain.variants import LENGTHS

_OWN: Final = (
    "body{margin:2rem auto;max-width:66rem;padding:0 1rem;font:16px/1.5 system-ui,sans-serif}"
    "body{color:#1b1f21;background:#fff}"
    "h1,h2,h3{line-height:1.25}h3{margin-bottom:.25rem}"
    ".note{color:#5b6468}.cut{color:#7a4d00}"
    ".pages{overflow-x:auto}"
    ".page{box-sizing:content-box;margin:.25rem 0 .75rem;padding:.5rem 0;border:1px dashed #b8c0c4}"
    ".dark{background:#16191b;color:#e9edee}"
    ".sponsor a{color:inherit}.sponsor-disclosure{font-size:.8125em}"
    + "".join(f".w{width}{{width:{width}px}}" for width in WIDTHS)
)


def render_preview_page(previews: Sequence[CreativePreview]) -> str:
    """Return the page; whatever a sponsor wrote is text in it."""
    title = escape(previews[0].campaign.name) if previews else "No creative"
    body = "".join(part for one in previews for part in _creative(one))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>{stylesheet()}{_OWN}</style></head><body><main><h1>{title}</h1>"
        '<p class="note">As readers see it, by the markup and stylesheet that pages get. Nothing is counted.</p>'
        f"{body}</main></body></html>\n"
    )


def _creative(one: CreativePreview) -> Iterator[str]:
    creative = one.creative
    yield f"<h2>{escape(creative.id)} <small>by {escape(one.advertiser.name)}</small></h2><ul>"
    for variant in LENGTHS:
        text = creative.variants.get(variant)
        if text is not None:
            yield f"<li>{variant.value}, {text.graphemes} characters: {escape(text.value)}</li>"
    readable = readable_link(creative.click_url)
    yield f"<li>leads to <code>{escape(creative.click_url)}</code>"
    yield f" (<code>{escape(readable)}</code>)</li></ul>" if readable != creative.click_url else "</li></ul>"
    if one.objection is not None:
        yield f'<p class="cut">Nothing of it shows at this place: {escape(one.objection)}.</p>'
    if not one.slots:
        yield "<p>No flight brings it to a slot.</p>"
    for group in one.groups:
        yield from _group(group)


def _group(group: Sequence[SlotPreview]) -> Iterator[str]:
    first = group[0]
    yield f"<h3>{', '.join(escape(one.slot.id) for one in group)}</h3>"
    for cut in first.left_out:
        yield f'<p class="cut">{cut.variant.value} is left out: {escape(cut.why)}.</p>'
    if first.fill is None:
        yield f"<p>It never shows here: <code>{first.reason.value if first.reason else ''}</code>.</p>"
        return
    line = render_preview(first.fill)
    for width in WIDTHS:
        yield f'<p class="note">{width} px</p><div class="pages" tabindex="0">'
        yield f'<div class="page w{width}">{line}</div><div class="page w{width} dark">{line}</div></div>'
