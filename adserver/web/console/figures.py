"""The few numbers that pages show beside what runs: of today, of a campaign's last days, of its flights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from adserver.domain.catalog import Campaign
from adserver.domain.errors import StoreUnavailable
from adserver.statistics.dimensions import Dimension
from adserver.statistics.errors import QueryRefused
from adserver.statistics.filters import Match, Operator
from adserver.statistics.metrics import MetricName
from adserver.statistics.query import Days, Period, Query
from adserver.statistics.service import Number, Result, StatisticsService
from adserver.web.auth import Principal
from adserver.web.console.charts import Chart, make_chart
from adserver.web.console.words import grouped, short_day
from adserver.web.store_gate import StoreGate

LAST_DAYS: Final = 14

_UTC: Final = ZoneInfo("UTC")
_OF_ALL: Final = (
    MetricName.DECISIONS,
    MetricName.FILLS,
    MetricName.IMPRESSIONS,
    MetricName.VIEWABLE,
    MetricName.CLICKS,
)
_OF_FILLS: Final = _OF_ALL[1:]
"""What a token that is bound to advertisers can ask: no fills are nobody's."""
_OF_FLIGHTS: Final = (MetricName.IMPRESSIONS, MetricName.VIEWABLE, MetricName.CLICKS)


@dataclass(frozen=True, slots=True)
class DayFigures:
    """What was counted on one day. Immutable."""

    decisions: int = 0
    fills: int = 0
    impressions: int = 0
    viewable: int = 0
    clicks: int = 0

    @property
    def fill_rate(self) -> float:
        """Fills of decisions, 0 to 1."""
        return self.fills / self.decisions if self.decisions else 0.0

    @property
    def ctr(self) -> float:
        """Clicks of impressions, 0 to 1."""
        return self.clicks / self.impressions if self.impressions else 0.0


@dataclass(frozen=True, slots=True)
class LastDays:
    """Today, yesterday, and a chart of the days up to today. Immutable."""

    today: DayFigures
    yesterday: DayFigures
    zone: str
    """Whose days they are; empty where each site has its own."""
    chart: Chart
    """Impressions by day."""
    warnings: tuple[str, ...]
    """What the numbers lack."""


class FiguresReader:
    """Reads them. Immutable, shared by all threads, as its parts are."""

    def __init__(self, statistics: StatisticsService, gate: StoreGate) -> None:
        """Take what answers queries, and how many may be with the store at once."""
        self._statistics = statistics
        self._gate = gate

    def last_days(self, caller: Principal, now: datetime) -> LastDays | None:
        """Return the figures of today and before, of what exists for a caller; None: they cannot be read now."""
        metrics = _OF_FILLS if caller.is_bound else _OF_ALL
        # A day more than is shown: where sites have zones of their own, today is not the same day everywhere.
        day = now.date()
        days = Days(day - timedelta(days=LAST_DAYS), day + timedelta(days=1))
        result = self._run(Query(metrics, days, (Dimension.DAY,)), caller)
        if result is None:
            return None
        zone = result.zone or _UTC
        today = now.astimezone(zone).date()
        by_day = {date.fromisoformat(row.dimensions[0]): _day(metrics, row.metrics) for row in result.rows}
        return LastDays(
            by_day.get(today, DayFigures()),
            by_day.get(today - timedelta(days=1), DayFigures()),
            result.zone.key if result.zone else "",
            _chart({each: figures.impressions for each, figures in by_day.items()}, today),
            result.standing.warnings(),
        )

    def campaign_days(self, caller: Principal, campaign: Campaign, today: date) -> Chart | None:
        """Return a campaign's impressions by day of its zone, up to today; None: they cannot be read now."""
        query = Query(
            (MetricName.IMPRESSIONS,),
            Days(today - timedelta(days=LAST_DAYS - 1), today),
            (Dimension.DAY,),
            (Match(Operator.IS, Dimension.CAMPAIGN, (campaign.id,)),),
            timezone=ZoneInfo(campaign.timezone),
        )
        result = self._run(query, caller)
        if result is None:
            return None
        return _chart({date.fromisoformat(row.dimensions[0]): int(row.metrics[0]) for row in result.rows}, today)

    def campaign_flights(self, caller: Principal, campaign: Campaign) -> Mapping[str, DayFigures] | None:
        """Return what was counted of each flight of a campaign, ever; None: it cannot be read now."""
        named = (Match(Operator.IS, Dimension.CAMPAIGN, (campaign.id,)),)
        result = self._run(Query(_OF_FLIGHTS, Period.ALL, (Dimension.FLIGHT,), named), caller)
        if result is None:
            return None
        return {row.dimensions[0]: _day(_OF_FLIGHTS, row.metrics) for row in result.rows}

    def _run(self, query: Query, caller: Principal) -> Result | None:
        asked = query if caller.advertisers is None else query.within(caller.advertisers)
        try:
            with self._gate.entered():
                return self._statistics.run(asked)
        except (StoreUnavailable, QueryRefused):  # refused: days so old are kept no more by this zone's hours
            return None


def _day(metrics: Sequence[MetricName], values: Sequence[Number]) -> DayFigures:
    return DayFigures(**{metric.value: int(value) for metric, value in zip(metrics, values, strict=True)})


def _chart(by_day: Mapping[date, int], today: date) -> Chart:
    days = [today - timedelta(days=number) for number in reversed(range(LAST_DAYS))]
    return make_chart([(short_day(day), by_day.get(day, 0), grouped(by_day.get(day, 0))) for day in days])
