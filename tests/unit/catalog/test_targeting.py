"""Hours, and circles around towns: how they are written, and what becomes of them."""

from decimal import Decimal

import pytest

from adserver.catalog.build import build_catalog
from adserver.catalog.checking import check_campaign_file
from adserver.catalog.documents import Documents, JsonObject, mapping, objects
from adserver.catalog.reading import Parsed, RawValue
from adserver.catalog.yaml_reading import read_yaml
from adserver.domain.catalog import Targeting
from adserver.domain.errors import InputRefused
from adserver.domain.hours import Hours
from adserver.domain.ids import PlaceId
from adserver.domain.places import Circle
from adserver.places.gazetteer import Gazetteer

AT = "campaigns[0].flights[0].targeting"
SLOTS: JsonObject = {
    "sites": [{"id": "one", "name": "ONE", "home": "https://one.example/", "timezone": "America/Chicago"}],
    "slots": [{"id": "masthead", "site": "one"}],
}


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer.load()


def checked(targeting: RawValue) -> JsonObject:
    """Return a campaign file with one flight of this targeting, as it is stored."""
    creative: dict[str, RawValue] = {"id": "c", "click_url": "https://a.example/", "variants": {"name": "A"}}
    campaign: dict[str, RawValue] = {
        "id": "s",
        "name": "S",
        "starts": "2026-01-01",
        "timezone": "America/Chicago",
        "creatives": [creative],
        "flights": [{"id": "f", "targeting": targeting}],
    }
    content: dict[str, RawValue] = {"advertiser": {"id": "a", "name": "A"}, "campaigns": [campaign]}
    return check_campaign_file(Parsed(content, read_yaml(b"{}").positions))


def built(targeting: RawValue, gazetteer: Gazetteer) -> Targeting:
    catalog = build_catalog(Documents({"a.yaml": checked(targeting)}, SLOTS), gazetteer)
    return catalog.campaigns[0].flights[0].targeting


def faults(targeting: RawValue, gazetteer: Gazetteer) -> dict[str, str]:
    with pytest.raises(InputRefused) as refused:
        built(targeting, gazetteer)
    return {fault.path.removeprefix(AT): fault.message for fault in refused.value.faults}


@pytest.mark.parametrize(
    ("written", "hours"),
    [
        ({"days": ["mon", "sun"], "from": "06:00", "to": "22:00"}, Hours(frozenset({0, 6}), 360, 1320)),
        ({"days": ["sat"]}, Hours(frozenset({5}))),
        ({"from": "22:30"}, Hours(from_minute=1350)),
        ({"to": "02:00"}, Hours(to_minute=120)),
        ({"from": "22:00", "to": "02:00"}, Hours(from_minute=1320, to_minute=120)),
        ({"from": "18:00", "to": "24:00"}, Hours(from_minute=1080)),
        ({"from": "18:00", "to": "00:00"}, Hours(from_minute=1080, to_minute=0)),
        (None, None),
    ],
)
def test_hours_are_read_as_written_and_each_may_be_left_out(
    written: RawValue, hours: Hours | None, gazetteer: Gazetteer
) -> None:
    assert built({"hours": written}, gazetteer).hours == hours


@pytest.mark.parametrize(
    ("written", "path", "message"),
    [
        ({}, "", "must name days, from or to"),
        ({"days": []}, ".days", "must name one of the days at least"),
        ({"days": ["mon", "mon"]}, ".days[1]", "stands twice"),
        ({"days": ["monday"]}, ".days[0]", "must be one of mon, tue"),
        ({"days": [1]}, ".days[0]", "must be one of mon, tue"),
        ({"days": "mon"}, ".days", "must be a list of days"),
        ({"from": "24:00"}, ".from", "must be a time"),
        ({"to": "24:01"}, ".to", "must be a time"),
        ({"to": "24:30"}, ".to", "must be a time"),
        ({"from": "6:00"}, ".from", "must be a time"),
        ({"from": "06:60"}, ".from", "must be a time"),
        ({"from": "25:00"}, ".from", "must be a time"),
        ({"from": "06:00:00"}, ".from", "must be a time"),
        ({"from": "\u0660\u0666:\u0660\u0660"}, ".from", "must be a time"),
        ({"from": 600}, ".from", "must be a time"),
        ({"from": True}, ".from", "must be a time"),
        ({"from": None}, ".from", "must be a time"),
        ({"from": "06:00", "to": "06:00"}, ".to", "must not be where it begins"),
        ({"to": "00:00"}, ".to", "must not be where it begins"),
        ({"from_": "06:00"}, ".from_", "unknown field; there are days, from, to"),
        ({"until": "06:00"}, ".until", "unknown field; there are days, from, to"),
        ("06:00-22:00", "", "must be a mapping with the fields days, from, to"),
    ],
)
def test_hours_that_say_nothing_clear_are_refused_where_they_stand(
    written: RawValue, path: str, message: str, gazetteer: Gazetteer
) -> None:
    ((where, said),) = faults({"hours": written}, gazetteer).items()
    assert where == f".hours{path}"
    assert said.startswith(message)


