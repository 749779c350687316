"""What pages write, and the place each becomes."""

import pytest

from adserver.domain.ids import PlaceId
from adserver.domain.places import PlaceLevel
from adserver.places.gazetteer import Gazetteer

REMER = ("us-mn-remer", "us-mn-cass-county", "us-mn", "us")


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer.load()


def resolved(gazetteer: Gazetteer, text: str) -> str | None:
    place = gazetteer.resolve(text)
    return None if place is None else place.id


@pytest.mark.parametrize(
    "text",
    [
        "Remer,MN",
        "remer, minnesota",
        "Remer MN",
        "REMER , mn",
        "  Remer,\tMN  ",
        "Remer, Minn.",
        "Remer Minnesota",
        "Remer, MN, USA",
        "Remer, MN, United States",
        "Remer MN USA",
        "Remer, MN 56672",
        "Remer, MN 56672-0123",
        "56672",
        "56672-0123",
        "MN 56672",
        "us-zip-56672",
        "us-mn-remer",
        "US-MN-REMER",
        "Remer, Cass County, MN",
        "Remer, Cass, MN",
        "Remer, Cass Co., MN",
        "City of Remer, MN",
        "Remer city, MN",
        "12 Main St, Remer, MN 56672",
        "12 Main St, Remer, Cass County, MN",
        "\uff32emer, \uff2d\uff2e",
    ],
)
def test_remer_is_found_however_it_is_written(gazetteer: Gazetteer, text: str) -> None:
    place = gazetteer.resolve(text)
    assert place is not None
    assert place.chain == REMER
    assert (place.name, place.level) == ("Remer, MN", PlaceLevel.TOWN)
    assert (place.latitude, place.longitude) == pytest.approx((47.0569, -93.9126), abs=1e-4)


