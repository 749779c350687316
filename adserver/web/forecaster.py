"""Says what a draft would get: lays it over what is live, publishes nothing, and asks past traffic of both."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Final

from adserver.catalog.build import build_catalog
from adserver.catalog.build_targeting import PlaceFinder
from adserver.catalog.documents import Documents, objects
from adserver.catalog.merging import Extent, Within, id_text, refuse_taken, trial_documents
from adserver.catalog.publish import Publisher
from adserver.decision.coming_traffic import PastTraffic
from adserver.decision.forecasting import SAMPLES, Outlook, forecast
from adserver.decision.snapshot import Snapshot
from adserver.domain.ids import FlightId
from adserver.web.serving import CatalogSource, DeliveredSource

SEED: Final = 1


@dataclass(frozen=True, slots=True)
class Forecast:
    """What each flight of a draft would get. Immutable."""

    outlooks: tuple[Outlook, ...]
    owners: dict[FlightId, tuple[str, str]]
    """Advertiser and campaign of each flight that something may be taken from."""
    traffic: PastTraffic
    seed: int

    def to_json(self, sees: Callable[[str], bool]) -> dict[str, object]:
        """Return the forecast as the API gives it; flights of advertisers that the caller does not see are summed."""
        hours = self.traffic.hours
        return {
            "flights": [self._outlook(each, sees) for each in self.outlooks],
            "basis": {
                "from": min(hours).isoformat() if hours else None,
                "to": max(hours).isoformat() if hours else None,
                "decisions": self.traffic.decisions,
                "seen": round(self.traffic.seen, 4),
                "samples": SAMPLES,
                "seed": self.seed,
            },
        }

    def _outlook(self, each: Outlook, sees: Callable[[str], bool]) -> dict[str, object]:
        named: dict[tuple[str, str], float] = {}
        hidden = empty = 0.0
        for flight, impressions in each.takes_from.items():
            owner = self.owners.get(flight) if flight is not None else None
            if owner is None:
                empty += impressions
            elif sees(owner[0]):
                named[owner[1], str(flight)] = impressions
            else:
                hidden += impressions
        return {
            "campaign": each.flight.campaign.id,
            "flight": each.flight.flight.id,
            "starts": each.starts.isoformat(),
            "ends": each.ends.isoformat(),
            "matching": round(each.matching),
            "impressions": {"likely": round(each.impressions), "low": round(each.low), "high": round(each.high)},
            "goal": each.flight.goal,
            "takes_from": [
                {"campaign": campaign, "flight": flight, "impressions": round(count)}
                for (campaign, flight), count in sorted(named.items(), key=lambda one: -one[1])
            ],
            "takes_from_others": round(hidden),
            "takes_empty": round(empty),
        }


class Forecaster:
    """Forecasts drafts. Shared by all threads."""

    def __init__(
        self,
        *,
        publisher: Publisher,
        gazetteer: PlaceFinder,
        catalog: CatalogSource,
        delivered: DeliveredSource,
        traffic: Callable[[], PastTraffic],
        clock: Callable[[], datetime],
    ) -> None:
        """Take what is live, what was delivered, and what pages asked lately."""
        self._publisher = publisher
        self._gazetteer = gazetteer
        self._catalog = catalog
        self._delivered = delivered
        self._traffic = traffic
        self._clock = clock

    def forecast(self, draft: Documents, seed: int = SEED, within: Within = None) -> Forecast:
        """Return what the flights of a draft would get, were it published now by one who speaks for `within`.

        Raises:
            InputRefused, IdTaken: it could not be published.
            StoreUnavailable, RevisionUnreadable: what is live, or was asked lately, cannot be read.
        """
        live = self._publisher.live()
        refuse_taken(live.documents, draft, Extent.NAMED, within)
        catalog = build_catalog(trial_documents(live.documents, draft, Extent.NAMED), self._gazetteer)
        drafted, present = Snapshot.build(catalog, live.revision + 1), self._catalog.current()
        flights = [
            FlightId(id_text(flight))
            for content in draft.campaign_files.values()
            for campaign in objects(content, "campaigns")
            for flight in objects(campaign, "flights")
        ]
        traffic, delivered, now = self._traffic(), self._delivered.current(), self._clock()
        outlooks = tuple(
            forecast(flight, drafted, present, traffic, delivered, now, Random(seed))  # noqa: S311 - no secret
            for flight in flights
        )
        owners = {}
        for flight in {loser for each in outlooks for loser in each.takes_from if loser is not None}:
            found = present.flight(flight) if present is not None else None
            if found is not None:
                owners[flight] = (str(found.advertiser.id), str(found.campaign.id))
        return Forecast(outlooks, owners, traffic, seed)
