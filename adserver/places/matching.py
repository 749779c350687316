"""Which places a query means, by the gazetteer's keys."""

from dataclasses import dataclass
from typing import Final

from adserver.domain.ids import PlaceId
from adserver.places.folding import keys
from adserver.places.lines import SortedLines
from adserver.places.query import PlaceQuery, Words

COUNTRY: Final = PlaceId("us")

_COUNTY_WORDS: Final = (
    (),
    ("county",),
    ("parish",),
    ("borough",),
    ("municipio",),
    ("census", "area"),
    ("municipality",),
)
_TOWN_WORDS: Final = ((), ("township",), ("town",))


@dataclass(frozen=True, slots=True)
class Match:
    """What a query means. Immutable."""

    exact: tuple[PlaceId, ...] = ()
    """All places written so: none, the one, or twins."""
    container: PlaceId | None = None
    """Where nothing is written so: the finest place that was understood, if any."""


class Matcher:
    """Looks queries up. Immutable, shared by all threads."""

    def __init__(self, places: SortedLines, names: SortedLines) -> None:
        """Take the gazetteer's lines of places (id, level, name, parent, …) and of keys (key, ids)."""
        self._places = places
        self._names = names

    def match(self, query: PlaceQuery) -> Match:
        """Return the places that a query means."""
        if query.place_id is not None:
            return self._one(query.place_id)
        if query.parts:
            return self._within(query.state, query) if query.state is not None else Match()
        if query.zip is not None:
            return self._zip(query.zip, query.state)
        if query.state is not None:
            return Match((PlaceId(f"us-{query.state}"),))
        return Match((COUNTRY,)) if query.is_country else Match()

    def named(self, state: str, words: Words) -> tuple[PlaceId, ...]:
        """Return the ids of all places of a state that are called so."""
        for name_key in keys(words):
            fields = self._names.find(f"{state}:{name_key}")
            if fields is not None:
                return tuple(PlaceId(id_) for id_ in fields[0].split(" "))
        return ()

    def _one(self, place_id: str) -> Match:
        return Match((PlaceId(place_id),)) if self._places.find(place_id) is not None else Match()

    def _zip(self, code: str, state: str | None) -> Match:
        fields = self._names.find(f"zip:{code}")
        found = Match((PlaceId(fields[0]),)) if fields is not None else self._one(f"us-zip-{code}")
        if state is None:
            return found
        return found if found.exact else Match(container=PlaceId(f"us-{state}"))

    def _within(self, state: str, query: PlaceQuery) -> Match:
        found = self._town(state, query.parts)
        if found.exact or found.container:
            return found
        understood = query.state_is_sure or len(query.parts) > 1
        return Match(container=PlaceId(f"us-{state}") if understood else None)

    def _town(self, state: str, parts: tuple[Words, ...]) -> Match:
        """Look for `town`, for `town, county`, or for what contains the rest, as in `street, town`."""
        if len(parts) == 1:
            return Match(self.named(state, parts[0]))
        county = self._county(state, parts[-1])
        if county is not None:
            wanted = [(*parts[-2], *more) for more in _TOWN_WORDS]
            inside = [id_ for words in wanted for id_ in self.named(state, words) if self._parent(id_) == county]
            if inside:  # a town goes before the township around it
                return Match((inside[0],)) if len(parts) == 2 else Match(container=inside[0])
        last = self.named(state, parts[-1])
        return Match(container=last[0] if len(last) == 1 else county)

    def _county(self, state: str, words: Words) -> PlaceId | None:
        for more in _COUNTY_WORDS:
            for id_ in self.named(state, (*words, *more)):
                if self._parent(id_) == f"us-{state}":
                    return id_
        return None

    def _parent(self, place_id: PlaceId) -> str | None:
        fields = self._places.find(place_id)
        return fields[2] if fields is not None else None
