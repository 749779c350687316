"""Texts by property: whatever is taken is trimmed, visible, measured in clusters, and taken again unchanged."""

import unicodedata

import regex
from hypothesis import given
from hypothesis import strategies as st

from adserver.catalog.texts import (
    MAX_GRAPHEMES,
    MAX_TEXT_BYTES,
    TextRefused,
    clean_text,
    count_graphemes,
    measure,
    shown,
)

ANY_TEXT = st.text(st.characters(), max_size=40)  # surrogates and controls included
PLAIN = st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=40)
BLANKS = st.text(st.sampled_from(" \t\r\n\u00a0\u2003\u3000\u2028"), max_size=5)
FORBIDDEN = st.sampled_from([*map(chr, range(0x20)), "\x7f", "\x85", "\u202a", "\u202e", "\u2066", "\u2069", "\ud800"])


def cleaned(raw: str) -> str | None:
    try:
        return clean_text(raw)
    except TextRefused:
        return None


@given(ANY_TEXT)
def test_what_is_taken_holds_nothing_forbidden_and_can_be_encoded(raw: str) -> None:
    text = cleaned(raw)
    if text is not None:
        assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in text)
        assert not regex.search(r"[\u202a-\u202e\u2066-\u2069]", text)
        assert 0 < len(text.encode()) <= MAX_TEXT_BYTES
        assert text in raw


@given(ANY_TEXT)
def test_what_is_taken_is_taken_again_unchanged(raw: str) -> None:
    text = cleaned(raw)
    if text is not None:
        assert clean_text(text) == text


@given(BLANKS, PLAIN, BLANKS)
def test_blanks_at_the_ends_are_all_that_is_lost(before: str, text: str, after: str) -> None:
    assert cleaned(before + text + after) == cleaned(text)


@given(PLAIN, FORBIDDEN, PLAIN)
def test_a_forbidden_character_within_is_always_refused(before: str, character: str, after: str) -> None:
    assert cleaned(before + character + after) is None


@given(
    st.lists(
        st.sampled_from(["a", "e\u0301", "\U0001f1fa\U0001f1f8", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "日"]),
        min_size=1,
    )
)
def test_clusters_are_counted_one_by_one(clusters: list[str]) -> None:
    # two flags side by side stay two clusters only in pairs; a separator keeps the neighbours apart
    text = "-".join(clusters)
    assert measure(text).graphemes == 2 * len(clusters) - 1


@given(PLAIN, PLAIN)
def test_a_text_is_never_longer_than_its_parts_nor_than_its_code_points(one: str, other: str) -> None:
    assert count_graphemes(one + other) <= count_graphemes(one) + count_graphemes(other) <= len(one) + len(other)


@given(PLAIN)
def test_a_width_is_between_none_and_two_columns_a_code_point(text: str) -> None:
    assert 0 <= measure(text).columns <= 2 * len(text)


@given(st.integers(1, MAX_GRAPHEMES), st.integers(-1, 1))
def test_the_limit_is_exact(limit: int, more: int) -> None:
    raw = "a" * (limit + more) or "a"
    try:
        taken = len(clean_text(raw, limit)) <= limit
    except TextRefused:
        taken = False
    assert taken == (len(raw) <= limit)


@given(ANY_TEXT)
def test_any_text_is_shown_in_a_message_as_printable_ascii(raw: str) -> None:
    assert shown(raw).isascii()
    assert shown(raw).isprintable()
