"""Whatever was rolled up, every question that is still answered has the answer that it had before."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import redis
from counted import COUNTS, DIMENSIONS, ZONES, Counted, brute_force, one_count, world_of
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from statistics_world import NOW, SITES, SLOTS, World
from stored_cells import put_cells

from adserver.counting.cells import Family
from adserver.keeping.redis_roll_up import RedisRollUp
from adserver.keeping.roll_up import RollUp
from adserver.statistics.errors import QueryRefused
from adserver.statistics.redis_cell_store import RedisCellStore

WORLDS = st.lists(one_count(days=150), min_size=1, max_size=25)
FINER = {Family.HOURS: {"time:hour"}, Family.PLACES: {"time:day", "time:week"}, Family.TOPICS: set[str]()}
DAYS = st.integers(0, 150).map(lambda days: NOW.date() - timedelta(days=days))


def rolled(client: redis.Redis, counted: list[Counted], days: int) -> World:
    """Return a world whose counts stand in Redis, the old ones moved."""
    client.flushall()
    world = world_of(counted)
    put_cells(client, world.memory.cells)
    roll_up(client, world, days).run(NOW.timestamp())
    world.store = RedisCellStore(client)
    return world


def roll_up(client: redis.Redis, world: World, days: int) -> RollUp:
    return RollUp(RedisRollUp(client), lambda: world.names, days)


def answer(ask: Callable[[], dict[tuple[str, ...], tuple[float, ...]]]) -> object:
    try:
        return ask()
    except QueryRefused as refused:
        return refused.faults


def within(one: Counted, first: date, last: date, zone: str | None) -> bool:
    day = one.at.astimezone(ZoneInfo(zone or SITES[SLOTS[one.slot]])).date()
    return first <= day <= last


@settings(max_examples=examples(60))
@given(data=st.data(), counted=WORLDS, days=st.integers(9, 60))
def test_whole_months_and_site_days_are_answered_as_before(
    valkey_client: redis.Redis, data: st.DataObject, counted: list[Counted], days: int
) -> None:
    family = data.draw(st.sampled_from(Family))
    coarse = [dimension for dimension in DIMENSIONS[family] if dimension not in FINER[family]]
    by = tuple(data.draw(st.lists(st.sampled_from(coarse), unique=True, max_size=4)))
    metrics = tuple(data.draw(st.lists(st.sampled_from(COUNTS), unique=True, min_size=1)))
    rows = rolled(valkey_client, counted, days).rows(*metrics, by=by)
    expected = brute_force(counted, metrics, by, None)
    assert rows == (expected if by else expected or {(): (0,) * len(metrics)})


@settings(max_examples=examples(100))
@given(data=st.data(), counted=WORLDS, days=st.integers(9, 60), zone=ZONES, first=DAYS, last=DAYS)
def test_any_question_is_answered_as_before_or_refused_because_of_what_is_old(
    valkey_client: redis.Redis,
    data: st.DataObject,
    counted: list[Counted],
    days: int,
    zone: str | None,
    first: date,
    last: date,
) -> None:
    family = data.draw(st.sampled_from(Family))
    zone = zone if family is Family.HOURS else None
    by = tuple(data.draw(st.lists(st.sampled_from(DIMENSIONS[family]), unique=True, max_size=3)))
    first, last = min(first, last), max(first, last)
    asked = {"date_range": [first.isoformat(), last.isoformat()]} | ({"timezone": zone} if zone else {})
    world = rolled(valkey_client, counted, days)
    old = [one for one in counted if one.at.date() < NOW.date() - timedelta(days=days - 1)]
    rows = answer(partial(world.rows, "decisions", "invalid", "gross", by=by, **asked))
    expected = brute_force(
        [one for one in counted if within(one, first, last, zone)], ("decisions", "invalid", "gross"), by, zone
    )
    if isinstance(rows, tuple):
        near = [one for one in old if within(one, first - timedelta(days=31), last + timedelta(days=31), zone)]
        assert near
        assert zone or FINER[family] & set(by) or family is Family.PLACES
    else:
        assert rows == (expected if by else expected or {(): (0, 0, 0)})


@settings(max_examples=examples(30))
@given(counted=WORLDS, days=st.integers(9, 60), zone=ZONES)
def test_a_refusal_names_the_day_from_which_on_it_would_be_answered(
    valkey_client: redis.Redis, counted: list[Counted], days: int, zone: str | None
) -> None:
    world = rolled(valkey_client, counted, days)
    for by in (("time:hour",), ("place", "time:day")):
        zoned = {"timezone": zone} if zone and by == ("time:hour",) else {}
        faults = answer(partial(world.rows, "decisions", by=by, **zoned))
        if isinstance(faults, tuple):
            since = date.fromisoformat(faults[0].message.partition(" from ")[2][:10])
            assert since <= NOW.date() - timedelta(days=days) + timedelta(days=1 if zoned else 0)
            kept = [one for one in counted if within(one, since, NOW.date(), zoned.get("timezone"))]
            rows = world.rows("decisions", by=by, **zoned, date_range=[since.isoformat(), NOW.date().isoformat()])
            assert rows == brute_force(kept, ("decisions",), by, zoned.get("timezone"))


@settings(max_examples=examples(12))
@given(data=st.data(), counted=WORLDS, days=st.integers(9, 60))
def test_a_roll_up_that_is_run_again_or_broken_off_changes_no_sum(
    valkey_client: redis.Redis, data: st.DataObject, counted: list[Counted], days: int
) -> None:
    def sums() -> object:
        return [world.rows(*COUNTS, by=by) for by in (("time:day", "flight", "variant"), ("place", "time:month"))]

    valkey_client.flushall()
    world = world_of(counted)
    before = sums()
    put_cells(valkey_client, world.memory.cells)
    world.store = RedisCellStore(valkey_client)
    assert sums() == before
    while True:  # broken off after each move
        moves = roll_up(valkey_client, world, days)
        moved = RedisRollUp(valkey_client)
        step = next(filter(None, moves._due(int(NOW.timestamp()) // 86_400 - days)), None)
        if step is None:
            break
        assert isinstance(step, tuple)
        some = step[: data.draw(st.integers(1, len(step)))]
        assert moved.move(some) == len(some)
        assert moved.move(some) == 0
        assert sums() == before
    assert roll_up(valkey_client, world, days).run(NOW.timestamp()) == 0
