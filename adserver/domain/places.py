"""A place as the gazetteer knows it."""

from dataclasses import dataclass
from enum import StrEnum

from adserver.domain.ids import PlaceId


class PlaceLevel(StrEnum):
    """How coarse a place is."""

    TOWN = "town"
    ZIP = "zip"
    COUNTY = "county"
    STATE = "state"
    COUNTRY = "country"


@dataclass(frozen=True, slots=True)
class Place:
    """A resolved place with all that contains it. Immutable."""

    id: PlaceId
    """`us-mn-remer`, `us-mn-cass-county`, `us-mn`, `us`, `us-zip-56672`."""
    name: str
    """As people write it: `Remer, MN`."""
    level: PlaceLevel
    chain: tuple[PlaceId, ...]
    """This place, then what contains it, finest first: town, county, state, country."""
    latitude: float
    """Degrees north."""
    longitude: float
    """Degrees east."""

    @property
    def state(self) -> PlaceId | None:
        """The state that it is, or is in; None for the country."""
        return self.chain[-2] if len(self.chain) > 1 else None


@dataclass(frozen=True, slots=True)
class Circle:
    """All towns and ZIPs around one of them: those whose middle is at most so far away. Immutable."""

    centre: PlaceId
    latitude: float
    """Degrees north, of the centre's middle; so the next."""
    longitude: float
    kilometres: float

    def __str__(self) -> str:
        """Return the circle in words."""
        return f"{self.kilometres:.4g} km around {self.centre}"
