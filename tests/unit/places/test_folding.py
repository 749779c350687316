"""Names to words, slugs and keys."""

import pytest

from adserver.places.folding import key, keys, plain_words, slug


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("St. Paul", "st-paul"),
        ("Cañon City", "canon-city"),
        ("Utqiaġvik", "utqiagvik"),
        ("Coeur d'Alene", "coeur-dalene"),
        ("Coeur d\u2019Alene", "coeur-dalene"),
        ("Winston-Salem", "winston-salem"),
        ("Louisville/Jefferson County", "louisville-jefferson-county"),
        ("O'Fallon", "ofallon"),
        ("J.P. Smith's", "jp-smiths"),
    ],
)
def test_a_slug_is_the_plain_words_of_a_name(name: str, expected: str) -> None:
    assert slug(name) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [("St. Anton", "Stanton"), ("N. Liberty", "Liberty"), ("Ste. Marie", "Stemarie"), ("Co", "County")],
)
def test_different_names_keep_different_keys(one: str, other: str) -> None:
    assert key(plain_words(one)) != key(plain_words(other))


def test_a_kind_is_tried_as_written_then_behind_then_left_out() -> None:
    assert keys(("town", "of", "ithaca")) == ("townofithaca", "ithacatown", "ithaca")
    assert keys(("new", "york", "city")) == ("newyorkcity", "newyork")
    assert keys(("remer", "township")) == ("remertownship",)
    assert keys(("city",)) == ("city",)
