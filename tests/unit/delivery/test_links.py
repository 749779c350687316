from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adserver.delivery.links import MacroValues, click_location

VALUES = MacroValues("masthead", "us-mn-remer", "season", "elevate", "short")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://qwiket.com/", "https://qwiket.com/"),
        ("https://q.com/?s={slot}&p={place}", "https://q.com/?s=masthead&p=us-mn-remer"),
        ("https://q.com/?x=a{campaign}b{creative}c{variant}", "https://q.com/?x=aseasonbelevatecshort"),
        ("https://q.com/{slot}?{slot}=1#{slot}", "https://q.com/{slot}?{slot}=1#{slot}"),
        ("https://q.com/?x={other}&y=", "https://q.com/?x={other}&y="),
        ("mailto:ann@example.com?subject={slot}", "mailto:ann@example.com?subject={slot}"),
        ("tel:+12185550100", "tel:+12185550100"),
    ],
)
def test_macros_are_filled_in_query_values_only(url: str, expected: str) -> None:
    assert click_location(url, (), VALUES) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://q.com/", "https://q.com/?utm_source=america-one&utm_medium=sponsor"),
        ("https://q.com/a?b=1#top", "https://q.com/a?b=1&utm_source=america-one&utm_medium=sponsor#top"),
        ("https://q.com/?utm_medium=mail", "https://q.com/?utm_medium=mail&utm_source=america-one"),
        ("mailto:ann@example.com", "mailto:ann@example.com"),
    ],
)
def test_utm_names_are_added_but_for_those_the_link_has(url: str, expected: str) -> None:
    assert click_location(url, (("source", "america-one"), ("medium", "sponsor")), VALUES) == expected


@given(st.text())
def test_whatever_a_macro_stands_for_stays_one_query_value(value: str) -> None:
    text = value.encode("utf-8", "replace").decode()
    location = click_location("https://q.com/?a=1&p={place}&z=2", (), MacroValues("", text, "", "", ""))
    assert parse_qsl(urlsplit(location).query, keep_blank_values=True) == [("a", "1"), ("p", text), ("z", "2")]
    assert location.isascii()


def test_a_value_that_looks_like_a_macro_is_not_filled_again() -> None:
    location = click_location("https://q.com/?p={place}", (), MacroValues("masthead", "{slot}", "", "", ""))
    assert location == "https://q.com/?p=%7Bslot%7D"


def test_utm_values_are_percent_encoded() -> None:
    assert (
        click_location("https://q.com/", (("source", "a&b=c d"),), VALUES) == "https://q.com/?utm_source=a%26b%3Dc%20d"
    )
