"""Uploads by property: whatever comes in, it is taken, or refused in words; nothing else ever happens."""

import json
from io import StringIO

from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from adserver.catalog.documents import Documents
from adserver.catalog.json_reading import read_json
from adserver.catalog.upload import Format, read_campaigns
from adserver.catalog.yaml_reading import read_yaml
from adserver.domain.errors import InputRefused, UnreadableInput

FIELD_NAMES = st.sampled_from(
    [
        "advertiser",
        "campaigns",
        "files",
        "id",
        "name",
        "creatives",
        "flights",
        "variants",
        "click_url",
        "utm",
        "starts",
        "ends",
        "timezone",
        "slots",
        "tier",
        "share",
        "weight",
        "goal",
        "impressions",
        "pacing",
        "price",
        "cpm",
        "flat",
        "currency",
        "targeting",
        "places",
        "topics",
        "hours",
        "caps",
        "takeover",
        "repeat",
        "_schema",
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | st.sampled_from(
        ["qwiket", "https://qwiket.com/", "2025-06-01", "America/Chicago", "sponsorship", "12.00", "asap"]
    )
)
SHAPES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELD_NAMES | st.text(max_size=4), inner, max_size=6),
    max_leaves=30,
)
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.text(st.characters(categories=("L", "N", "P")), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc-", min_size=1, max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)


def outcome(data: bytes, form: Format) -> Documents | InputRefused | UnreadableInput:
    try:
        return read_campaigns(data, form)
    except (InputRefused, UnreadableInput) as error:
        str(error).encode()
        return error


@given(SHAPES)
def test_any_json_is_taken_or_refused_with_paths_that_can_be_sent(value: object) -> None:
    result = outcome(json.dumps(value).encode(), Format.JSON)
    if isinstance(result, InputRefused):
        assert all(fault.message and fault.line for fault in result.faults)


@given(st.binary(max_size=200), st.sampled_from(Format))
def test_any_bytes_are_taken_or_refused(data: bytes, form: Format) -> None:
    outcome(data, form)


@given(st.text("{}[]:,&*!|>-?%#'\"\n a1", max_size=60))
def test_any_string_of_the_signs_of_yaml_is_taken_or_refused(text: str) -> None:
    outcome(text.encode(), Format.YAML)


@given(PLAIN)
def test_json_is_read_as_pythons_own_reader_reads_it(value: object) -> None:
    assert read_json(json.dumps(value).encode()).content == value


@given(PLAIN)
def test_yaml_is_read_back_as_it_was_written(value: object) -> None:
    stream = StringIO()
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False  # in `{a: :0}` it writes what it does not read itself
    writer.dump(value, stream)
    assert read_yaml(stream.getvalue().encode()).content == value


@given(PLAIN)
def test_json_is_yaml_too(value: object) -> None:
    assert read_yaml(json.dumps(value, ensure_ascii=False).encode()).content == value
