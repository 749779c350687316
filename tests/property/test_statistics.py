"""Random counts, grouped and filtered in any way that is allowed, equal a plain sum over what was counted."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from statistics_world import CHAINS, NOW, ORDERS, SITES, SLOTS, TOPICS, World

from adserver.counting.cells import CLICKS, FILLS, IMPRESSIONS, VIEWABLE, Family, Metric
from adserver.domain.reasons import EventKind, InvalidReason, NoFillReason
from adserver.domain.variants import Variant
from adserver.statistics.dimensions import Dimension
from adserver.statistics.metrics import Counter, MetricName
from adserver.statistics.plan import KEPT

COUNTS = tuple(MetricName(counter) for counter in Counter)
DIMENSIONS = {family: sorted(kept - {Dimension.EVENT}) for family, kept in KEPT.items()}


@dataclass(frozen=True)
class Counted:
    """One call of `World.count`, and what the oracle makes of it."""

    metric: Metric
    number: int
    at: datetime
    flight: str | None
    slot: str
    place: str | None
    topic: str | None
    variant: Variant

    def into(self, world: World) -> None:
        world.count(
            self.metric,
            self.number,
            at=self.at,
            flight=self.flight,
            slot=self.slot,
            place=self.place,
            topic=self.topic,
            variant=self.variant,
        )

    def label(self, dimension: str, zone: str | None) -> str:
        local = self.at.astimezone(ZoneInfo(zone or SITES[SLOTS[self.slot]]))
        chain = CHAINS.get(self.place or "", ())
        campaign, advertiser = ORDERS[self.flight] if self.flight else ("(none)", "(none)")
        parts = self.metric.invalid_parts
        no_fill = self.metric.no_fill_reason
        return {
            "advertiser": advertiser,
            "campaign": campaign,
            "flight": self.flight or "(none)",
            "creative": "elevate" if self.flight else "(none)",
            "variant": str(self.variant) if self.flight else "(none)",
            "slot": self.slot,
            "site": SLOTS[self.slot],
            "place": self.place or "(unknown)",
            "county": next((id_ for id_ in chain if "county" in id_), "(none)") if chain else "(unknown)",
            "state": next((id_ for id_ in chain if id_ == "us-mn"), "(none)") if chain else "(unknown)",
            "country": "us" if chain else "(unknown)",
            "topic": self.topic or "(none)",
            "event": str(parts[0]) if parts else "",
            "reason": str(parts[1]) if parts else str(no_fill or "(fill)"),
            "time:hour": f"{local:%Y-%m-%d %H}:00:00",
            "time:day": f"{local:%Y-%m-%d}",
            "time:week": f"{local - timedelta(days=local.weekday()):%Y-%m-%d}",
            "time:month": f"{local:%Y-%m}-01",
        }[dimension]

    def part_of(self, metric: str) -> int:
        parts, no_fill, code = self.metric.invalid_parts, self.metric.no_fill_reason, self.metric.code
        holds = {
            "decisions": self.metric == FILLS or no_fill is not None,
            "fills": code == 0,
            "impressions": code == 1,
            "viewable": code == 2,
            "clicks": code == 3,
            "invalid": parts is not None,
            "gross": code == 1 or (parts is not None and parts[0] == "seen" and parts[1] != "prefetch"),
        }
        return self.number if holds[metric] else 0


def of_fill(metric: Metric) -> st.SearchStrategy[tuple[Metric, str | None]]:
    return st.sampled_from(sorted(ORDERS)).map(lambda flight: (metric, flight))


METRICS = st.one_of(
    st.sampled_from([FILLS, IMPRESSIONS, VIEWABLE, CLICKS]).flatmap(of_fill),
    st.builds(Metric.invalid, st.sampled_from(EventKind), st.sampled_from(InvalidReason)).flatmap(of_fill),
    st.builds(Metric.no_fill, st.sampled_from(NoFillReason)).map(lambda metric: (metric, None)),
)
MOMENTS = st.integers(0, 24 * 40).map(lambda hours: NOW.replace(minute=0, tzinfo=UTC) - timedelta(hours=hours))


@st.composite
def one_count(draw: st.DrawFn) -> Counted:
    metric, flight = draw(METRICS)
    return Counted(
        metric,
        draw(st.integers(1, 9)),
        draw(MOMENTS),
        flight,
        draw(st.sampled_from(sorted(SLOTS))),
        draw(st.sampled_from([None, *CHAINS])),
        draw(st.sampled_from([None, *TOPICS])),
        draw(st.sampled_from(Variant)),
    )


WORLDS = st.lists(one_count(), max_size=30)
ZONES = st.sampled_from([None, "UTC", "Asia/Tokyo", "America/Los_Angeles"])


def world_of(counted: Iterable[Counted]) -> World:
    world = World()
    for one in counted:
        one.into(world)
    return world


def brute_force(
    counted: Iterable[Counted], metrics: tuple[str, ...], by: tuple[str, ...], zone: str | None
) -> dict[tuple[str, ...], tuple[float, ...]]:
    rows: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0] * len(metrics))
    for one in counted:
        parts = [one.part_of(metric) for metric in metrics]
        if any(parts):
            row = rows[tuple(one.label(dimension, zone) for dimension in by)]
            row[:] = [old + new for old, new in zip(row, parts, strict=True)]
    return {key: tuple(row) for key, row in rows.items()}


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
