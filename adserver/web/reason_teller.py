"""Tells why a flight did not win: over the live catalog, sampled reasons and the gazetteer."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from adserver.catalog.moments import NothingLive
from adserver.statistics.reason_store import SampledReasons
from adserver.statistics.reasons import Asked, FlightReasons, Places, why
from adserver.web.parameters import PlaceResolver
from adserver.web.serving import CatalogSource


class KnownPlaces(PlaceResolver, Places, Protocol):
    """What pages write, and what cells hold, as places."""


class ReasonTeller:
    """Answers of flights. Shared by all threads; holds nothing but what it is given."""

    def __init__(
        self, catalog: CatalogSource, store: SampledReasons, places: KnownPlaces, clock: Callable[[], datetime]
    ) -> None:
        """Take what is live, what was found, what places are, and aware UTC now."""
        self._catalog = catalog
        self._store = store
        self.places = places
        self._clock = clock

    def tell(self, asked: Asked, sees: Callable[[str], bool] = lambda _: True) -> FlightReasons | None:
        """Return what became of a flight, or None where none of that id is live of an advertiser that the caller sees.

        Raises:
            NothingLive: nothing was published yet.
            ParameterRefused, StoreUnavailable: see `why`.
        """
        snapshot = self._catalog.current()
        if snapshot is None:
            raise NothingLive("nothing is published yet; publish the slots and campaigns first (adserver push)")
        flight = snapshot.flight(asked.flight)
        if flight is None or not sees(flight.advertiser.id):
            return None
        return why(asked, flight, snapshot, self._store, self.places, self._clock())
