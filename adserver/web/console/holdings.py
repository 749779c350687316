"""What is live, as far as it exists for who has signed in: campaigns with their state and delivery."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from adserver.catalog.progress import Progress, campaign_progress, flight_progress
from adserver.catalog.publish import Publisher
from adserver.catalog.state import CampaignState, campaign_state, flight_state
from adserver.domain.catalog import Advertiser, Campaign, Catalog, Flight
from adserver.domain.ids import FlightId
from adserver.web.auth import Principal
from adserver.web.management import Delivered
from adserver.web.store_gate import StoreGate


@dataclass(frozen=True, slots=True)
class FlightHolding:
    """A flight, and what it comes to just now. Immutable."""

    flight: Flight
    state: CampaignState
    progress: Progress
    first: date
    last: date | None
    """In the campaign's zone, as the next; None: open."""
    today: date

    @property
    def days_left(self) -> int | None:
        """Days after today on which it runs; None: open."""
        return None if self.last is None else (self.last - self.today).days


@dataclass(frozen=True, slots=True)
class Holding:
    """A campaign, and what it comes to just now. Immutable."""

    campaign: Campaign
    advertiser: Advertiser
    state: CampaignState
    progress: Progress
    flights: tuple[FlightHolding, ...]
    today: date
    """In its own zone."""

    @property
    def ends(self) -> date | None:
        """The last day on which a flight of it runs; None: open."""
        last = [flight.last for flight in self.flights]
        return None if None in last or not last else max(day for day in last if day is not None)


@dataclass(frozen=True, slots=True)
class Holdings:
    """All that exists for a caller, at one revision and moment. Immutable."""

    revision: int
    catalog: Catalog
    """Whole: also what is others'."""
    campaigns: tuple[Holding, ...]
    delivered: Mapping[FlightId, int]
    """Of the campaigns' flights."""
    now: datetime

    def find(self, campaign: str) -> Holding | None:
        """Return the campaign of an id, or None where it does not exist for the caller."""
        return next((one for one in self.campaigns if one.campaign.id == campaign), None)


class HoldingsReader:
    """Reads holdings. Immutable, shared by all threads, as its parts are."""

    def __init__(
        self, publisher: Publisher, delivered: Delivered, clock: Callable[[], datetime], gate: StoreGate
    ) -> None:
        """Take what is live, what is delivered, the present (aware UTC), and how many may be with the store at once."""
        self._publisher = publisher
        self._delivered = delivered
        self._clock = clock
        self._gate = gate

    def read(self, caller: Principal) -> Holdings:
        """Return what exists for a caller.

        Raises:
            StoreUnavailable: the store does not answer.
            RevisionUnreadable: a newer version published what is live.
        """
        with self._gate.entered():
            live = self._publisher.live()
            catalog = self._publisher.catalog(live)
            campaigns = [one for one in catalog.campaigns if caller.sees(one.advertiser)]
            flights = [flight.id for campaign in campaigns for flight in campaign.flights]
            delivered = self._delivered(flights) if flights else {}
        now = self._clock()
        return Holdings(live.revision, catalog, tuple(_holdings(catalog, campaigns, delivered, now)), delivered, now)


def _holdings(
    catalog: Catalog, campaigns: Sequence[Campaign], delivered: Mapping[FlightId, int], now: datetime
) -> Iterator[Holding]:
    advertisers = {one.id: one for one in catalog.advertisers}
    for campaign in campaigns:
        today = now.astimezone(ZoneInfo(campaign.timezone)).date()
        yield Holding(
            campaign,
            advertisers[campaign.advertiser],
            campaign_state(campaign, delivered, now),
            campaign_progress(campaign, delivered, now),
            tuple(_flight(campaign, flight, delivered.get(flight.id, 0), now, today) for flight in campaign.flights),
            today,
        )


def _flight(campaign: Campaign, flight: Flight, delivered: int, now: datetime, today: date) -> FlightHolding:
    return FlightHolding(
        flight,
        flight_state(campaign, flight, delivered, now),
        flight_progress(campaign, flight, delivered, now),
        flight.starts or campaign.starts,
        flight.ends or campaign.ends,
        today,
    )
