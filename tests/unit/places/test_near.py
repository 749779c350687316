"""Distances on the globe, and the places that lie within one."""

import math

import pytest

from adserver.domain.ids import IdHash, Kind, PlaceId, id_hash
from adserver.domain.places import Place, PlaceLevel
from adserver.places.gazetteer import Gazetteer
from adserver.places.sphere import Nearest, degrees, kilometres, vector


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer.load()


def point(latitude: float, longitude: float) -> Place:
    return Place(PlaceId("us-x"), "X", PlaceLevel.TOWN, (PlaceId("us-x"),), latitude, longitude)


def test_known_distances_come_out() -> None:
    minneapolis, chicago = vector(44.98, -93.27), vector(41.88, -87.63)
    assert kilometres(minneapolis, chicago) == pytest.approx(572, abs=2)
    assert kilometres(vector(0, 179.5), vector(0, -179.5)) == pytest.approx(111.2, abs=0.1)
    assert kilometres(vector(90, 0), vector(-90, 0)) == pytest.approx(math.pi * 6371.0088)


def test_degrees_undo_vectors() -> None:
    assert degrees(vector(47.0569, -93.9126)) == pytest.approx((47.0569, -93.9126))


def test_within_a_radius_lie_the_towns_around_and_no_coarser_place(gazetteer: Gazetteer) -> None:
    near = gazetteer.within(gazetteer.find("Fargo, ND"), 60 * 1.609344)
    assert {"us-nd-fargo", "us-mn-moorhead", "us-nd-wahpeton", "us-mn-detroit-lakes"} <= near
    assert not {"us-mn-remer", "us-nd-bismarck", "us-nd-cass-county", "us-nd"} & near
    assert "us-zip-58103" in near or gazetteer.find("58103").id in near


def test_within_agrees_with_measuring_every_place(gazetteer: Gazetteer) -> None:
    centre = gazetteer.find("Remer, MN")
    measured = {
        place.id
        for offset_fields in gazetteer._places
        if (place := gazetteer._read(PlaceId(offset_fields[1][0])))
        and place.level in {PlaceLevel.TOWN, PlaceLevel.ZIP}
        and kilometres(vector(centre.latitude, centre.longitude), vector(place.latitude, place.longitude)) <= 80
    }
    assert len(measured) > 100
    assert gazetteer.within(centre, 80) == measured


def test_a_radius_of_nothing_is_the_town_itself(gazetteer: Gazetteer) -> None:
    assert gazetteer.within(gazetteer.find("Remer, MN"), 0) == {"us-mn-remer"}
    assert gazetteer.within(gazetteer.find("Remer, MN"), -1) == frozenset()


def test_a_radius_reaches_over_the_date_line(gazetteer: Gazetteer) -> None:
    adak = gazetteer.find("Adak, AK")
    across = point(adak.latitude, adak.longitude - 1 + 360)
    assert adak.id in gazetteer.within(across, 100)
    assert adak.id not in gazetteer.within(across, 50)


@pytest.mark.parametrize("place_id", ["us-mn-remer", "us", "us-wy-yoder", "us-zip-99901", "us-zip-60601", "us-mn"])
def test_a_hash_leads_back_to_its_place(gazetteer: Gazetteer, place_id: str) -> None:
    place = gazetteer.by_hash(id_hash(Kind.PLACE, place_id))
    assert place == gazetteer.get(PlaceId(place_id))


@pytest.mark.parametrize("hash_", [Kind.PLACE.none, Kind.PLACE.unknown, b"", b"1234", b"12345", b"123456"])
def test_a_hash_of_no_place_is_none(gazetteer: Gazetteer, hash_: bytes) -> None:
    assert gazetteer.by_hash(IdHash(hash_)) is None


def test_nearest_agrees_with_measuring_everything() -> None:
    points = {f"{row} {column}": vector(40 + row * 0.7, -100 + column * 1.3) for row in range(9) for column in range(9)}
    nearest = Nearest(points)
    for at in (vector(41, -99), vector(46.2, -88), vector(-30, 100), vector(90, 0)):
        measured = sorted((kilometres(at, place), name) for name, place in points.items())[:3]
        assert [distance for distance, _ in nearest.to(at, 3)] == pytest.approx([distance for distance, _ in measured])
    assert len(nearest.to(vector(41, -99), 100)) == 81
