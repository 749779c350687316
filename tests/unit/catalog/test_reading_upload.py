"""Uploads: one campaign file or several, as YAML or JSON, taken whole or not at all."""

import json

import pytest

from adserver.catalog.documents import SLOTS_FILE
from adserver.catalog.upload import Format, place_in_upload, read_campaigns, read_slots
from adserver.domain.errors import Fault, InputRefused, UnreadableInput


def advertiser(id_: str, **fields: object) -> dict[str, object]:
    return {"advertiser": {"id": id_, "name": id_.upper(), **fields}}


def test_one_file_is_called_upload() -> None:
    documents = read_campaigns(b"advertiser: {id: a, name: A}", Format.YAML)
    assert documents.campaign_files == {"upload": {"advertiser": {"id": "a", "name": "A"}}}
    assert documents.slots is None


def test_yaml_and_json_of_the_same_words_are_the_same_documents() -> None:
    as_json = read_campaigns(json.dumps(advertiser("a")).encode(), Format.JSON)
    assert as_json == read_campaigns(b"advertiser: {id: a, name: A}", Format.YAML)


def test_several_files_are_called_by_their_index() -> None:
    text = json.dumps({"files": [advertiser("a"), advertiser("b")]})
    documents = read_campaigns(text.encode(), Format.JSON)
    assert list(documents.campaign_files) == ["files[0]", "files[1]"]
    assert documents.positions["files[1]"].locate(("advertiser", "id")) == (1, text.index('"id": "b"') + 1)


def test_a_half_valid_batch_is_refused_whole_with_every_fault_and_its_path() -> None:
    batch = {"files": [advertiser("a"), advertiser("b", name=7, logo=1), 3, {}], "extra": 1}
    with pytest.raises(InputRefused) as caught:
        read_campaigns(json.dumps(batch).encode(), Format.JSON)
    assert {fault.path for fault in caught.value.faults} == {
        "extra",
        "files[1].advertiser.name",
        "files[1].advertiser.logo",
        "files[2]",
        "files[3].advertiser",
    }


def test_files_are_a_list() -> None:
    with pytest.raises(InputRefused) as caught:
        read_campaigns(b'{"files": {}}', Format.JSON)
    assert [fault.path for fault in caught.value.faults] == ["files"]


def test_a_key_that_stands_twice_is_refused_with_the_other_faults() -> None:
    with pytest.raises(InputRefused) as caught:
        read_campaigns(b'{"advertiser": {"id": "a", "id": "b", "name": 7}}', Format.JSON)
    assert [fault.path for fault in caught.value.faults] == ["advertiser.id", "advertiser.name"]


def test_a_key_that_stands_twice_in_one_of_several_files_is_refused() -> None:
    with pytest.raises(InputRefused) as caught:
        read_campaigns(b'{"files": [{"advertiser": {"id": "a", "name": "A", "name": "B"}}]}', Format.JSON)
    assert [fault.path for fault in caught.value.faults] == ["files[0].advertiser.name"]


@pytest.mark.parametrize("form", list(Format))
def test_what_cannot_be_read_is_told_apart_from_what_is_refused(form: Format) -> None:
    with pytest.raises(UnreadableInput):
        read_campaigns(b'"', form)


def test_slots_come_alone() -> None:
    documents = read_slots(b"sites: []\nslots: []\n", Format.YAML)
    assert documents.slots == {"sites": [], "slots": []}
    assert documents.positions[SLOTS_FILE].locate(("slots",)) == (2, 1)
    assert not documents.campaign_files


@pytest.mark.parametrize(
    ("file", "path", "shown"),
    [
        ("upload", "campaigns[0].id", "campaigns[0].id"),
        ("files[2]", "campaigns[0].id", "files[2].campaigns[0].id"),
        ("files[2]", "", "files[2]"),
        ("slots.yaml", "slots[0]", "slots[0]"),
    ],
)
def test_faults_found_later_are_placed_from_the_top_of_the_upload(file: str, path: str, shown: str) -> None:
    assert place_in_upload(Fault(path, "wrong", file)).path == shown
