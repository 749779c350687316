import pytest
from statistics_world import World

from adserver.counting.cells import IMPRESSIONS
from adserver.statistics.errors import QueryRefused
from adserver.statistics.rendering import to_csv, to_document


@pytest.fixture
def world() -> World:
    world = World()
    world.reached("minnesota", 23, 100)
    world.reached("minnesota", 24, 50)
    world.reached("iowa", 24, 7)
    return world


def test_reach_is_a_flights_and_a_days(world: World) -> None:
    assert world.rows("reach", by=("flight", "time:day")) == {
        ("minnesota", "2026-11-23"): (100,),
        ("minnesota", "2026-11-24"): (50,),
        ("iowa", "2026-11-24"): (7,),
    }


def test_several_days_are_summed_and_the_answer_says_so(world: World) -> None:
    assert world.rows("reach", by=("flight",)) == {("minnesota",): (150,), ("iowa",): (7,)}
    assert world.total("reach") == 157
    document = to_document(world.ask("reach", by=("flight",)))
    assert isinstance(document["meta"], dict)
    assert "who came on two days" in str(document["meta"]["reach"])
    assert "reach" not in str(to_document(world.ask("clicks"))["meta"])


def test_filters_and_ranges_hold(world: World) -> None:
    assert world.total("reach", filters=[["is", "flight", ["minnesota"]]]) == 150
    assert world.total("reach", filters=[["is_not", "flight", ["minnesota"]]]) == 7
    assert world.total("reach", filters=[["is", "time:day", ["2026-11-23"]]]) == 100
    assert world.total("reach", date_range=["2026-11-24", "2026-11-30"]) == 57
    assert world.total("reach", date_range="day") == 57


def test_it_stands_beside_other_metrics(world: World) -> None:
    world.count(IMPRESSIONS, 300, flight="minnesota")
    world.count(IMPRESSIONS, 9, flight="iowa", slot="masthead")

    assert world.rows("impressions", "reach", by=("flight",)) == {("minnesota",): (300, 150), ("iowa",): (9, 7)}
    assert to_csv(world.ask("reach", by=("flight",))).splitlines() == ["flight,reach", "minnesota,150", "iowa,7"]


def test_its_days_are_the_sites_own(world: World) -> None:
    with pytest.raises(QueryRefused) as refused:
        world.ask("reach", by=("flight",), timezone="Asia/Tokyo")
    assert "`reach` is kept by" in refused.value.faults[0].message
