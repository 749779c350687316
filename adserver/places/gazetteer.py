"""The gazetteer: a place as someone wrote it to town, county, state and country; and what lies near."""

import difflib
import gzip
from functools import lru_cache, reduce
from importlib import resources
from threading import Lock
from typing import Final

from adserver.domain.ids import IdHash, PlaceId
from adserver.domain.places import Place, PlaceLevel
from adserver.places.errors import PlaceAmbiguous, PlaceNotFound
from adserver.places.folding import key
from adserver.places.index import HashIndex, PositionIndex
from adserver.places.lines import SortedLines
from adserver.places.matching import Match, Matcher
from adserver.places.query import parse_place
from adserver.places.states import STATES

HEADER: Final = "adserver gazetteer 1"
"""First line of the data file; the number rises with any change of its form."""

MAX_TEXT_CHARS: Final = 200
"""A longer text names no place."""

_REMEMBERED_TEXTS: Final = 8192
_REMEMBERED_PLACES: Final = 8192
_SUGGESTIONS: Final = 3


class Gazetteer:
    """Knows the places of the United States. Immutable, one a process, shared by all threads.

    Its data is one text searched where it lies. Two bounded memos (thread-safe, in C) keep what was asked before; the
    indexes of hashes and positions are built under a lock when first asked.
    """

    def __init__(self, data: bytes) -> None:
        """Take the data file's text: the header, lines of places, an empty line, lines of keys.

        Raises:
            ValueError: the text is not of this version.
        """
        if not data.startswith(HEADER.encode() + b"\n"):
            raise ValueError(f"the gazetteer's data begins with {data[:40]!r}, not {HEADER!r}; build it anew")
        start = len(HEADER) + 1
        end = data.index(b"\n\n", start) + 1
        self._places = SortedLines(data[start:end])
        self._names = SortedLines(data[end + 1 :])
        self._matcher = Matcher(self._places, self._names)
        self._resolve = lru_cache(_REMEMBERED_TEXTS)(self._resolve_anew)
        self._get = lru_cache(_REMEMBERED_PLACES)(self._read)
        self._lock = Lock()
        self._hashes: HashIndex | None = None
        self._positions: PositionIndex | None = None

    @classmethod
    def load(cls) -> "Gazetteer":
        """Return the gazetteer of the packaged data file."""
        packed = resources.files("adserver.places").joinpath("data", "us.tsv.gz").read_bytes()
        return cls(gzip.decompress(packed))

    def resolve(self, text: str) -> Place | None:
        """Return the place that a page names, or None; never raises, and a repeat is one lookup.

        An unknown town in a known state is that state; of twins, it is what contains them all.
        """
        return self._resolve(text) if len(text) <= MAX_TEXT_CHARS else None

    def find(self, text: str) -> Place:
        """Return the one place that a campaign file names.

        Raises:
            PlaceNotFound: there is none; an unknown town is not taken for its state here.
            PlaceAmbiguous: there are several.
        """
        match = self._match(text)
        if len(match.exact) > 1:
            raise PlaceAmbiguous(text, tuple(place.name for place in self._each(match.exact)))
        place = self.get(match.exact[0]) if match.exact else None
        if place is None:
            raise PlaceNotFound(text, self._near(text))
        return place

    def get(self, place_id: PlaceId) -> Place | None:
        """Return the place with this id, or None."""
        return self._get(place_id)

    def by_hash(self, hash_: IdHash) -> Place | None:
        """Return the place whose id has this hash, or None."""
        with self._lock:
            self._hashes = self._hashes or HashIndex(self._places)
        place_id = self._hashes.find(hash_)
        return None if place_id is None else self.get(place_id)

    def within(self, centre: Place, kilometres: float) -> frozenset[PlaceId]:
        """Return the towns, and ZIPs without a town, whose middle is at most so far from the centre's middle."""
        with self._lock:
            self._positions = self._positions or PositionIndex(self._places)
        return self._positions.within(centre.latitude, centre.longitude, kilometres)

    def _match(self, text: str) -> Match:
        return self._matcher.match(parse_place(text)) if len(text) <= MAX_TEXT_CHARS else Match()

    def _resolve_anew(self, text: str) -> Place | None:
        match = self._match(text)
        if match.exact:
            return self._common(match.exact)
        return None if match.container is None else self.get(match.container)

    def _common(self, place_ids: tuple[PlaceId, ...]) -> Place | None:
        """Return the finest place that is or contains each of these."""
        chains = [place.chain for place in self._each(place_ids)]
        shared = reduce(lambda kept, chain: tuple(id_ for id_ in kept if id_ in chain), chains)
        return self.get(shared[0]) if shared else None

    def _each(self, place_ids: tuple[PlaceId, ...]) -> list[Place]:
        return [place for place in map(self.get, place_ids) if place is not None]

    def _read(self, place_id: PlaceId) -> Place | None:
        fields = self._places.find(place_id)
        if fields is None:
            return None
        level, name, parent_id, latitude, longitude = fields
        parent = self.get(PlaceId(parent_id)) if parent_id else None
        chain = (place_id, *(parent.chain if parent else ()))
        return Place(place_id, name, PlaceLevel(level), chain, float(latitude), float(longitude))

    def _near(self, text: str) -> tuple[str, ...]:
        """Return the names of places written like this one: in its state, else of this very name in any state."""
        query = parse_place(text[:MAX_TEXT_CHARS])
        if query.state is None:
            ids = [id_ for state in STATES for words in query.parts[:1] for id_ in self._matcher.named(state, words)]
            states = difflib.get_close_matches(text.strip().title(), STATES.values(), _SUGGESTIONS, 0.8)
            return (*states, *(place.name for place in self._each(tuple(ids))))
        if not query.parts:
            return ()
        prefix = f"{query.state}:"
        known = {line[0].removeprefix(prefix): line[1] for line in self._names.beginning(prefix)}
        alike = difflib.get_close_matches(key(query.parts[0]), known, _SUGGESTIONS, 0.75)
        ids = [PlaceId(known[name].split(" ")[0]) for name in alike]
        return tuple(dict.fromkeys(place.name for place in self._each(tuple(ids))))
