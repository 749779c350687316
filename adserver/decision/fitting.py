"""Which lengths of a creative fit a slot and what the page asks of it."""

from dataclasses import dataclass

from adserver.domain.catalog import Creative, Slot
from adserver.domain.decisions import SlotRequest
from adserver.domain.variants import Variant, Variants


@dataclass(frozen=True, slots=True)
class FittingCreative:
    """A creative with the lengths of it that may be shown. Immutable."""

    creative: Creative
    variants: Variants
    shown: Variant
    """The longest of `variants`."""


def char_limit(slot: Slot, request: SlotRequest) -> int:
    """Return the smaller of the slot's limit and the request's, in grapheme clusters."""
    return slot.max_chars if request.max_chars is None else min(slot.max_chars, request.max_chars)


def fit(creative: Creative, slot: Slot, request: SlotRequest) -> FittingCreative | None:
    """Return the creative with the lengths that fit, or None where none does; a length asked for is exactly that."""
    allowed = slot.variants if request.variant is Variant.AUTO else slot.variants & {request.variant}
    variants = creative.variants.within(char_limit(slot, request), allowed)
    shown = variants.longest
    return None if shown is None else FittingCreative(creative, variants, shown)


def disclosable(creative: Creative, slot: Slot, required: tuple[str, ...]) -> bool:
    """Return whether the slot takes disclosures, or the creative and the rules it is under have none to show."""
    return slot.allow_disclosure or (creative.disclosure is None and not required)


def fitting_creatives(
    creatives: tuple[tuple[Creative, int], ...], slot: Slot, request: SlotRequest, required: tuple[str, ...] = ()
) -> tuple[tuple[FittingCreative, int], ...]:
    """Return those of a flight's creatives that may be shown, with their weights; `required` as rules have it."""
    disclosed = ((creative, weight) for creative, weight in creatives if disclosable(creative, slot, required))
    fitted = ((fit(creative, slot, request), weight) for creative, weight in disclosed)
    return tuple((fitting, weight) for fitting, weight in fitted if fitting is not None)
