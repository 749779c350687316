"""The traffic of past weeks as the cells keep it."""

from datetime import timedelta

from statistics_world import NOW, World

from adserver.counting.cells import FILLS, IMPRESSIONS, Metric
from adserver.domain.ids import PlaceId
from adserver.domain.reasons import NoFillReason
from adserver.statistics.past_traffic import read_past_traffic


def test_decisions_are_read_by_place_topic_and_hour_with_and_without_a_fill() -> None:
    world = World()
    world.count(FILLS, 200, at=NOW - timedelta(hours=30))
    world.count(IMPRESSIONS, 100, at=NOW - timedelta(hours=30))
    world.count(Metric.no_fill(NoFillReason.PLACE), 7, at=NOW - timedelta(hours=2), flight=None, place=None, topic=None)
    world.count(FILLS, 1_000, at=NOW - timedelta(days=60))
    traffic = read_past_traffic(world.service(), world.places.get, NOW)
    assert traffic.seen == 0.5
    assert traffic.decisions == 207
    remer = world.places.get(PlaceId("us-mn-remer"))
    assert traffic.places == {("masthead", remer): 200, ("masthead", None): 7}
    assert traffic.topics == {("masthead", "sports"): 200, ("masthead", None): 7}
    assert len(traffic.hours) == 30
    assert sorted(traffic.hours.values())[-2:] == [7, 200]


def test_where_nothing_was_asked_there_is_no_traffic() -> None:
    world = World()
    traffic = read_past_traffic(world.service(), world.places.get, NOW)
    assert (traffic.decisions, traffic.seen) == (0, 1.0)
