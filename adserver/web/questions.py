"""What a slot's address asks: from memory where it was asked before, for pages ask the same again and again."""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from adserver.domain.decisions import SlotRequest
from adserver.domain.ids import SlotId
from adserver.domain.variants import Variant
from adserver.web.parameters import PlaceResolver, names_place, parse_query, read_reported, read_slot_request

REMEMBERED: Final = 4096
"""Questions, each of a slot and a query as it was written: about 4 MB."""
REMEMBERED_CHARS: Final = 300
"""A longer query is read anew each time."""


class Questions:
    """Reads queries. Shared by all threads; a function of its arguments, with bounded memories (thread-safe, in C)."""

    def __init__(self, places: PlaceResolver) -> None:
        """Take what resolves places; its answers must not change in the life of this process."""
        self._places = places
        self._remembered: Callable[[SlotId, str], SlotRequest] = lru_cache(REMEMBERED)(self._read)
        self._lengths: Callable[[str, str], Variant] = lru_cache(REMEMBERED)(_read_length)

    def slot(self, slot: SlotId, query_string: str) -> SlotRequest:
        """Return one slot's question.

        Args:
            slot: well formed.
            query_string: as WSGI has it: bytes as Latin-1.

        Raises:
            ParameterRefused: a value that cannot be read, too many of them, or a single-valued name given twice.
        """
        read = self._remembered if len(query_string) <= REMEMBERED_CHARS else self._read
        return read(slot, query_string)

    def names_place(self, query_string: str) -> bool:
        """Tell whether a query names a place at all, known or not."""
        return bool(query_string) and any(map(names_place, parse_query(query_string).get("location", ())))

    def length_on_screen(self, name: str, query_string: str) -> Variant:
        """Return the length that a beacon or click reports by `name`; `auto` where it names none, several or no length.

        An event counts whatever its query says.
        """
        if not query_string:
            return Variant.AUTO
        read = self._lengths if len(query_string) <= REMEMBERED_CHARS else _read_length
        return read(name, query_string)

    def _read(self, slot: SlotId, query_string: str) -> SlotRequest:
        return read_slot_request(slot, parse_query(query_string), self._places)


def _read_length(name: str, query_string: str) -> Variant:
    values = parse_query(query_string).get(name, ())
    return read_reported(values[0] if len(values) == 1 else None)
