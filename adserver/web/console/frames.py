"""Lines as readers see them: a creative's markup with `/slot.css`, in frames of a width, on a light or a dark page."""

from dataclasses import dataclass
from enum import StrEnum
from html import escape
from typing import Final

from flask import request, url_for

from adserver.delivery.fragment import render_preview
from adserver.delivery.preview import COLUMN_PX, WIDTHS, only_length, shown_at
from adserver.domain.decisions import Fill
from adserver.domain.variants import LENGTHS, Text, Variant

_LINE_PX: Final = 24
_EDGES_PX: Final = 18
_WIDEST_COLUMN_PX: Final = 10
"""Of common fonts; frames are high enough for it."""


class PageColour(StrEnum):
    """What colours the page around a line has."""

    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Frame:
    """A line in a container of one width. Immutable."""

    width: int
    height: int
    document: str
    """The page within, for `srcdoc`: its policy is that of the page around it, and it has no origin of its own."""
    title: str


def frames_of(fill: Fill, colour: PageColour) -> tuple[Frame, ...]:
    """Return a fill at every width, at the length that fits there."""
    return tuple(_frame(fill, shown_at(fill, width // COLUMN_PX), width, colour) for width in WIDTHS)


def frames_by_length(fill: Fill, colour: PageColour) -> tuple[tuple[Variant, tuple[Frame, ...]], ...]:
    """Return each length that a slot shows at every width, as pages that ask for that length get it."""
    alone = ((variant, only_length(fill, variant)) for variant in LENGTHS)
    return tuple(
        (variant, tuple(_frame(one, variant, width, colour) for width in WIDTHS))
        for variant, one in alone
        if one is not None
    )


def _frame(fill: Fill, shown: Variant, width: int, colour: PageColour) -> Frame:
    text = fill.variants.get(shown)
    columns = width // _WIDEST_COLUMN_PX
    lines = _lines(text, len(fill.site.label) + 2, columns)
    lines += sum(-(-len(note) // columns) for note in fill.disclosures)
    title = f"{fill.creative.id} in {fill.slot.id} at {width} pixels"
    return Frame(width, lines * _LINE_PX + _EDGES_PX, _document(fill, colour), title)


def _lines(text: Text | None, before: int, columns: int) -> int:
    return max(1, -(-(before + (text.columns if text is not None else 0)) // columns))


def _document(fill: Fill, colour: PageColour) -> str:
    slot_css = f"{request.script_root}/slot.css"
    own_css = url_for("console.static", filename="preview.css")
    return (
        f'<!doctype html><html lang="{escape(fill.site.lang)}" class="{colour}"><head><meta charset="utf-8">'
        f'<title>{escape(fill.site.label)}</title><base target="_blank">'
        f'<link rel="stylesheet" href="{escape(slot_css)}"><link rel="stylesheet" href="{escape(own_css)}"></head>'
        f"<body>{render_preview(fill)}</body></html>"
    )
