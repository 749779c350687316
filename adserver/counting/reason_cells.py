"""The layout of sampled reasons in Redis: what stopped each flight, by slot, place and day. Pure.

    {s<shard>}:reasons:<day>      hash, kept 35 days; shard = the flight's, day = day of the slot's site since 1970

A field is 17 bytes: the hashes of flight (6), slot (5) and place (5), and the code of the reason, 0 for a win. The
place is `(none)` where it was not told apart: for all that is decided before the place is looked at, and for one that
found the day full. The flight's hash 0 stands for what found no room at all.

A value is one whole number, so that one addition keeps both: how many questions it stands for, times 2^28, plus how
many of them were looked at. Layout version 1: a change needs another key and a golden test.
"""

from typing import Final, NamedTuple

from adserver.counting.cells import shard_tag
from adserver.domain.ids import IdHash, Kind
from adserver.domain.reasons import NoFillReason

KEPT_DAYS: Final = 35
MOST_CELLS: Final = 32_000
"""Of a day, all shards together: some 3 MB."""
MOST_PLACED_CELLS: Final = 24_000
"""Those may be of places; the rest is left for what is not."""

_LOOKS_BITS: Final = 28
_LOOKS_MASK: Final = (1 << _LOOKS_BITS) - 1
_FLIGHT: Final = slice(0, 6)
_SLOT: Final = slice(6, 11)
_PLACE: Final = slice(11, 16)
_FIELD_BYTES: Final = 17
WON: Final = 0
NOWHERE: Final = Kind.PLACE.none
"""Stands for the place where it was not told apart."""

_REASONS: Final = {reason.code: reason for reason in NoFillReason}
_ORDER: Final = tuple(NoFillReason)

PLACED: Final = frozenset(_ORDER[_ORDER.index(NoFillReason.PLACE) + 1 :])
"""The reasons that are told apart by place: of those before, and of `place` itself, targeting says all."""


class Looks(NamedTuple):
    """How often something was found. Immutable."""

    questions: int
    """Of how many it is taken to hold."""
    looks: int
    """How many were looked at."""

    def plus(self, other: "Looks") -> "Looks":
        """Return both together."""
        return Looks(self.questions + other.questions, self.looks + other.looks)


NO_LOOKS: Final = Looks(0, 0)


class ReasonCell(NamedTuple):
    """What stopped a flight at a slot and a place; `reason` None: nothing, it won. Immutable."""

    flight: IdHash
    slot: IdHash
    place: IdHash
    reason: NoFillReason | None

    def elsewhere(self) -> "ReasonCell":
        """Return the cell in which the place is not told apart."""
        return self._replace(place=NOWHERE)


REST: Final = ReasonCell(IdHash(bytes(6)), IdHash(bytes(5)), IdHash(bytes(5)), None)
"""The cell of what found no room."""


def reasons_key(shard: int, day: int) -> str:
    """Return the key of a shard's reasons of a day."""
    return f"{shard_tag(shard)}reasons:{day}"


def encode_field(cell: ReasonCell) -> bytes:
    """Return the field of a cell."""
    return cell.flight + cell.slot + cell.place + bytes([cell.reason.code if cell.reason is not None else WON])


def decode_field(field: bytes) -> ReasonCell | None:
    """Return the cell of a field; None for one that another version wrote."""
    if len(field) != _FIELD_BYTES:
        return None
    code = field[_FIELD_BYTES - 1]
    reason = _REASONS.get(code)
    if reason is None and code != WON:
        return None
    return ReasonCell(IdHash(field[_FLIGHT]), IdHash(field[_SLOT]), IdHash(field[_PLACE]), reason)


def encode_looks(looks: Looks) -> int:
    """Return the number that is added to a value."""
    return (looks.questions << _LOOKS_BITS) + looks.looks


def decode_looks(value: int) -> Looks:
    """Return what a value holds."""
    return Looks(value >> _LOOKS_BITS, value & _LOOKS_MASK)
