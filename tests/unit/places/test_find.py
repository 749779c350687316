"""What campaign files write: one place, or an error that says what to write."""

import pytest

from adserver.domain.errors import AdserverError
from adserver.places.errors import PlaceAmbiguous, PlaceNotFound
from adserver.places.gazetteer import Gazetteer


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer.load()


@pytest.mark.parametrize(
    ("text", "place_id"),
    [
        ("Remer,MN", "us-mn-remer"),
        ("MN", "us-mn"),
        ("Cook County, MN", "us-mn-cook-county"),
        ("56672", "us-mn-remer"),
        ("us-mn-remer", "us-mn-remer"),
        ("San Juan, Starr County, TX", "us-tx-san-juan-starr-county"),
    ],
)
def test_one_place_is_found(gazetteer: Gazetteer, text: str, place_id: str) -> None:
    assert gazetteer.find(text).id == place_id


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("Remr, MN", "Remer, MN"),
        ("Duluht, Minnesota", "Duluth, MN"),
        ("Minesota", "Minnesota"),
        ("Remer", "Remer, MN"),
        ("Cok County, MN", "Cook County, MN"),
    ],
)
def test_an_unknown_place_is_refused_with_what_is_written_alike(gazetteer: Gazetteer, text: str, near: str) -> None:
    with pytest.raises(PlaceNotFound) as refused:
        gazetteer.find(text)
    assert near in refused.value.near
    assert text in str(refused.value)
    assert f"'{near}'" in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "Nowhere, MN",
        "12 Main St, Remer, MN",
        "12 Main St, Remer, Cass County, MN",
        "Remer, Cook County, MN",
        "99999",
        "",
        "zz",
    ],
)
def test_no_coarser_place_stands_in_for_an_unknown_one(gazetteer: Gazetteer, text: str) -> None:
    with pytest.raises(PlaceNotFound):
        gazetteer.find(text)


def test_twins_are_refused_with_names_that_find_each(gazetteer: Gazetteer) -> None:
    with pytest.raises(PlaceAmbiguous) as refused:
        gazetteer.find("San Juan, TX")
    assert refused.value.candidates == ("San Juan, Hidalgo County, TX", "San Juan, Starr County, TX")
    assert [gazetteer.find(name).name for name in refused.value.candidates] == list(refused.value.candidates)


def test_many_twins_and_long_texts_make_a_short_message(gazetteer: Gazetteer) -> None:
    with pytest.raises(PlaceAmbiguous, match="or 21 more") as many:
        gazetteer.find("Perry Township, OH")
    assert len(many.value.candidates) == 27
    with pytest.raises(PlaceNotFound) as long:
        gazetteer.find("x" * 100_000)
    assert len(str(long.value)) < 200


def test_both_errors_are_the_projects_own() -> None:
    assert issubclass(PlaceNotFound, AdserverError)
    assert issubclass(PlaceAmbiguous, AdserverError)
