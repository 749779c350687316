"""Which circles a town lies in."""

from dataclasses import replace
from random import Random

import pytest

from adserver.domain.ids import PlaceId
from adserver.domain.places import Circle, PlaceLevel
from adserver.places.circles import CircleIndex, lies_in
from adserver.places.gazetteer import Gazetteer


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer.load()


def around(gazetteer: Gazetteer, town: str, kilometres: float) -> Circle:
    centre = gazetteer.find(town)
    return Circle(centre.id, centre.latitude, centre.longitude, kilometres)


@pytest.mark.parametrize(
    ("place", "kilometres", "inside"),
    [
        ("Moorhead, MN", 7, True),  # over the river, in another state
        ("Wahpeton, ND", 60, False),
        ("Wahpeton, ND", 80, True),
        ("Fargo, ND", 0.01, True),
        ("58103", 60, True),
        ("Cass County, ND", 500, False),  # a page about all of the county
        ("ND", 500, False),
    ],
)
def test_a_circle_holds_towns_and_zips_by_their_middle(
    gazetteer: Gazetteer, place: str, kilometres: float, inside: bool
) -> None:
    assert lies_in(gazetteer.find(place), around(gazetteer, "Fargo, ND", kilometres)) is inside


def test_a_circle_reaches_over_the_date_line(gazetteer: Gazetteer) -> None:
    adak = gazetteer.find("Adak, AK")
    across = Circle(adak.id, adak.latitude, adak.longitude - 1 + 360, 100)
    assert lies_in(adak, across)
    assert not lies_in(adak, replace(across, kilometres=50))


def test_the_index_finds_the_very_circles_that_measuring_all_finds(gazetteer: Gazetteer) -> None:
    chance = Random(1)
    omaha = gazetteer.find("Omaha, NE")
    ids = sorted(
        PlaceId(id_)
        for _, (id_, level, _, _, latitude, longitude) in gazetteer._places
        if level in {PlaceLevel.TOWN, PlaceLevel.ZIP}
        and abs(float(latitude) - omaha.latitude) < 5
        and abs(float(longitude) - omaha.longitude) < 7
    )
    centres = [place for id_ in chance.sample(ids, 200) if (place := gazetteer.get(id_)) is not None]
    circles = [Circle(one.id, one.latitude, one.longitude, chance.choice((1, 30, 100, 400))) for one in centres]
    index = CircleIndex(circles)
    for id_ in chance.sample(ids, 100):
        place = gazetteer.get(id_)
        assert place is not None
        measured = {at for at, circle in enumerate(circles) if lies_in(place, circle)}
        assert set(index.around(place)) == measured
        assert measured


def test_without_circles_nothing_is_around(gazetteer: Gazetteer) -> None:
    assert list(CircleIndex(()).around(gazetteer.find("Fargo, ND"))) == []
