"""Values that a query filters by and nobody has: it is answered, with zeros, which look like a quiet day."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from adserver.catalog.names import Names
from adserver.domain.catalog import Catalog
from adserver.domain.ids import PlaceId
from adserver.domain.places import PlaceLevel
from adserver.statistics.dimensions import NONE_LABEL, PLACE_DIMENSIONS, UNKNOWN_LABEL, Dimension
from adserver.statistics.filters import Match, Operator, matches_of
from adserver.statistics.labels import PlaceBook
from adserver.statistics.query import Query
from adserver.statistics.words import nearest

_LEVELS: Final = {
    Dimension.COUNTY: PlaceLevel.COUNTY,
    Dimension.STATE: PlaceLevel.STATE,
    Dimension.COUNTRY: PlaceLevel.COUNTRY,
}


_KNOWN: Final[Mapping[Dimension, Callable[[Names, Catalog], Iterable[str]]]] = {
    Dimension.ADVERTISER: lambda names, catalog: (
        *(parent.advertiser for flight in names.flights.values() for parent in flight.parents),
        *(advertiser.id for advertiser in catalog.advertisers),
    ),
    Dimension.CAMPAIGN: lambda names, catalog: (
        *(parent.campaign for flight in names.flights.values() for parent in flight.parents),
        *(campaign.id for campaign in catalog.campaigns),
    ),
    Dimension.FLIGHT: lambda names, _: (flight.id for flight in names.flights.values()),
    Dimension.CREATIVE: lambda names, _: (creative.id for creative in names.creatives.values()),
    Dimension.SLOT: lambda names, _: (slot.id for slot in names.slots.values()),
    Dimension.SITE: lambda names, _: (
        *(span.words for slot in names.slots.values() for span in slot.spans),
        *names.sites,
    ),
    Dimension.TOPIC: lambda names, _: names.topics.values(),
}
"""The ids that a dimension has or had: those of the store, and of the catalog what no flight bears yet."""


def find_strangers(query: Query, names: Names, catalog: Catalog, places: PlaceBook) -> Iterator[str]:
    """Yield a sentence for each value of `is` and `is_not` that is, and ever was, the id of nothing."""
    for match in matches_of(query.filter):
        if match.operator in (Operator.IS, Operator.IS_NOT):
            yield from _strangers_of(match, names, catalog, places)


def _strangers_of(match: Match, names: Names, catalog: Catalog, places: PlaceBook) -> Iterator[str]:
    values = [value for value in match.values if value not in (NONE_LABEL, UNKNOWN_LABEL)]
    if match.dimension in PLACE_DIMENSIONS:
        for value in values:
            if not _is_place(match.dimension, value, places):
                yield f"no {match.dimension} is called {value}; places go by ids such as us-mn-remer"
        return
    if match.dimension not in _KNOWN:  # `plan` checks its words, or it is a time
        return
    known = frozenset(_KNOWN[match.dimension](names, catalog))
    for value in values:
        if value not in known:
            near = nearest(value, known)
            yield f"no {match.dimension} is called {value}" + (f"; did you mean {near}?" if near else "")


def _is_place(dimension: Dimension, value: str, places: PlaceBook) -> bool:
    place = places.get(PlaceId(value))
    return place is not None and _LEVELS.get(dimension, place.level) is place.level
