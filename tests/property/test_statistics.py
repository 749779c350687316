"""Random counts, grouped and filtered in any way that is allowed, equal a plain sum over what was counted."""

import pytest
from counted import COUNTS, DIMENSIONS, ZONES, Counted, brute_force, one_count, world_of
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from adserver.counting.cells import Family
from adserver.statistics.dimensions import Dimension

WORLDS = st.lists(one_count(), max_size=30)


@pytest.mark.parametrize("family", Family)
@given(data=st.data(), counted=WORLDS, zone=ZONES)
def test_any_grouping_equals_a_plain_sum(
    family: Family, data: st.DataObject, counted: list[Counted], zone: str | None
) -> None:
    by = tuple(data.draw(st.lists(st.sampled_from(DIMENSIONS[family]), unique=True, max_size=4)))
    metrics = tuple(data.draw(st.lists(st.sampled_from(COUNTS), unique=True, min_size=1)))
    zone = zone if family is Family.HOURS else None
    asked: dict[str, object] = {"timezone": zone} if zone else {}
    rows = world_of(counted).rows(*metrics, by=by, **asked)
    expected = brute_force(counted, metrics, by, zone)
    assert rows == (expected if by else expected or {(): (0,) * len(metrics)})


@given(data=st.data(), counted=WORLDS)
def test_reasons_and_events_equal_a_plain_sum(data: st.DataObject, counted: list[Counted]) -> None:
    invalid = tuple(
        data.draw(st.lists(st.sampled_from(["event", "reason", "flight", "time:hour"]), unique=True, min_size=1))
    )
    decisions = tuple(data.draw(st.lists(st.sampled_from(["state", "slot", "time:day"]), unique=True)))
    world = world_of(counted)
    assert world.rows("invalid", by=invalid) == brute_force(counted, ("invalid",), invalid, None)
    by = ("reason", *decisions)
    assert world.rows("decisions", by=by) == brute_force(counted, ("decisions",), by, None)


@given(data=st.data(), counted=WORLDS)
def test_filters_keep_what_a_plain_test_keeps(data: st.DataObject, counted: list[Counted]) -> None:
    family = data.draw(st.sampled_from(Family))
    dimension = data.draw(st.sampled_from(DIMENSIONS[family]))
    labels = sorted({one.label(dimension, None) for one in counted} or {"(none)"})
    values = data.draw(st.lists(st.sampled_from(labels), min_size=1, unique=True))
    operator = data.draw(st.sampled_from(["is", "is_not"]))
    kept = [one for one in counted if (one.label(dimension, None) in values) is (operator == "is")]
    total = world_of(counted).total("decisions", filters=[[operator, dimension, values]])
    assert total == sum(one.part_of("decisions") for one in kept)


@pytest.mark.parametrize("dimension", sorted({name for kept in DIMENSIONS.values() for name in kept}))
@settings(max_examples=examples(25))
@given(counted=WORLDS)
def test_the_sum_over_any_dimension_is_the_total(dimension: Dimension, counted: list[Counted]) -> None:
    world = world_of(counted)
    rows = world.rows(*COUNTS, by=(dimension,)).values()
    sums = tuple(map(sum, zip(*rows, strict=True))) or (0,) * len(COUNTS)
    assert sums == world.ask(*COUNTS).rows[0].metrics
