"""Random counts for tests of statistics, and the plain sums that answers must equal."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from statistics_world import CHAINS, NOW, ORDERS, SITES, SLOTS, TOPICS, World

from adserver.counting.cells import CLICKS, FILLS, IMPRESSIONS, VIEWABLE, Metric
from adserver.domain.reasons import EventKind, InvalidReason, NoFillReason
from adserver.domain.variants import Variant
from adserver.statistics.dimensions import Dimension
from adserver.statistics.metrics import Counter, MetricName
from adserver.statistics.plan import KEPT

COUNTS = tuple(MetricName(counter) for counter in Counter)
DIMENSIONS = {family: sorted(kept - {Dimension.EVENT}) for family, kept in KEPT.items()}
ZONES = st.sampled_from([None, "UTC", "Asia/Tokyo", "America/Los_Angeles"])


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
        """Count it."""
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
        """Return its label of a dimension, its time told in a zone or else in its site's."""
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
        """Return what it adds to a metric."""
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
    """Draw a metric with a flight."""
    return st.sampled_from(sorted(ORDERS)).map(lambda flight: (metric, flight))


METRICS = st.one_of(
    st.sampled_from([FILLS, IMPRESSIONS, VIEWABLE, CLICKS]).flatmap(of_fill),
    st.builds(Metric.invalid, st.sampled_from(EventKind), st.sampled_from(InvalidReason)).flatmap(of_fill),
    st.builds(Metric.no_fill, st.sampled_from(NoFillReason)).map(lambda metric: (metric, None)),
)


@st.composite
def one_count(draw: st.DrawFn, days: int = 40) -> Counted:
    """Draw what was counted at some hour of the last days."""
    metric, flight = draw(METRICS)
    return Counted(
        metric,
        draw(st.integers(1, 9)),
        NOW.replace(minute=0, tzinfo=UTC) - timedelta(hours=draw(st.integers(0, 24 * days))),
        flight,
        draw(st.sampled_from(sorted(SLOTS))),
        draw(st.sampled_from([None, *CHAINS])),
        draw(st.sampled_from([None, *TOPICS])),
        draw(st.sampled_from(Variant)),
    )


def world_of(counted: Iterable[Counted]) -> World:
    """Return a publisher with its counts."""
    world = World()
    for one in counted:
        one.into(world)
    return world


def brute_force(
    counted: Iterable[Counted], metrics: tuple[str, ...], by: tuple[str, ...], zone: str | None
) -> dict[tuple[str, ...], tuple[float, ...]]:
    """Return the rows that a query must have."""
    rows: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0] * len(metrics))
    for one in counted:
        parts = [one.part_of(metric) for metric in metrics]
        if any(parts):
            row = rows[tuple(one.label(dimension, zone) for dimension in by)]
            row[:] = [old + new for old, new in zip(row, parts, strict=True)]
    return {key: tuple(row) for key, row in rows.items()}
