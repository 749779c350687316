"""What a delivery call's query says, read strictly: a name is either understood or refused, never guessed at.

Nothing of the request is in the messages: they may end up in a page.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol
from urllib.parse import parse_qs

from adserver.decision.topics import normalise_topic
from adserver.domain.decisions import SlotRequest
from adserver.domain.errors import ParameterRefused
from adserver.domain.ids import SLUG_PATTERN, SlotId, Topic
from adserver.domain.places import Place
from adserver.domain.variants import LENGTHS, Variant

LOCATION_MAX_CHARS: Final = 200
TOPICS_MAX: Final = 20
EXCLUDES_MAX: Final = 50
EXCLUDE_MAX_CHARS: Final = 64
LIMIT_MAX_CHARS: Final = 10_000

_SLUG: Final = re.compile(SLUG_PATTERN)
_LIMIT: Final = re.compile(r"[0-9]{1,5}")
_VARIANTS: Final = {variant.value: variant for variant in Variant}
_LENGTHS: Final = {variant.value: variant for variant in LENGTHS}

Query = Mapping[str, Sequence[str]]
"""Each name of a query with its values, in their order."""


class PlaceResolver(Protocol):
    """Resolves what pages write; never raises. The gazetteer is one."""

    def resolve(self, text: str) -> Place | None:
        """Return the place, or None."""
        ...


def is_slot_id(text: str) -> bool:
    """Tell whether a slot's id is well formed; whether there is such a slot is the decision's to say."""
    return _SLUG.fullmatch(text) is not None


def parse_query(query_string: str) -> Query:
    """Return a query's names and values; bytes that are no UTF-8 become U+FFFD.

    Args:
        query_string: as WSGI has it: bytes as Latin-1.
    """
    return parse_qs(query_string.encode("latin-1").decode(errors="replace"), keep_blank_values=True)


def read_slot_request(slot: SlotId, query: Query, places: PlaceResolver) -> SlotRequest:
    """Return one slot's question from a query; unknown names are passed over.

    Raises:
        ParameterRefused: a value that cannot be read, too many of them, or a single-valued name given twice.
    """
    return SlotRequest(
        slot=slot,
        place=read_place("location", _single(query, "location"), places),
        topics=read_topics("topic", _listed(query, "topic")),
        variant=read_variant("variant", _single(query, "variant")),
        max_chars=_read_limit(_single(query, "max_chars")),
        exclude=read_excludes("exclude", _listed(query, "exclude")),
    )


def names_place(text: str | None) -> bool:
    """Tell whether a page names a place at all, known or not."""
    return text is not None and bool(text.strip())


def read_place(name: str, text: str | None, places: PlaceResolver) -> Place | None:
    """Return the place a page names, None where it names none or an unresolvable one.

    Raises:
        ParameterRefused: the text is too long to be a place.
    """
    if text is None or not names_place(text):
        return None
    if len(text) > LOCATION_MAX_CHARS:
        raise ParameterRefused(name, f"takes at most {LOCATION_MAX_CHARS} characters, such as Remer,MN")
    return places.resolve(text)


def read_topics(name: str, texts: Iterable[str]) -> tuple[Topic, ...]:
    """Return topics normalised, in order, each once; blank ones are passed over.

    Raises:
        ParameterRefused: one that is no topic, or too many.
    """
    given = [text for text in texts if text.strip()]
    if len(given) > TOPICS_MAX:
        raise ParameterRefused(name, f"takes at most {TOPICS_MAX} topics")
    try:
        return tuple(dict.fromkeys(normalise_topic(text) for text in given))
    except ValueError as error:
        raise ParameterRefused(name, str(error)) from error


def read_variant(name: str, text: str | None) -> Variant:
    """Return the length asked for; None is `auto`.

    Raises:
        ParameterRefused: it is no length.
    """
    if text is None:
        return Variant.AUTO
    if text not in _VARIANTS:
        raise ParameterRefused(name, f"takes one of {', '.join(_VARIANTS)}")
    return _VARIANTS[text]


def read_excludes(name: str, texts: Iterable[str]) -> frozenset[str]:
    """Return advertiser ids, categories and labels to keep out; blank ones are passed over.

    Raises:
        ParameterRefused: one that is too long, or too many.
    """
    given = frozenset(stripped for text in texts if (stripped := text.strip()))
    if len(given) > EXCLUDES_MAX or any(len(text) > EXCLUDE_MAX_CHARS for text in given):
        raise ParameterRefused(
            name, f"takes at most {EXCLUDES_MAX} ids, categories or labels of at most {EXCLUDE_MAX_CHARS} characters"
        )
    return given


def check_limit(name: str, limit: int | None) -> int | None:
    """Return a limit of characters, None where there is none.

    Raises:
        ParameterRefused: it is out of range.
    """
    if limit is not None and not 1 <= limit <= LIMIT_MAX_CHARS:
        raise ParameterRefused(name, f"takes a whole number from 1 to {LIMIT_MAX_CHARS}")
    return limit


def read_reported(text: str | None) -> Variant:
    """Return the length that a beacon or click says is on screen, `auto` where it cannot be read.

    Lenient, unlike the rest: an event counts whatever it reports.
    """
    return _LENGTHS.get(text or "", Variant.AUTO)


def _read_limit(text: str | None) -> int | None:
    if text is None:
        return None
    return check_limit("max_chars", int(text) if _LIMIT.fullmatch(text) else 0)


def _single(query: Query, name: str) -> str | None:
    values = query.get(name, ())
    if len(values) > 1:
        raise ParameterRefused(name, "takes one value, and is given more than once")
    return values[0] if values else None


def _listed(query: Query, name: str) -> list[str]:
    return [part for value in query.get(name, ()) for part in value.split(",")]
