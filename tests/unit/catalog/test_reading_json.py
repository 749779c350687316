"""JSON is read strictly, and every fault of it has a place."""

from decimal import Decimal

import pytest

from adserver.catalog.json_reading import read_json
from adserver.catalog.reading import LIMIT_BYTES, UnreadableDocument
from adserver.domain.errors import InputTooLarge


def test_values_are_read_and_numbers_lose_no_digit() -> None:
    data = b'\xef\xbb\xbf{"a": [1, 12.10, true, null, "x", {"b": -0.5e3}]}'
    assert read_json(data).content == {"a": [1, Decimal("12.10"), True, None, "x", {"b": Decimal("-0.5e3")}]}
    assert str(read_json(b"[12.10]").content) == "[Decimal('12.10')]"


@pytest.mark.parametrize("token", ["NaN", "Infinity", "-Infinity", "1e99999999999999999999"])
def test_what_is_no_number_comes_out_as_none_that_a_field_takes(token: str) -> None:
    content = read_json(f"[{token}]".encode()).content
    assert isinstance(content, list)
    assert isinstance(content[0], Decimal)
    assert not content[0].is_finite()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"[" * 100_000, "deeper than 32"),
        (b"[" * 100_000 + b"]" * 100_000, "deeper than 32"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "deeper than 32"),
        (b"[" * 34 + b"]" * 34, "deeper than 32"),
        (b'{"a":' + b"9" * 5_000 + b"}", "5,000 digits"),
        (b'{"a":' + b"9" * 1_001 + b"}", "1,001 digits"),
        (b'{"a":0.' + b"9" * 5_000 + b"}", "5,002 digits"),
        (b'{"a":"\xff"}', "no UTF-8"),
        (b'{"a":"\xed\xa0\x80"}', "no UTF-8"),
        ('{"a":1}'.encode("utf-16"), "UTF-16"),
        ('{"a":1}'.encode("utf-16-le"), "UTF-16"),
        ('{"a":1}'.encode("utf-16-be"), "UTF-16"),
        (b"", "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b'{"a": 1,}', "not JSON"),
        (b'{"a": 012}', "not JSON"),
        (b'{"a": "x\ty"}', "not JSON"),
        (b'{"a": 1} {"b": 2}', "not JSON"),
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, why: str) -> None:
    with pytest.raises(UnreadableDocument, match=why):
        read_json(data)


def test_32_levels_are_read() -> None:
    assert read_json(b"[" * 32 + b"]" * 32).content


def test_a_syntax_error_names_file_line_and_column() -> None:
    with pytest.raises(UnreadableDocument, match=r"^x\.json:2:6: this is not JSON") as caught:
        read_json(b'{\n "a" 1}', "x.json")
    assert (caught.value.fault.line, caught.value.fault.column) == (2, 6)


def test_every_key_that_stands_twice_is_a_fault_with_its_place() -> None:
    data = b'{"a": {"b": 1,\n "b": 2},\n "c": [{"d": 1, "d": 2}, {"d": 3}], "a": 1}'
    faults = read_json(data, "x.json").faults
    assert [(fault.path, fault.line, fault.column) for fault in faults] == [
        ("a.b", 2, 2),
        ("c[0].d", 3, 17),
        ("a", 3, 37),
    ]


def test_every_field_knows_its_line_and_column() -> None:
    positions = read_json(b'{"a": [1, [], {},\n  {"x\\"]": [true, "[,"], "c": 2}]}').positions
    assert positions.locate(("a",)) == (1, 2)
    assert positions.locate(("a", 1)) == (1, 11)
    assert positions.locate(("a", 3)) == (2, 3)
    assert positions.locate(("a", 3, 'x"]', 1)) == (2, 19)
    assert positions.locate(("a", 3, "c")) == (2, 26)
    assert positions.locate(("a", 3, "missing")) == (2, 3)


def test_10_megabytes_are_not_read() -> None:
    with pytest.raises(InputTooLarge):
        read_json(b" " * LIMIT_BYTES)
