"""Texts: what is trimmed, what is refused, and how long and wide they are."""

import json

import pytest

from adserver.catalog.texts import MAX_GRAPHEMES, TextRefused, clean_text, count_graphemes, measure, shown


@pytest.mark.parametrize(
    "raw", ["QWIKET", "  QWIKET ", "QWIKET\n", "\tQWIKET\r\n", "\u00a0QWIKET\u3000", "\u2028QWIKET"]
)
def test_blanks_at_the_ends_are_trimmed(raw: str) -> None:
    assert clean_text(raw) == "QWIKET"


@pytest.mark.parametrize("text", ["a  b", "a\u00a0b", "a\u2028b", "Joe\u2019s  “Bait”", "<b>", "\u200f\u05e9\u05dc"])
def test_everything_else_is_kept_as_given(text: str) -> None:
    assert clean_text(text) == text


def test_a_control_character_at_the_end_is_refused_rather_than_trimmed() -> None:
    with pytest.raises(TextRefused, match=r"U\+001F"):
        clean_text("QWIKET\x1f")


def test_a_text_may_be_as_long_as_its_limit_and_no_longer() -> None:
    assert clean_text("é" * 5, limit=5) == "é" * 5
    with pytest.raises(TextRefused, match="at most 5 characters long, not 6"):
        clean_text("é" * 6, limit=5)


def test_the_limit_counts_what_readers_call_characters() -> None:
    assert clean_text("e\u0301" * 5, limit=5)


def test_a_tower_of_combining_marks_is_too_long_though_it_is_one_character() -> None:
    with pytest.raises(TextRefused, match="8,000 bytes"):
        clean_text("e" + "\u0301" * 4_000)


def test_the_longest_text_of_ascii_is_taken() -> None:
    assert len(clean_text("a" * MAX_GRAPHEMES)) == MAX_GRAPHEMES


@pytest.mark.parametrize(
    ("text", "graphemes", "columns"),
    [
        ("QWIKET", 6, 6),
        ("e\u0301", 1, 1),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", 1, 2),
        ("\U0001f1fa\U0001f1f8", 1, 2),
        ("日本", 2, 4),
        ("שלום", 4, 4),
        ("\u0131", 1, 1),
        ("a\u2028b", 3, 2),
        ("w" * 200, 200, 200),
    ],
)
def test_length_is_in_grapheme_clusters_and_width_in_columns(text: str, graphemes: int, columns: int) -> None:
    measured = measure(text)
    assert (measured.value, measured.graphemes, measured.columns) == (text, graphemes, columns)


def test_counting_agrees_with_measuring() -> None:
    assert count_graphemes("\U0001f1fa\U0001f1f8!") == measure("\U0001f1fa\U0001f1f8!").graphemes == 2


@pytest.mark.parametrize("text", ["\ud800", "\x00", "\u202e", '"', "x" * 1_000])
def test_hostile_text_is_shown_in_messages_as_short_ascii_that_any_encoding_carries(text: str) -> None:
    quoted = shown(text)
    assert quoted.isascii()
    assert quoted.isprintable()
    assert len(quoted) < 100
    assert json.loads(quoted)[:50] == text[:50]
