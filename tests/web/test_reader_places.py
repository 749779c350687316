"""The place of a reader, from a file that the publisher brings: only where the page names none, and kept nowhere."""

import logging
from collections.abc import Mapping
from pathlib import Path

import pytest
from delivery_stand import Stand
from reader_files import HERE, REMER, Record, make_file, record

from adserver.domain.ids import Kind, id_hash
from adserver.places.gazetteer import Gazetteer
from adserver.web.reader_places import LOOKUP_FAULT, ReaderPlaces, ReaderPlacesUnreadable, read_facts

ELSEWHERE = "198.51.100.7"


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer.load()


@pytest.fixture
def readers(tmp_path: Path, gazetteer: Gazetteer) -> ReaderPlaces:
    return ReaderPlaces(make_file(tmp_path / "city.mmdb"), gazetteer)


@pytest.mark.parametrize(
    ("found", "place"),
    [
        (REMER, "us-mn-remer"),
        (record(state="MN", town="Remer"), "us-mn-remer"),
        (record(state="MN", town="Nowhere at all"), "us-mn"),
        (record(state="MN", postal="56672"), "us-mn-remer"),
        (record(state="MN"), "us-mn"),
        (record(), "us"),
        (record("PR"), "us-pr"),
        (record("PR", town="Ponce"), "us-pr-ponce"),
        (record("CA", "ON", "London"), None),
        (record("CA", "MN", "Remer"), None),
        ({}, None),
        ({"country": "US", "subdivisions": {}, "city": [], "postal": "x"}, None),
        ({"country": {"iso_code": "US"}, "subdivisions": [], "city": {"names": []}}, "us"),
    ],
)
def test_a_record_becomes_the_finest_place_that_is_known(
    tmp_path: Path, gazetteer: Gazetteer, found: Record, place: str | None
) -> None:
    readers = ReaderPlaces(make_file(tmp_path / "city.mmdb", {"203.0.113.0/24": found}), gazetteer)
    resolved = readers.place_of(HERE)
    assert (resolved.id if resolved else None) == place


@pytest.mark.parametrize("address", [ELSEWHERE, "", "unix:", "2001:db8::1", "203.0.113", "::ffff:zz", "a" * 300])
def test_an_address_that_the_file_does_not_know_has_no_place(readers: ReaderPlaces, address: str) -> None:
    assert readers.place_of(address) is None


def ask(stand: Stand, query: str, address: str = HERE) -> int:
    return stand.client().get(f"/v1/slots/masthead{query}", environ_base={"REMOTE_ADDR": address}).status_code


class TestPages:
    """One sponsor, in Remer alone."""

    @pytest.mark.parametrize(
        ("query", "address", "status"),
        [
            ("", HERE, 200),
            ("?location=", HERE, 200),
            ("?location=%20&topic=sports", HERE, 200),
            ("", ELSEWHERE, 204),
            ("?location=Remer,MN", ELSEWHERE, 200),
            ("?location=Nowhere,MN", HERE, 204),
            ("?location=Fargo,ND", HERE, 204),
        ],
    )
    def test_the_page_goes_before_the_reader(
        self, readers: ReaderPlaces, query: str, address: str, status: int
    ) -> None:
        assert ask(Stand(readers=readers), query, address) == status

    def test_two_readers_of_one_address_of_a_page_share_no_memory(self, readers: ReaderPlaces) -> None:
        stand = Stand(readers=readers)
        assert [ask(stand, "", address) for address in (HERE, ELSEWHERE, HERE, ELSEWHERE)] == [200, 204, 200, 204]

    def test_without_a_file_such_pages_have_no_place(self) -> None:
        assert ask(Stand(), "") == 204

    @pytest.mark.parametrize("path", ["/v1/slots/masthead.html", "/v1/frames/masthead"])
    def test_it_holds_in_every_form(self, readers: ReaderPlaces, path: str) -> None:
        client = Stand(readers=readers).client()
        answer = client.get(path, environ_base={"REMOTE_ADDR": HERE})
        assert "QWIKET" in answer.text
        assert "QWIKET" not in client.get(path, environ_base={"REMOTE_ADDR": ELSEWHERE}).text

    @pytest.mark.parametrize(
        ("fields", "filled"), [({}, True), ({"location": " "}, True), ({"location": "Nowhere,MN"}, False)]
    )
    def test_it_holds_for_a_page_that_asks_for_all_slots(
        self, readers: ReaderPlaces, fields: Mapping[str, str], filled: bool
    ) -> None:
        body = {"slots": [{"id": "a", "slot": "masthead"}], **fields}
        answer = Stand(readers=readers).client().post("/v1/decisions", json=body, environ_base={"REMOTE_ADDR": HERE})
        assert answer.json is not None
        assert (answer.json["decisions"]["a"] is not None) is filled

    def test_the_place_is_counted_and_the_address_is_nowhere(self, readers: ReaderPlaces) -> None:
        stand = Stand(readers=readers)
        ask(stand, "")
        (token,) = stand.recorder.fills
        assert token.place == id_hash(Kind.PLACE, "us-mn-remer")
        assert HERE not in repr(vars(stand.recorder))


class TestFiles:
    @pytest.mark.parametrize("content", [None, b"", b"not such a file", b"\x00" * 5_000])
    def test_that_cannot_be_read_are_refused_with_their_name(
        self, tmp_path: Path, gazetteer: Gazetteer, content: bytes | None
    ) -> None:
        path = tmp_path / "city.mmdb"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ReaderPlacesUnreadable, match=r"city\.mmdb cannot be read: "):
            ReaderPlaces(path, gazetteer)

    def test_say_when_and_by_whom_they_were_made(self, tmp_path: Path) -> None:
        facts = read_facts(make_file(tmp_path / "city.mmdb"))
        assert facts.kind == "GeoLite2-City"
        assert facts.built > 1_700_000_000

    def test_that_are_damaged_within_break_no_page_and_log_no_address(
        self, tmp_path: Path, gazetteer: Gazetteer, caplog: pytest.LogCaptureFixture
    ) -> None:
        path = make_file(tmp_path / "city.mmdb")
        data = path.read_bytes()
        at = data.index(b"country") - 2
        path.write_bytes(data[:at] + b"\xff" * 60 + data[at + 60 :])
        with caplog.at_level(logging.WARNING):
            assert ask(Stand(readers=ReaderPlaces(path, gazetteer)), "") == 204
        assert [entry.message for entry in caplog.records] == [LOOKUP_FAULT]
        assert HERE not in repr(vars(caplog.records[0]))