@pytest.mark.parametrize(
    ("text", "place_id"),
    [
        ("St. Paul, MN", "us-mn-st-paul"),
        ("Saint Paul, MN", "us-mn-st-paul"),
        ("St.Paul,MN", "us-mn-st-paul"),
        ("St Paul MN", "us-mn-st-paul"),
        ("Ft. Worth, TX", "us-tx-fort-worth"),
        ("Ft Lauderdale, Fla.", "us-fl-fort-lauderdale"),
        ("Mt. Vernon, N.Y.", "us-ny-mount-vernon"),
        ("Mount Vernon, NY", "us-ny-mount-vernon"),
        ("Ste. Genevieve, MO", "us-mo-ste-genevieve"),
        ("Sainte Genevieve, MO", "us-mo-ste-genevieve"),
        ("Sault Ste. Marie, MI", "us-mi-sault-ste-marie"),
        ("Sault Sainte Marie, Mich.", "us-mi-sault-ste-marie"),
        ("E. Grand Forks, MN", "us-mn-east-grand-forks"),
        ("Cañon City, CO", "us-co-canon-city"),
        ("Canon City, Colo.", "us-co-canon-city"),
        ("Can\u0303on City, CO", "us-co-canon-city"),
        ("Utqiagvik, AK", "us-ak-utqiagvik"),
        ("Winston-Salem, NC", "us-nc-winston-salem"),
        ("Winston Salem, N.C.", "us-nc-winston-salem"),
        ("Winston\u2013Salem, NC", "us-nc-winston-salem"),
        ("Coeur d'Alene, ID", "us-id-coeur-dalene"),
        ("Coeur d\u2019Alene, Idaho", "us-id-coeur-dalene"),
        ("Coeur d Alene ID", "us-id-coeur-dalene"),
        ("O'Fallon, MO", "us-mo-ofallon"),
        ("De Kalb, IL", "us-il-dekalb"),
        ("Washington DC", "us-dc-washington"),
        ("Washington, D.C.", "us-dc-washington"),
        ("New York, NY", "us-ny-new-york"),
        ("New York City, New York", "us-ny-new-york"),
        ("New York, New York", "us-ny-new-york"),
        ("Brooklyn, NY", "us-ny-brooklyn"),
        ("Brookline, MA", "us-ma-brookline"),
        ("Town of Brookline, MA", "us-ma-brookline"),
        ("Charleston West Virginia", "us-wv-charleston"),
        ("Kansas City, Kansas", "us-ks-kansas-city"),
        ("Port Washington, WI", "us-wi-port-washington"),
        ("City of Industry, CA", "us-ca-industry"),
        ("Town of Pines, IN", "us-in-town-of-pines"),
        ("Boise, ID", "us-id-boise"),
        ("Boise City, ID", "us-id-boise"),
        ("Honolulu, HI", "us-hi-honolulu"),
        ("Urban Honolulu, HI", "us-hi-honolulu"),
        ("Nashville, TN", "us-tn-nashville"),
        ("Nashville-Davidson, TN", "us-tn-nashville"),
        ("Louisville, KY", "us-ky-louisville"),
        ("Indianapolis, Ind.", "us-in-indianapolis"),
        ("Ventura, CA", "us-ca-ventura"),
        ("San Buenaventura, CA", "us-ca-ventura"),
        ("Waukesha, WI", "us-wi-waukesha"),
        ("Village of Waukesha, WI", "us-wi-village-of-waukesha"),
        ("Richmond, VA", "us-va-richmond"),
        ("Juneau, AK", "us-ak-juneau"),
        ("San Juan, PR", "us-pr-san-juan"),
        ("Brick, NJ", "us-nj-brick-township"),
        ("Brick Twp, NJ", "us-nj-brick-township"),
        ("Remer Township, MN", "us-mn-remer-township"),
        ("Ithaca, NY", "us-ny-ithaca"),
        ("Town of Ithaca, NY", "us-ny-town-of-ithaca"),
        ("Washington, NJ", "us-nj-washington"),
        ("Washington, Gloucester County, NJ", "us-nj-washington-township-gloucester-county"),
        ("San Juan, Hidalgo County, TX", "us-tx-san-juan-hidalgo-county"),
    ],
)
def test_towns_resolve_however_they_are_spelled(gazetteer: Gazetteer, text: str, place_id: str) -> None:
    assert resolved(gazetteer, text) == place_id


@pytest.mark.parametrize(
    ("text", "place_id"),
    [
        ("Cook County, MN", "us-mn-cook-county"),
        ("cook co., minn.", "us-mn-cook-county"),
        ("County of Cook, MN", "us-mn-cook-county"),
        ("Cass County, Minnesota", "us-mn-cass-county"),
        ("Hennepin, MN", "us-mn-hennepin-county"),
        ("Doña Ana County, NM", "us-nm-dona-ana-county"),
        ("St. Louis County, MO", "us-mo-st-louis-county"),
        ("City of St. Louis, MO", "us-mo-city-of-st-louis"),
        ("Orleans Parish, LA", "us-la-orleans-parish"),
        ("Fairbanks North Star Borough, AK", "us-ak-fairbanks-north-star-borough"),
        ("Richmond County, VA", "us-va-richmond-county"),
        ("City of Richmond, VA", "us-va-city-of-richmond"),
        ("San Juan Municipio, PR", "us-pr-san-juan-municipio"),
        ("Capitol Planning Region, CT", "us-ct-capitol-planning-region"),
    ],
)
def test_counties_and_what_stands_for_them_resolve(gazetteer: Gazetteer, text: str, place_id: str) -> None:
    place = gazetteer.resolve(text)
    assert place is not None
    assert (place.id, place.level) == (place_id, PlaceLevel.COUNTY)
    assert place.chain == (place_id, place_id[:5], "us")


