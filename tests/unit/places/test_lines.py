"""The search over sorted lines."""

import pytest

from adserver.places.lines import SortedLines

LINES = SortedLines("a\t1\nab\t2\nab-c\t3\t4\nb\t\nö\t5\n".encode())


@pytest.mark.parametrize(
    ("key", "fields"), [("a", ["1"]), ("ab", ["2"]), ("ab-c", ["3", "4"]), ("b", [""]), ("ö", ["5"])]
)
def test_each_key_is_found(key: str, fields: list[str]) -> None:
    assert LINES.find(key) == fields


@pytest.mark.parametrize("key", ["", "0", "aa", "ab-", "ab-cd", "b\t", "c", "z", "üü"])
def test_no_other_key_is_found(key: str) -> None:
    assert LINES.find(key) is None


def test_lines_that_begin_alike_are_given_in_order() -> None:
    assert [fields[0] for fields in LINES.beginning("ab")] == ["ab", "ab-c"]
    assert [fields[0] for fields in LINES.beginning("")] == ["a", "ab", "ab-c", "b", "ö"]
    assert list(LINES.beginning("z")) == []


def test_an_offset_leads_back_to_its_line() -> None:
    assert [LINES.at(offset) for offset, _ in LINES] == [fields for _, fields in LINES]


def test_an_empty_text_has_no_keys() -> None:
    assert SortedLines(b"").find("a") is None
    assert list(SortedLines(b"")) == []
