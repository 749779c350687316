"""What a text of a campaign file may hold (trimmed, visible, of sensible length), and how long and wide it is."""

import json
from typing import Final

import regex
import wcwidth

from adserver.domain.variants import Text

MAX_GRAPHEMES: Final = 1_000
"""Longest text taken, in extended grapheme clusters."""
MAX_TEXT_BYTES: Final = 8_000
"""Longest text taken, in UTF-8: a single cluster may carry any number of combining marks."""
MESSAGE_CHARS: Final = 500
"""Longest message of a revision, in code points."""

_ENDS: Final = regex.compile(r"\A[\t\r\n\p{Zs}\p{Zl}\p{Zp}]+|[\t\r\n\p{Zs}\p{Zl}\p{Zp}]+\Z")
_CONTROL: Final = regex.compile(r"\p{Cc}")
_BIDI: Final = regex.compile(r"[\u202a-\u202e\u2066-\u2069]")
_SURROGATE: Final = regex.compile(r"\p{Cs}")
_VISIBLE: Final = regex.compile(r"[^\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cf}\u2800]")
_UNFIT_FOR_LINE: Final = regex.compile(r"[\p{Cc}\u2028-\u202e\u2066-\u2069\p{Cs}]")
_GRAPHEME: Final = regex.compile(r"\X")


class TextRefused(ValueError):
    """A text that would not show as it reads, or not at all; the message says what is wrong with it."""


def clean_text(raw: str, limit: int = MAX_GRAPHEMES) -> str:
    """Return a text without blanks at its ends, otherwise as given.

    Args:
        raw: as written in the file.
        limit: most grapheme clusters.

    Raises:
        TextRefused: for control characters (tab and newline too), bidi overrides and isolates, lone surrogates, texts
            in which nothing is visible, and texts over the limit.
    """
    text = _ENDS.sub("", raw)
    _refuse_hidden(text)
    if not _VISIBLE.search(text):
        raise TextRefused("must hold something that can be seen; it is empty, or blanks and zero-width characters only")
    size = len(text.encode())
    if size > MAX_TEXT_BYTES:
        raise TextRefused(f"must be at most {MAX_TEXT_BYTES:,} bytes long, not {size:,}")
    count = count_graphemes(text)
    if count > limit:
        raise TextRefused(f"must be at most {limit:,} characters long, not {count:,}")
    return text


def clean_message(raw: str) -> str:
    """Return why something is published, without blanks at its ends, as the history keeps it; it may be empty.

    Raises:
        TextRefused: for more than `MESSAGE_CHARS`, several lines, and control or direction characters.
    """
    text = raw.strip()
    if len(text) > MESSAGE_CHARS:
        raise TextRefused(f"must be at most {MESSAGE_CHARS} characters")
    if _UNFIT_FOR_LINE.search(text):
        raise TextRefused("must be one line without control characters")
    return text


def measure(text: str) -> Text:
    """Return a text with its length in grapheme clusters and its width in display columns."""
    return Text(value=text, graphemes=count_graphemes(text), columns=_count_columns(text))


def count_graphemes(text: str) -> int:
    """Return the number of extended grapheme clusters (UAX #29), what a reader calls characters."""
    return sum(1 for _ in _GRAPHEME.finditer(text))


def shown(text: str) -> str:
    """Return any text, however hostile, quoted, escaped and cut for a message that any encoding can carry."""
    return json.dumps(text if len(text) <= 60 else f"{text[:57]}...")


def _refuse_hidden(text: str) -> None:
    for pattern, what in ((_CONTROL, "control character"), (_BIDI, "bidi control"), (_SURROGATE, "lone surrogate")):
        if found := pattern.search(text):
            code = ord(found[0])
            raise TextRefused(
                f"must not hold the {what} U+{code:04X}{_NAMES.get(code, '')}; write plain text in one line"
            )


_NAMES: Final = {0x00: " (NUL)", 0x09: " (tab)", 0x0A: " (newline)", 0x0D: " (carriage return)"}


def _count_columns(text: str) -> int:
    """Return the width as a terminal would show it, never less than the sum of what has a width at all."""
    columns: int = wcwidth.wcswidth(text)
    return columns if columns >= 0 else sum(max(0, wcwidth.wcwidth(character)) for character in text)
