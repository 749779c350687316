"""What a page asks for one slot, and what the server answers. Immutable."""

from dataclasses import dataclass
from typing import NamedTuple

from adserver.domain.catalog import Advertiser, Campaign, Creative, Flight, Site, Slot
from adserver.domain.ids import FlightId, SlotId, Topic
from adserver.domain.places import Place
from adserver.domain.reasons import NoFillReason
from adserver.domain.variants import Variant, Variants


@dataclass(frozen=True, slots=True)
class SlotRequest:
    """One slot's question."""

    slot: SlotId
    place: Place | None = None
    """None: the page named none, or one that cannot be resolved."""
    topics: tuple[Topic, ...] = ()
    """Normalised, in the page's order, at most 20; statistics keep the first."""
    variant: Variant = Variant.AUTO
    max_chars: int | None = None
    exclude: frozenset[str] = frozenset()
    """Advertiser ids, categories or `competes_with` labels."""


class Fill(NamedTuple):
    """A flight won, and its creative has a length that fits. Immutable; a tuple, for that is the quickest to make."""

    request: SlotRequest
    site: Site
    slot: Slot
    advertiser: Advertiser
    campaign: Campaign
    flight: Flight
    creative: Creative
    variants: Variants
    """Those within all limits: under `auto` every one that fits, else the one asked for."""
    shown: Variant
    """What JSON shows: the longest of `variants`."""
    asked: tuple[FlightId, ...] = ()
    """The flights with a pace that would have run but for it, the winner too: what their pace is worked out from."""
    required: tuple[str, ...] = ()
    """What the rules of the advertiser's categories have shown with it in this state."""

    @property
    def disclosures(self) -> tuple[str, ...]:
        """The lines that must be shown whole beneath the text: the creative's own, then those of the rules."""
        own = self.creative.disclosure
        return self.required if not own or own in self.required else (own, *self.required)

    @property
    def disclosure(self) -> str | None:
        """The same as one text, a line each, or None."""
        return "\n".join(self.disclosures) or None


@dataclass(frozen=True, slots=True)
class NoFill:
    """Nothing runs, and why."""

    request: SlotRequest
    reason: NoFillReason
    asked: tuple[FlightId, ...] = ()
    """As in `Fill`."""


Decision = Fill | NoFill
