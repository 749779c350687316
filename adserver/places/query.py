"""What someone who wrote a place meant: its parts, told apart without looking anything up."""

import re
from dataclasses import dataclass
from typing import Final

from adserver.places.folding import plain_words
from adserver.places.states import is_country, state_code

_ID: Final = re.compile(r"us(?:-[a-z0-9]+)*")
_ZIP: Final = re.compile(r"(?:(?P<before>.*?)[\s,]+|us-zip-)?(?P<zip>[0-9]{5})(?:-[0-9]{4})?", re.DOTALL)
_LONGEST_STATE_WORDS: Final = 3
_LONGEST_COUNTRY_WORDS: Final = 4

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlaceQuery:
    """The parts of a written place. Immutable."""

    state: str | None = None
    """Postal code in small letters; None: none was written."""
    parts: tuple[Words, ...] = ()
    """What stands before the state, finest first: a town, then perhaps its county."""
    state_is_sure: bool = True
    """False where the state's words may be part of a town's name: `Port Washington`."""
    zip: str | None = None
    """Five digits."""
    place_id: str | None = None
    """The text itself, where it has the form of an id."""
    is_country: bool = False


def parse_place(text: str) -> PlaceQuery:
    """Return the parts of a place as written: `Remer,MN`, `Remer, Cass County, Minn. 56672, USA`, `us-mn-remer`."""
    stripped = text.strip()
    folded = stripped.casefold()
    code = _ZIP.fullmatch(folded)
    zip_ = code["zip"] if code else None
    if zip_ is None and _ID.fullmatch(folded):
        return PlaceQuery(place_id=folded, is_country=folded == "us")
    before = (code["before"] or "") if code else stripped
    parts = [words for words in map(plain_words, before.split(",")) if words]
    rest = _without_country(parts) if parts else []
    if not rest:
        return PlaceQuery(zip=zip_, is_country=bool(parts))
    return _with_state(rest, zip_)


def _without_country(parts: list[Words]) -> list[Words]:
    *others, last = parts
    for count in range(min(_LONGEST_COUNTRY_WORDS, len(last)), 0, -1):
        if is_country(last[-count:]):
            return [*others, last[:-count]] if count < len(last) else others
    return parts


def _with_state(parts: list[Words], zip_: str | None) -> PlaceQuery:
    *others, last = parts
    state = state_code(last)
    if state is not None:
        return PlaceQuery(state, tuple(others), zip=zip_)
    for count in range(min(_LONGEST_STATE_WORDS, len(last) - 1), 0, -1):
        state = state_code(last[-count:])
        if state is not None:
            sure = last[-count:] == (state,)
            return PlaceQuery(state, (*others, last[:-count]), state_is_sure=sure, zip=zip_)
    return PlaceQuery(parts=tuple(parts), zip=zip_)
