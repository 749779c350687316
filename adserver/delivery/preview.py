"""What readers will see of a campaign: each creative in each slot it is for, at each width, before anything runs. Pure.

The same fitting, regulation and markup that answer pages are used; nothing is chosen, and nothing counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import ada_url

from adserver.decision.fitting import disclosable, fit
from adserver.decision.regulation import Regulation, disclosures, objection
from adserver.delivery.buckets import bucket_of
from adserver.delivery.links import MacroValues, click_location
from adserver.domain.catalog import Advertiser, Campaign, Catalog, Creative, Flight, Site, Slot
from adserver.domain.decisions import Fill, SlotRequest
from adserver.domain.places import Place
from adserver.domain.reasons import NoFillReason
from adserver.domain.variants import LENGTHS, Variant, Variants

WIDTHS: Final = (320, 480, 728, 970)
"""Widths of a slot in CSS pixels: a telephone, a large one, and the two usual banners."""
COLUMN_PX: Final = 9
"""How wide a `ch` of 16 px type is taken to be where no browser measures it; common fonts have 8.9 to 10.2."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A length that a slot does not show. Immutable."""

    variant: Variant
    why: str
    """In words."""


@dataclass(frozen=True, slots=True)
class SlotPreview:
    """A creative in one slot. Immutable."""

    slot: Slot
    flight: Flight
    """The first of those that bring it there."""
    fill: Fill | None
    """As a page that asks for no length in particular would get it; None: it never shows there."""
    reason: NoFillReason | None
    """Why it never shows there."""
    left_out: tuple[LeftOut, ...]

    @property
    def looks(self) -> tuple[object, ...]:
        """What tells how it looks: slots of the same are the same to readers."""
        if self.fill is None:
            return (self.reason, self.left_out)
        return (self.fill.site.label, self.fill.variants, self.fill.disclosures, self.left_out)


@dataclass(frozen=True, slots=True)
class CreativePreview:
    """A creative with all slots it is for. Immutable."""

    advertiser: Advertiser
    campaign: Campaign
    creative: Creative
    objection: str | None
    """What stops the advertiser at the place that was named, in words."""
    slots: tuple[SlotPreview, ...]

    @property
    def groups(self) -> tuple[tuple[SlotPreview, ...], ...]:
        """The slots, those that look the same together."""
        found: dict[tuple[object, ...], list[SlotPreview]] = {}
        for one in self.slots:
            found.setdefault(one.looks, []).append(one)
        return tuple(tuple(group) for group in found.values())


def preview_campaign(catalog: Catalog, campaign: Campaign, place: Place | None = None) -> tuple[CreativePreview, ...]:
    """Return a campaign's creatives as they will look.

    Args:
        catalog: what the campaign is part of: its sites, slots and rules count.
        campaign: live or a draft.
        place: what the page is about; rules of regulated categories may ask for disclosures there.
    """
    advertiser = next(one for one in catalog.advertisers if one.id == campaign.advertiser)
    rules = Regulation(catalog.rules).of(advertiser.categories)
    required = disclosures(rules, place)
    stopped = objection(rules, place) if place is not None else None
    viewer = _Viewer(catalog, advertiser, campaign, required, place)
    return tuple(
        CreativePreview(advertiser, campaign, creative, stopped, tuple(viewer.slots_of(creative)))
        for creative in campaign.creatives
    )


def shown_at(fill: Fill, columns: int) -> Variant:
    """Return the length that `/slot.css` shows in a container of so many columns (`ch`)."""
    lengths = [variant for variant in LENGTHS if fill.variants.get(variant) is not None]
    shown = lengths[0]
    for variant in lengths[1:]:
        text = fill.variants.get(variant)
        bucket = bucket_of(fill.site.label, text) if text is not None else None
        if bucket is not None and bucket <= columns:
            shown = variant
    return shown


def only_length(fill: Fill, variant: Variant) -> Fill | None:
    """Return the fill as a page that names a length gets it; None where the slot does not show that length."""
    text = fill.variants.get(variant)
    if text is None:
        return None
    return fill._replace(variants=fill.variants.within(text.graphemes, (variant,)), shown=variant)


def readable_link(click_url: str) -> str:
    """Return an address with its host in the letters that its owner writes, as browsers may show it."""
    if not click_url.startswith("https://"):
        return click_url
    host = str(ada_url.URL(click_url).hostname)
    readable = ada_url.idna.decode(host)
    return click_url if readable == host else click_url.replace(host, str(readable), 1)


class _Viewer:
    """Looks at the creatives of one campaign. For one thread."""

    def __init__(
        self,
        catalog: Catalog,
        advertiser: Advertiser,
        campaign: Campaign,
        required: tuple[str, ...],
        place: Place | None,
    ) -> None:
        self._catalog = catalog
        self._sites: dict[str, Site] = {site.id: site for site in catalog.sites}
        self._advertiser = advertiser
        self._campaign = campaign
        self._required = required
        self._place = place

    def slots_of(self, creative: Creative) -> Iterator[SlotPreview]:
        """Yield every slot that a flight brings a creative to, in the order of the slots."""
        flights = [
            flight
            for flight in self._campaign.flights
            if any(weight.creative == creative.id for weight in flight.creatives)
        ]
        for slot in self._catalog.slots:
            flight = next((one for one in flights if one.slots is None or slot.id in one.slots), None)
            if flight is not None:
                yield self._in_slot(creative, slot, flight)

    def _in_slot(self, creative: Creative, slot: Slot, flight: Flight) -> SlotPreview:
        request = SlotRequest(slot.id, self._place)
        fitting = fit(creative, slot, request)
        left_out = tuple(_left_out(creative.variants, slot))
        reason = NoFillReason.VARIANT if fitting is None else self._stops(creative, slot)
        if fitting is None or reason is not None:
            return SlotPreview(slot, flight, None, reason, left_out)
        values = MacroValues(
            slot.id, self._place.id if self._place else "", self._campaign.id, creative.id, fitting.shown
        )
        link = click_location(creative.click_url, creative.utm, values)
        fill = Fill(
            request=request,
            site=self._sites[slot.site],
            slot=slot,
            advertiser=self._advertiser,
            campaign=self._campaign,
            flight=flight,
            creative=replace(creative, click_url=link),
            variants=fitting.variants,
            shown=fitting.shown,
            required=self._required,
        )
        return SlotPreview(slot, flight, fill, None, left_out)

    def _stops(self, creative: Creative, slot: Slot) -> NoFillReason | None:
        if not disclosable(creative, slot, self._required):
            return NoFillReason.DISCLOSURE
        if slot.blocked_categories & self._advertiser.categories:
            return NoFillReason.CATEGORY_BLOCKED
        return None


def _left_out(variants: Variants, slot: Slot) -> Iterator[LeftOut]:
    for variant in LENGTHS:
        text = variants.get(variant)
        if text is None:
            continue
        if variant not in slot.variants:
            yield LeftOut(variant, "the slot does not take this length")
        elif text.graphemes > slot.max_chars:
            over = text.graphemes - slot.max_chars
            yield LeftOut(variant, f"{text.graphemes:,} characters, {over:,} over the slot's {slot.max_chars:,}")
