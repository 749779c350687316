"""A revision comes back from its bytes as it was, and its digest tells it from every other."""

import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adserver.catalog.documents import Documents
from adserver.catalog.plan import Change, Plan
from adserver.catalog.revisions import (
    Entry,
    Revision,
    RevisionUnreadable,
    decode_documents,
    decode_entry,
    encode_documents,
    encode_entry,
    to_milliseconds,
)

AT = datetime(2026, 11, 24, 12, 0, 0, 123_000, tzinfo=UTC)
GOLDEN_ENTRY = (
    b'{"version":1,"number":7,"author":"kim","at_milliseconds":1795521600123,"message":"why",'
    b'"plan":{"add":["a"],"change":[{"path":"b.c","from":null,"to":["x",1]}],"remove":["d"]}}'
)
GOLDEN_DOCUMENTS = b'{"campaign_files":{"a.yaml":{"z":1,"a":[true,null]}},"slots":{"sites":[]},"rules":null}'


def entry() -> Entry:
    return Entry(7, "kim", AT, "why", Plan(("a",), (Change("b.c", None, ["x", 1]),), ("d",)))


def documents() -> Documents:
    return Documents({"a.yaml": {"z": 1, "a": [True, None]}}, {"sites": []})


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(TEXT, VALUES, max_size=3)
PLANS = st.builds(
    Plan,
    st.lists(TEXT, max_size=2).map(tuple),
    st.lists(st.builds(Change, TEXT, VALUES, VALUES), max_size=2).map(tuple),
    st.lists(TEXT, max_size=2).map(tuple),
)
EPOCH = datetime.fromtimestamp(0, UTC)
TIMES = st.integers(0, 2**41).map(lambda milliseconds: EPOCH + timedelta(milliseconds=milliseconds))


class TestAnEntry:
    @given(st.builds(Entry, st.integers(1, 2**40), TEXT, TIMES, TEXT, PLANS))
    def test_comes_back_as_it_was(self, one: Entry) -> None:
        assert decode_entry(encode_entry(one)) == one

    def test_has_the_form_that_other_versions_read(self) -> None:
        assert encode_entry(entry()) == GOLDEN_ENTRY
        assert decode_entry(GOLDEN_ENTRY) == entry()

    @pytest.mark.parametrize("data", [b"", b"{", b"[]", GOLDEN_ENTRY.replace(b'"version":1', b'"version":2')])
    def test_of_another_form_is_refused(self, data: bytes) -> None:
        with pytest.raises(RevisionUnreadable):
            decode_entry(data)

    def test_is_cut_to_whole_milliseconds_of_utc(self) -> None:
        local = datetime.fromisoformat("2026-11-24T06:00:00.123999-06:00")
        assert to_milliseconds(local) == AT
        assert entry().to_json()["at"] == "2026-11-24T12:00:00.123Z"


class TestDocuments:
    @given(st.builds(Documents, st.dictionaries(TEXT, OBJECTS, max_size=3), st.none() | OBJECTS, st.none() | OBJECTS))
    def test_come_back_as_they_were(self, one: Documents) -> None:
        assert decode_documents(encode_documents(one)) == one

    def test_have_the_form_that_other_versions_read(self) -> None:
        data = encode_documents(documents())
        assert data[:1] == b"\x01"
        assert zlib.decompress(data[1:]) == GOLDEN_DOCUMENTS
        assert decode_documents(b"\x01" + zlib.compress(GOLDEN_DOCUMENTS)) == documents()

    @pytest.mark.parametrize(
        "data", [b"", b"\x01", b"\x01torn", b"\x02" + zlib.compress(GOLDEN_DOCUMENTS), b"\x01" + zlib.compress(b"[]")]
    )
    def test_of_another_form_are_refused(self, data: bytes) -> None:
        with pytest.raises(RevisionUnreadable):
            decode_documents(data)


class TestADigest:
    def test_is_the_same_for_the_same(self) -> None:
        assert Revision(entry(), documents()).head == Revision(entry(), documents()).head
        assert Revision(decode_entry(GOLDEN_ENTRY), documents()).head == Revision(entry(), documents()).head

    @pytest.mark.parametrize(
        "other",
        [
            Revision(entry(), replace(documents(), slots={"sites": [1]})),
            Revision(entry(), replace(documents(), campaign_files={})),
            Revision(replace(entry(), at=AT + timedelta(milliseconds=1)), documents()),
            Revision(replace(entry(), author="lee"), documents()),
        ],
        ids=["slots", "campaigns", "time", "author"],
    )
    def test_tells_a_revision_from_another_of_its_number(self, other: Revision) -> None:
        one = Revision(entry(), documents())
        assert other.head.number == one.head.number
        assert other.head.digest != one.head.digest
