import pytest
from hypothesis import given
from hypothesis import strategies as st

from adserver.decision.topics import TOPIC_MAX_CHARS, normalise_topic


@pytest.mark.parametrize(
    ("written", "topic"),
    [
        ("Sports", "sports"),
        ("  High School\tSports ", "high-school-sports"),
        ("two  blanks", "two-blanks"),
        ("no\u00a0break", "no-break"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("Cafe\u0301", "caf\u00e9"),
        ("ΣΊΣΥΦΟΣ", "σίσυφοσ"),
        ("\u03b1\u0345\u0301", normalise_topic("\u1fb4")),  # canonically equivalent, with marks in another order
        ("under_score", "under_score"),
    ],
)
def test_spellings_of_one_topic_become_one(written: str, topic: str) -> None:
    assert normalise_topic(written) == topic


@pytest.mark.parametrize("written", ["", " \t\n", "bad\x00", "bad\x7f", "bad\ud800"])
def test_what_is_no_word_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="a topic has"):
        normalise_topic(written)


def test_the_longest_topic_is_taken_and_one_more_character_is_not() -> None:
    assert normalise_topic("x" * TOPIC_MAX_CHARS) == "x" * TOPIC_MAX_CHARS
    with pytest.raises(ValueError, match="at most 64 characters, this one has 65"):
        normalise_topic("x" * (TOPIC_MAX_CHARS + 1))


def test_length_is_that_of_the_composed_word() -> None:
    assert len(normalise_topic("e\u0301" * TOPIC_MAX_CHARS)) == TOPIC_MAX_CHARS


@given(st.text(min_size=1, max_size=30))
def test_a_topic_is_its_own_normal_form(written: str) -> None:
    try:
        topic = normalise_topic(written)
    except ValueError:
        return
    assert normalise_topic(topic) == topic