@pytest.mark.parametrize(
    ("text", "place_id", "name"),
    [
        ("MN", "us-mn", "Minnesota"),
        ("minnesota", "us-mn", "Minnesota"),
        ("Minn.", "us-mn", "Minnesota"),
        ("N.D.", "us-nd", "North Dakota"),
        ("N. Dakota", "us-nd", "North Dakota"),
        ("New York", "us-ny", "New York"),
        ("Washington", "us-wa", "Washington"),
        ("West Virginia", "us-wv", "West Virginia"),
        ("DC", "us-dc", "District of Columbia"),
        ("Puerto Rico", "us-pr", "Puerto Rico"),
        ("Minnesota, USA", "us-mn", "Minnesota"),
        ("US", "us", "United States"),
        ("U.S.A.", "us", "United States"),
        ("united states", "us", "United States"),
        ("United States of America", "us", "United States"),
    ],
)
def test_states_and_the_country_resolve(gazetteer: Gazetteer, text: str, place_id: str, name: str) -> None:
    place = gazetteer.resolve(text)
    assert place is not None
    assert (place.id, place.name) == (place_id, name)


@pytest.mark.parametrize(
    ("text", "place_id"),
    [
        ("Nowhere, MN", "us-mn"),
        ("Nowhere MN", "us-mn"),
        ("東京, MN", "us-mn"),
        ("Nowhere, Elsewhere, Minnesota", "us-mn"),
        ("MN 00000", "us-mn"),
        ("Nowhere, Cass County, MN", "us-mn-cass-county"),
        ("Downtown, St. Louis, MO", "us-mo-st-louis"),
    ],
)
def test_an_unknown_town_is_the_finest_place_that_is_known(gazetteer: Gazetteer, text: str, place_id: str) -> None:
    assert resolved(gazetteer, text) == place_id


@pytest.mark.parametrize(
    ("text", "place_id"),
    [("San Juan, TX", "us-tx"), ("Washington Township, NJ", "us-nj"), ("Lisbon, WI", "us-wi")],
)
def test_twins_resolve_to_what_contains_them_all(gazetteer: Gazetteer, text: str, place_id: str) -> None:
    assert resolved(gazetteer, text) == place_id


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        ",",
        ",,, ,",
        "Remer",
        "Toronto, Ontario",
        "Port Washington",
        "Nowhere",
        "00000",
        "99999",
        "5667",
        "566720",
        "96799",
        "us-mn-nowhere",
        "東京",
        "\x00",
        "\ud800",
        "Remer, MN" + " " * 192,
        "x" * 300,
    ],
)
def test_what_names_no_known_place_is_none(gazetteer: Gazetteer, text: str) -> None:
    assert gazetteer.resolve(text) is None


def test_two_hundred_characters_are_read_and_one_more_is_not(gazetteer: Gazetteer) -> None:
    text = "Remer, MN".rjust(200)
    assert resolved(gazetteer, text) == "us-mn-remer"
    assert resolved(gazetteer, f" {text}") is None


def test_a_zip_without_a_certain_town_is_a_place_under_its_county(gazetteer: Gazetteer) -> None:
    place = gazetteer.resolve("60601")
    assert place is not None
    assert place.chain == ("us-zip-60601", "us-il-cook-county", "us-il", "us")
    assert (place.name, place.level) == ("60601", PlaceLevel.ZIP)


def test_get_knows_ids_alone(gazetteer: Gazetteer) -> None:
    place = gazetteer.get(PlaceId("us-mn-remer"))
    assert place is not None
    assert place.name == "Remer, MN"
    for unknown in ("Remer, MN", "us-mn-reme", "us-mn-remer\tx", "", "zip:56672"):
        assert gazetteer.get(PlaceId(unknown)) is None


def test_a_repeated_text_is_remembered_and_the_memory_is_bounded(gazetteer: Gazetteer) -> None:
    assert gazetteer.resolve("Duluth, MN") is gazetteer.resolve("Duluth, MN")
    for number in range(10_000):
        gazetteer.resolve(f"{number:05}")
    assert gazetteer._resolve.cache_info().currsize == gazetteer._resolve.cache_info().maxsize