def test_what_is_stored_keeps_the_order_and_words_of_the_file() -> None:
    written: RawValue = {
        "hours": {"to": "22:00", "from": "06:00"},
        "places": [{"miles": 60, "near": " Fargo, ND "}, "MN"],
    }
    flight = objects(objects(checked(written), "campaigns")[0], "flights")[0]
    targeting = mapping(flight, "targeting")
    assert targeting == {
        "hours": {"to": "22:00", "from": "06:00"},
        "places": [{"miles": 60, "near": "Fargo, ND"}, "MN"],
    }
    assert list(mapping(targeting, "hours")) == ["to", "from"]


@pytest.mark.parametrize(
    ("distance", "kilometres"),
    [
        ({"km": 60}, 60.0),
        ({"miles": 60}, 96.56064),
        ({"km": Decimal("12.50")}, 12.5),
        ({"miles": Decimal("1E+2")}, 160.9344),
    ],
)
def test_a_circle_is_measured_in_miles_or_kilometres(
    distance: dict[str, RawValue], kilometres: float, gazetteer: Gazetteer
) -> None:
    targeting = built({"places": ["MN", {"near": "Fargo,ND", **distance}]}, gazetteer)
    fargo = gazetteer.find("Fargo, ND")
    assert targeting.places == {PlaceId("us-mn")}
    (circle,) = targeting.near
    assert circle == Circle(fargo.id, fargo.latitude, fargo.longitude, circle.kilometres)
    assert circle.kilometres == pytest.approx(kilometres)


def test_a_circle_may_be_kept_out_and_stand_around_a_zip(gazetteer: Gazetteer) -> None:
    targeting = built({"exclude_places": [{"near": "58103", "km": 20}]}, gazetteer)
    assert [circle.kilometres for circle in targeting.exclude_near] == [20]
    assert not targeting.near


@pytest.mark.parametrize(
    ("written", "path", "message"),
    [
        ({"near": "Fargo,ND"}, "", "must have either miles or km"),
        ({"near": "Fargo,ND", "miles": 60, "km": 60}, "", "must have either miles or km"),
        ({"miles": 60}, ".near", "is missing; it must be a place"),
        ({"near": "Fargo,ND", "miles": 0}, ".miles", "must be a number above 0"),
        ({"near": "Fargo,ND", "miles": -1}, ".miles", "must be a number above 0"),
        ({"near": "Fargo,ND", "miles": 1001}, ".miles", "must be a number above 0"),
        ({"near": "Fargo,ND", "miles": Decimal("0.001")}, ".miles", "must be a number above 0"),
        ({"near": "Fargo,ND", "miles": Decimal("NaN")}, ".miles", "must be a number above 0"),
        ({"near": "Fargo,ND", "miles": Decimal("1E+999")}, ".miles", "must be a number above 0"),
        ({"near": "Fargo,ND", "miles": True}, ".miles", "must be a number above 0"),
        ({"near": "Fargo,ND", "miles": "60"}, ".miles", "must be a number above 0"),
        ({"near": "Fargo,ND", "miles": 10**4000}, ".miles", "must be a number above 0"),
        ({"near": "Fargo,ND", "leagues": 20}, ".leagues", "unknown field; there are near, miles, km"),
        ({"near": ["Fargo,ND"], "km": 5}, ".near", "must be a place"),
        ({"near": "Nowhere, ND", "km": 5}, ".near", "there is no place 'Nowhere, ND'"),
        ({"near": "Cass County, ND", "km": 5}, ".near", "must be a town or a ZIP code; Cass County, ND is a county"),
        ({"near": "US", "km": 5}, ".near", "must be a town or a ZIP code"),
        ({"near": "Perry Township, OH", "km": 5}, ".near", "'Perry Township, OH' may be 'Perry Township, Allen County"),
        ("Perry Township, OH", "", "'Perry Township, OH' may be 'Perry Township, Allen County, OH'"),
    ],
)
def test_a_circle_that_cannot_be_drawn_is_refused_where_it_stands(
    written: RawValue, path: str, message: str, gazetteer: Gazetteer
) -> None:
    ((where, said),) = faults({"places": ["MN", written]}, gazetteer).items()
    assert where == f".places[1]{path}"
    assert said.startswith(message)


def test_a_county_tells_twins_apart(gazetteer: Gazetteer) -> None:
    targeting = built({"places": ["Perry Township, Allen County, OH"]}, gazetteer)
    (place,) = targeting.places
    assert gazetteer.get(place).chain[1] == "us-oh-allen-county"  # type: ignore[union-attr]  # it was just found
