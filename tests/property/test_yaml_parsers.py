"""The fast parser says what the other one says, or is not asked: content, faults, and where every field stands."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sample import SAMPLE

from adserver.catalog import yaml_reading
from adserver.catalog.positions import FieldPath, Point
from adserver.catalog.reading import RawValue, UnreadableDocument
from adserver.catalog.yaml_events import FastParserRefused, fast_events, is_read_alike
from adserver.catalog.yaml_reading import read_yaml
from adserver.domain.errors import Fault, InputRefused

Outcome = tuple[RawValue, Mapping[FieldPath, Point], tuple[Fault, ...]] | tuple[str, tuple[Fault, ...]]

PIECES = (
    *(
        "a",
        "b c",
        "\u00e9",
        "\U0001f600",
        ": ",
        ":",
        ":\n",
        "- ",
        "-",
        "\n",
        "\n  ",
        "\n    ",
        "  ",
        " ",
        "#",
        " # c\n",
    ),
    *("'", '"', "[", "]", "{", "}", ", ", ",", "|\n  x\n", ">-\n  x\n", "&a ", "*a", "!x ", "---\n", "...\n", "null"),
    *("true", "012", "1.5", "~", "\\n", "\\u0041", "@", "`", "%", "?", "? ", "\t", "\r\n", "\r", "\u2028", "\x85"),
    *("a: 1\n", "- b: 2\n", "  c: [x, {y: z}]\n", "\ufeff"),
)
TEXTS = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


def outcome(text: str) -> Outcome:
    try:
        parsed = read_yaml(text.encode())
    except InputRefused as refused:
        return "refused", refused.faults
    except UnreadableDocument as unreadable:
        return "unreadable", (unreadable.fault,)
    return parsed.content, parsed.positions.index(), parsed.faults


def outcomes(text: str) -> tuple[Outcome, Outcome]:
    """Return what comes of a text with the fast parser and without it."""
    with pytest.MonkeyPatch.context() as patch:
        fast = outcome(text)
        patch.setattr(yaml_reading, "is_read_alike", lambda _: False)
        return fast, outcome(text)


@given(TEXTS)
@example("a: b\n\n  - c")
@example("a:\tb")
@example("{a: b, ? c}")
@example("a: 'b\n  c'\n")
def test_a_text_comes_out_the_same(text: str) -> None:
    fast, slow = outcomes(text)
    assert fast == slow


@pytest.mark.parametrize("path", sorted(SAMPLE.glob("*.yaml")), ids=lambda path: path.name)
def test_a_file_of_the_sample_goes_the_fast_way_and_comes_out_the_same(path: Path) -> None:
    text = path.read_text()
    assert is_read_alike(text)
    assert list(fast_events(text))
    fast, slow = outcomes(text)
    assert fast == slow


def test_what_the_fast_parser_does_not_take_is_worded_by_the_other() -> None:
    with suppress(FastParserRefused):
        list(fast_events("a: b: c"))
        raise AssertionError("it was taken")
    with pytest.raises(UnreadableDocument, match="mapping values are not allowed here"):
        read_yaml(b"a: b: c")
