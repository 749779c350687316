"""A flight with all that its campaign says of it, worked out once."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from adserver.decision.regulation import Rules
from adserver.domain.catalog import Advertiser, Campaign, Creative, Flight, Status, Tier

NEVER: Final = datetime.max.replace(tzinfo=UTC)
"""The end of what has none."""
ALWAYS: Final = datetime.min.replace(tzinfo=UTC)
"""The start of what began before any instant that can be written."""


@dataclass(frozen=True, slots=True, eq=False)
class CompiledFlight:
    """A flight, whose it is, and when it runs. Immutable, shared by all threads, equal to itself only."""

    flight: Flight
    campaign: Campaign
    """As a decision names it; without its creatives and flights where it comes from a snapshot."""
    advertiser: Advertiser
    creatives: tuple[tuple[Creative, int], ...]
    """Each creative with its weight."""
    starts: datetime
    """Aware UTC, inclusive: local midnight of the first day."""
    ends: datetime
    """Aware UTC, exclusive: local midnight after the last day; `NEVER` if open."""
    part: int
    """Of the draw: percent for a sponsorship, else a weight among equals."""
    goal: int | None
    """Net impressions."""
    labels: frozenset[str]
    """All that `exclude` can name it by: its advertiser's id, categories and `competes_with` labels."""
    rules: Rules = ()
    """Those that its advertiser is under."""

    @property
    def paused(self) -> bool:
        """Whether it is paused, by itself or with its campaign."""
        return Status.PAUSED in (self.flight.status, self.campaign.status)


class FlightCompiler:
    """Compiles flights; remembers the instants of days, which many share. For one thread."""

    def __init__(self) -> None:
        self._midnights: dict[tuple[date, str, int], datetime] = {}

    def compile(self, flight: Flight, campaign: Campaign, advertiser: Advertiser, rules: Rules = ()) -> CompiledFlight:
        """Return a flight with its instants and creatives worked out.

        Raises:
            ValueError: if no draw could ever be held over it: no creative, a weight below 1, a share outside 1 to 100.
            KeyError: if it names a creative that its campaign lacks.
        """
        by_id = {creative.id: creative for creative in campaign.creatives}
        creatives = tuple((by_id[entry.creative], entry.weight) for entry in flight.creatives)
        if not creatives or flight.weight < 1 or any(weight < 1 for _, weight in creatives):
            raise ValueError(f"flight {flight.id}: it has no creative, or a weight below 1")
        if not 1 <= flight.share <= 100:
            raise ValueError(f"flight {flight.id}: a share is 1 to 100 percent, this one is {flight.share}")
        ends = flight.ends or campaign.ends
        return CompiledFlight(
            flight=flight,
            campaign=campaign,
            advertiser=advertiser,
            creatives=creatives,
            starts=self._midnight(flight.starts or campaign.starts, campaign.timezone),
            ends=NEVER if ends is None else self._midnight(ends, campaign.timezone, days_later=1),
            part=flight.share if flight.tier is Tier.SPONSORSHIP else flight.weight,
            goal=flight.goal.impressions if flight.goal else None,
            labels=advertiser.categories | advertiser.competes_with | {advertiser.id},
            rules=rules,
        )

    def _midnight(self, day: date, zone: str, days_later: int = 0) -> datetime:
        key = (day, zone, days_later)
        if key not in self._midnights:
            self._midnights[key] = _midnight(day, ZoneInfo(zone), days_later)
        return self._midnights[key]


def _midnight(day: date, zone: ZoneInfo, days_later: int = 0) -> datetime:
    """Return the instant at which a local day begins, aware UTC.

    Where clocks skip midnight, that is the instant of the skip; where they show it twice, the first: both are what
    `fold=0` means (PEP 495). The calendar's first and last years have no UTC everywhere, so they stand for no limit.
    """
    if day.year == date.min.year:
        return ALWAYS
    if day.year == date.max.year:
        return NEVER
    return datetime.combine(day + timedelta(days=days_later), time.min, zone).astimezone(UTC)
