"""YAML is read strictly: what people wrote is what is kept, and every trap of the format is refused."""

import time
from decimal import Decimal

import pytest

from adserver.catalog.reading import LIMIT_BYTES, RawValue, UnreadableDocument
from adserver.catalog.yaml_reading import MAX_YAML_BYTES, read_yaml
from adserver.domain.errors import InputRefused, InputTooLarge


def value_of(scalar: str) -> RawValue:
    content = read_yaml(f"a: {scalar}\n".encode()).content
    assert isinstance(content, dict)
    return content["a"]


@pytest.mark.parametrize(
    "scalar",
    [
        "NO",
        "no",
        "yes",
        "on",
        "off",
        "y",
        "012345",
        "1_000",
        "12:30",
        "2025-06-01",
        "0x1F",
        "0o17",
        "+5",
        ".5",
        "5.",
        ".inf",
    ],
)
def test_what_other_readers_guess_at_is_kept_as_written(scalar: str) -> None:
    assert value_of(scalar) == scalar


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("5", 5),
        ("-5", -5),
        ("0", 0),
        ("12.00", Decimal("12.00")),
        ("1e3", Decimal(1000)),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ('"5"', "5"),
        ("'true'", "true"),
        ('"null"', "null"),
    ],
)
def test_only_numbers_as_json_has_them_flags_and_null_are_more_than_text(scalar: str, value: RawValue) -> None:
    read = value_of(scalar)
    assert read == value
    assert type(read) is type(value)


def test_a_number_beyond_any_type_is_read_as_infinite() -> None:
    assert value_of("1e99999999999999999999") == Decimal("Infinity")


def test_lists_mappings_blocks_and_a_byte_order_mark_are_read() -> None:
    data = "\ufeffa: [1, {b: c}]\nd: >\n  two\n  lines\ne:\n- x\n- y\n".encode()
    assert read_yaml(data).content == {"a": [1, {"b": "c"}], "d": "two lines\n", "e": ["x", "y"]}


@pytest.mark.parametrize("data", [b"", b"# nothing but a comment\n", b"---\n"])
def test_an_empty_document_is_null(data: bytes) -> None:
    assert read_yaml(data).content is None


def test_an_alias_stands_for_what_its_anchor_holds() -> None:
    assert read_yaml(b"a: &x [MN, ND]\nb: *x\n").content == {"a": ["MN", "ND"], "b": ["MN", "ND"]}


def test_every_field_knows_its_line_and_column() -> None:
    positions = read_yaml(b"a:\n  - b: 1\n    c: 2\n").positions
    assert positions.locate(("a", 0, "c")) == (3, 5)
    assert positions.locate(("a", 0)) == (2, 5)


def test_a_missing_field_is_placed_where_it_would_have_stood() -> None:
    positions = read_yaml(b"a:\n  - b: 1\n").positions
    assert positions.locate(("a", 0, "missing", "deeper")) == (2, 5)


def test_every_key_that_stands_twice_is_a_fault_with_its_place() -> None:
    faults = read_yaml(b"a: 1\nb: {c: 1, c: 2}\na: 3\n", "x.yaml").faults
    assert [(fault.path, fault.line, fault.column) for fault in faults] == [("b.c", 2, 11), ("a", 3, 1)]
    assert faults[0].file == "x.yaml"


def refused(text: str) -> str:
    with pytest.raises(InputRefused) as caught:
        read_yaml(text.encode())
    return str(caught.value)


def bomb(levels: int) -> str:
    """Build a document whose last line stands for 10 ** (levels + 1) values."""
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{level}: &a{level} [{','.join([f'*a{level - 1}'] * 10)}]" for level in range(1, levels + 1)]
    return "\n".join(lines)


def test_many_aliases_are_taken() -> None:
    assert read_yaml(bomb(3).encode()).content


@pytest.mark.parametrize("levels", [4, 5, 20])
def test_an_alias_bomb_is_refused_before_it_goes_off(levels: int) -> None:
    began = time.monotonic()
    assert "aliases stand for more than 100,000 values" in refused(bomb(levels))
    assert time.monotonic() - began < 5


def test_aliases_cannot_nest_what_could_not_be_written() -> None:
    lines = ["a0: &a0 [1]", *(f"a{i + 1}: &a{i + 1} [[[*a{i}]]]" for i in range(30))]
    with pytest.raises(UnreadableDocument, match="deeper than 32"):
        read_yaml("\n".join(lines).encode())


@pytest.mark.parametrize("text", ["a: &a [*a]", "a: *nothing"])
def test_an_alias_of_nothing_or_of_itself_is_refused(text: str) -> None:
    assert "stands for nothing before it" in refused(text)


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object:os.system x",
        "!!python/object/apply:os.system [x]",
        "a: !!str 5",
        "a: !own x",
        "!!map {a: 1}",
    ],
)
def test_tags_are_refused(text: str) -> None:
    assert "tags such as" in refused(text)


def test_several_documents_are_refused() -> None:
    assert "a second document begins here" in refused("a: 1\n---\nb: 2\n")


def test_yaml_1_1_is_refused() -> None:
    assert "only YAML 1.2" in refused("%YAML 1.1\n---\na: NO\n")


@pytest.mark.parametrize("text", ["? [a]\n: 1\n", "a: &x b\n*x : 1\n", "? {a: 1}\n: 1\n", "!!str a: 1\n"])
def test_a_key_that_is_no_plain_word_is_refused(text: str) -> None:
    assert "a key must be a plain word" in refused(text)


@pytest.mark.parametrize("character", ["\x00", "\x01", "\x1b", "\x7f", "\x90", "\ufffe"])
def test_a_control_character_in_the_file_is_refused_with_its_place(character: str) -> None:
    with pytest.raises(InputRefused) as caught:
        read_yaml(f'a: 1\nb: "x{character}"'.encode())
    assert (caught.value.faults[0].line, caught.value.faults[0].column) == (2, 6)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"a: [1", "not YAML"),
        (b"a: 'x", "not YAML"),
        (b"a: b: c", "not YAML"),
        (b"\ta: 1", "not YAML"),
        (b"a: \xff", "no UTF-8"),
        ("a: 1".encode("utf-16"), "UTF-16"),
        ("a: 1".encode("utf-16-le"), "UTF-16"),
        ("a: 1".encode("utf-32"), "UTF-16 or UTF-32"),
        (b"[" * 100_000, "deeper than 32"),
        (b"- " * 100_000, "deeper than 32"),
        (b"a: " + b"9" * 5_000, "5,000 digits"),
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, why: str) -> None:
    with pytest.raises(UnreadableDocument, match=why):
        read_yaml(data, "x.yaml")


def test_a_syntax_error_names_file_line_and_column() -> None:
    with pytest.raises(UnreadableDocument, match=r"^x\.yaml:2:2: ") as caught:
        read_yaml(b"a: [1\nb: 2\n", "x.yaml")
    assert (caught.value.fault.line, caught.value.fault.column) == (2, 2)


def test_too_many_bytes_are_not_read() -> None:
    with pytest.raises(InputTooLarge, match="2,000,000"):
        read_yaml(b"#" * (MAX_YAML_BYTES + 1))
    with pytest.raises(InputTooLarge, match="10,000,000"):
        read_yaml(b"\xff" * LIMIT_BYTES)
