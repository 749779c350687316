"""All that alerts are found from, at one moment. Values only."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime

from adserver.alerts.marks import Mark
from adserver.counting.losses import NO_LOSSES, Losses
from adserver.decision.plan import PacedFlight
from adserver.domain.ids import AdvertiserId, CampaignId, FlightId, SlotId
from adserver.keeping.cached_embeds_file import NO_CACHED_EMBEDS, CachedEmbeds


@dataclass(frozen=True, slots=True)
class WatchedFlight:
    """A flight as alerts look at it: one that is not paused, nor its campaign. Immutable."""

    id: FlightId
    campaign: CampaignId
    campaign_name: str
    advertiser: AdvertiserId
    timezone: str
    """The campaign's, as IANA names it."""
    first_day: date
    """In that zone."""
    last_day: date | None
    """In that zone, inclusive; None: open."""
    plan: PacedFlight | None = None
    """Its goal, and when how much of it is due; None: it has none."""


@dataclass(frozen=True, slots=True)
class OverSold:
    """Sponsorships of a slot that want more than all of the same pages. Immutable."""

    slot: SlotId
    first: date
    last: date
    """Days of the slot's site, both within."""
    shares: tuple[tuple[FlightId, AdvertiserId, int], ...]
    """Each flight, whose it is, and its share in percent."""
    where: str = ""
    """Which pages, in words such as `about Minnesota`; empty: any."""

    @property
    def percent(self) -> int:
        """What the shares add up to."""
        return sum(share for _, _, share in self.shares)


@dataclass(frozen=True, slots=True)
class Scene:
    """How all of it stands. Immutable."""

    now: datetime
    """Aware UTC."""
    flights: Sequence[WatchedFlight] = ()
    delivered: Mapping[FlightId, int] = field(default_factory=dict)
    """Net impressions of flights that have a goal; of one that is missing it is not known."""
    marks: Mapping[FlightId, Mark] = field(default_factory=dict)
    """What each had some hours ago; one that is missing was not watched long enough to have a speed."""
    over_sold: Sequence[OverSold] = ()
    embeds: CachedEmbeds = NO_CACHED_EMBEDS
    gaps: int = 0
    """Ranges of events that are missing."""
    lost_lately: Losses = NO_LOSSES
    """What was lost in the last day; its gaps are not looked at."""
    held: AbstractSet[str] = frozenset()
    """Ids of the alerts that are on: they end a little later than they would begin."""
