"""The group "text" of the bad inputs, row by row, through the whole way in: bytes, schema, catalog."""

import json
from typing import Final

import pytest
from sheets import csv_bytes, row, xlsx_bytes

from adserver.catalog.build import build_catalog
from adserver.catalog.documents import Documents
from adserver.catalog.upload import SHEETS, Format, read_campaigns, read_slots
from adserver.domain.catalog import Catalog
from adserver.domain.errors import InputRefused
from adserver.domain.places import Place
from adserver.domain.variants import Text
from adserver.places.errors import PlaceNotFound

LENGTHS: Final = ("name", "short", "long")


class NoPlaces:
    """Knows no place: these campaigns name none."""

    def find(self, text: str) -> Place:
        raise PlaceNotFound(text)


def upload_with(text: str, length: str, form: Format = Format.JSON) -> bytes:
    """Build an upload whose creative says `text` at one length; JSON with escapes is YAML, too."""
    document = {
        "advertiser": {"id": "qwiket", "name": "QWIKET"},
        "campaigns": [
            {
                "id": "season",
                "name": "Season",
                "starts": "2025-06-01",
                "timezone": "America/Chicago",
                "creatives": [
                    {
                        "id": "elevate",
                        "click_url": "https://qwiket.com/",
                        "variants": {"name": "QWIKET", length: text},
                    }
                ],
                "flights": [{"id": "minnesota"}],
            }
        ],
    }
    if form in SHEETS:
        cells = row("minnesota", **{length: text})
        return csv_bytes(cells) if form is Format.CSV else xlsx_bytes(cells)
    return json.dumps(document, ensure_ascii=form is Format.JSON).encode()


def catalog_with(text: str, length: str = "short", form: Format = Format.JSON) -> Catalog:
    upload = read_campaigns(upload_with(text, length, form), form)
    slots = b"sites: [{id: s, name: S, home: 'https://s.example/', timezone: UTC}]\nslots: [{id: masthead, site: s}]"
    documents = Documents(upload.campaign_files, read_slots(slots, Format.YAML).slots, None, upload.positions)
    return build_catalog(documents, NoPlaces())


def shown(text: str, form: Format = Format.JSON) -> Text:
    """Return what the catalog holds of a text, as a page would get it."""
    measured = catalog_with(text, "short", form).campaigns[0].creatives[0].variants.short
    assert measured is not None
    return measured


MARKUP: Final = (
    "<script>alert(1)</script>",
    '"><img onerror=alert(1)>',
    "' onmouseover=alert(1)",
    "{{7*7}}",
    "${7*7}",
    "<!--",
    "]]>",
    "</script>",
    "a\u2028b",
)


@pytest.mark.parametrize("text", MARKUP)
@pytest.mark.parametrize("form", list(Format))
def test_markup_is_taken_as_the_text_that_it_is(text: str, form: Format) -> None:
    assert shown(text, form).value == text


REFUSED: Final = (
    *(chr(code) for code in range(0x20)),
    "\x7f",
    "\x80",
    "\x85",
    "\x9f",
    *(chr(code) for code in range(0x202A, 0x202F)),
    *(chr(code) for code in range(0x2066, 0x206A)),
    "\ud800",
    "\udfff",
)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("character", REFUSED, ids=lambda character: f"U+{ord(character):04X}")
def test_a_character_that_hides_or_turns_is_refused_with_the_fields_path(character: str, length: str) -> None:
    with pytest.raises(InputRefused) as caught:
        read_campaigns(upload_with(f"QWI{character}KET", length), Format.JSON)
    (fault,) = caught.value.faults
    assert fault.path == f"campaigns[0].creatives[0].variants.{length}"
    assert f"U+{ord(character):04X}" in fault.message
    assert fault.message.isprintable()


@pytest.mark.parametrize("escape", ["\\0", "\\t", "\\n", "\\x1b", "\\u202e", "\\u2066", "\\ud800"])
def test_the_same_characters_escaped_in_yaml_are_refused(escape: str) -> None:
    text = f'advertiser: {{id: qwiket, name: "QWI{escape}KET"}}'
    with pytest.raises(InputRefused) as caught:
        read_campaigns(text.encode(), Format.YAML)
    assert [fault.path for fault in caught.value.faults] == ["advertiser.name"]


@pytest.mark.parametrize(
    "text",
    ["", " ", "\u00a0", "\u200b", "\u200b\u200d\ufeff", "\u2060\u00ad", "\u3164", "\u2800", "\u180e \u200e", "\ufe0f"],
)
@pytest.mark.parametrize("length", LENGTHS)
def test_a_text_in_which_nothing_can_be_seen_is_refused(text: str, length: str) -> None:
    with pytest.raises(InputRefused) as caught:
        read_campaigns(upload_with(text, length), Format.JSON)
    assert "can be seen" in caught.value.faults[0].message


@pytest.mark.parametrize("text", ["a" * 10_000, "\u00e9" * 5_000, "e" + "\u0301" * 5_000, "\U0001f600" * 2_500])
@pytest.mark.parametrize("length", LENGTHS)
def test_ten_kilobytes_are_refused(text: str, length: str) -> None:
    with pytest.raises(InputRefused) as caught:
        read_campaigns(upload_with(text, length), Format.JSON)
    assert "must be at most" in caught.value.faults[0].message


@pytest.mark.parametrize(
    ("text", "graphemes", "columns"),
    [
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 family", 8, 9),  # one emoji of four people
        ("\U0001f1fa\U0001f1f8\U0001f1f2\U0001f1fd", 2, 4),  # two flags
        ("cafe\u0301", 4, 4),  # a combining acute
        ("\u0e01\u0e33", 1, 2),  # Thai with a spacing vowel
        ("\u05e9\u05dc\u05d5\u05dd", 4, 4),  # Hebrew
        ("\u0645\u0631\u062d\u0628\u0627", 5, 5),  # Arabic
        ("D\u0131yarbak\u0131r \u0130stanbul", 19, 19),  # Turkish dotless and dotted i
        ("w" * 200, 200, 200),  # a word of 200 characters
        ("\u65e5\u672c\u8a9e", 3, 6),  # wide characters
    ],
)
@pytest.mark.parametrize("form", list(Format))
def test_every_script_is_kept_and_counted_in_grapheme_clusters(
    text: str, graphemes: int, columns: int, form: Format
) -> None:
    assert shown(text, form) == Text(text, graphemes, columns)


def test_a_limit_cuts_between_grapheme_clusters_not_within_one() -> None:
    variants = catalog_with("cafe\u0301").campaigns[0].creatives[0].variants
    assert variants.within(4).short is not None
    assert variants.within(3).short is None
