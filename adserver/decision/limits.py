"""Which lengths a slot and a request take, as numbers to compare columns with."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

from adserver.decision.columns import Columns
from adserver.decision.fitting import char_limit
from adserver.decision.memo import Memo
from adserver.domain.catalog import Slot
from adserver.domain.decisions import SlotRequest
from adserver.domain.ids import SlotId
from adserver.domain.reasons import NoFillReason
from adserver.domain.variants import LENGTHS, Variant

LIMITS_REMEMBERED: Final = 2_048
_NONE: Final = -1


class FittingWeight(NamedTuple):
    """A creative that may be shown, by its position, and its weight in the flight."""

    creative: int
    weight: int


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """The most grapheme clusters of each length, -1 where the length is not taken. Immutable.

    Made once a kind, see `AllLimits`: what is worked out for one slot holds for all of its kind.
    """

    name: int
    short: int
    long: int
    takes_disclosure: bool

    @classmethod
    def of(cls, slot: Slot, request: SlotRequest) -> Self:
        """Return what a slot takes of what a request asks for; the rules are those of `fitting`."""
        limit, asked = char_limit(slot, request), request.variant
        name, short, long = (
            limit if length in slot.variants and asked in (Variant.AUTO, length) else _NONE for length in LENGTHS
        )
        return cls(name, short, long, slot.allow_disclosure)

    def fits(self, columns: Columns, creative: int) -> bool:
        """Return whether a creative has a length within these."""
        return (
            columns.creative_names[creative] <= self.name
            or columns.creative_shorts[creative] <= self.short
            or columns.creative_longs[creative] <= self.long
        )

    def stop(self, columns: Columns, flight: int) -> NoFillReason | None:
        """Return why no creative of a flight may be shown, or None."""
        if (
            columns.flight_names[flight] <= self.name
            or columns.flight_shorts[flight] <= self.short
            or columns.flight_longs[flight] <= self.long
        ):
            return None
        reason = NoFillReason.VARIANT
        first = columns.flight_creatives_first[flight]
        for at in range(first, columns.flight_creatives_first[flight + 1]):
            creative = columns.flight_creatives[at]
            if self.fits(columns, creative):
                if self.takes_disclosure or not columns.creative_disclosed[creative]:
                    return None
                reason = NoFillReason.DISCLOSURE
        return reason

    def fitting(self, columns: Columns, flight: int) -> Iterator[FittingWeight]:
        """Yield the creatives of a flight that may be shown."""
        for at in range(columns.flight_creatives_first[flight], columns.flight_creatives_first[flight + 1]):
            creative = columns.flight_creatives[at]
            is_hidden = columns.creative_disclosed[creative] and not self.takes_disclosure
            if not is_hidden and self.fits(columns, creative):
                yield FittingWeight(creative, columns.flight_creative_weights[at])


class AllLimits:
    """The limits of all slots, whatever is asked of them. Shared by all threads: its two memories are bounded."""

    __slots__ = ("_by_request", "_kinds")

    def __init__(self) -> None:
        self._by_request: Memo[tuple[SlotId, Variant, int | None], Limits] = Memo(LIMITS_REMEMBERED)
        self._kinds: Memo[tuple[int, int, int, bool], Limits] = Memo(LIMITS_REMEMBERED)

    def of(self, slot: Slot, request: SlotRequest) -> Limits:
        """Return what a slot takes of what a request asks for: one object for all that are alike."""
        key = (slot.id, request.variant, request.max_chars)
        limits = self._by_request.get(key)
        if limits is None:
            made = Limits.of(slot, request)
            kind = (made.name, made.short, made.long, made.takes_disclosure)
            self._kinds.put(kind, made)
            limits = self._kinds.get(kind) or made
            self._by_request.put(key, limits)
        return limits
