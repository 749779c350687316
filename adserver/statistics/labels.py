"""From the hashes of a cell to the words of its dimensions."""

from collections.abc import Mapping
from typing import Final, Protocol

from adserver.catalog.names import Names, OrderName, Parent, SlotName
from adserver.counting.cells import Field
from adserver.domain.ids import IdHash, Kind, PlaceId
from adserver.domain.places import Place, PlaceLevel
from adserver.statistics.cell_store import Member
from adserver.statistics.dimensions import (
    FILL_DIMENSIONS,
    FILL_LABEL,
    NONE_LABEL,
    PLACE_DIMENSIONS,
    UNKNOWN_LABEL,
    Dimension,
)

_LEVELS: Final = {
    PlaceLevel.COUNTY: Dimension.COUNTY,
    PlaceLevel.STATE: Dimension.STATE,
    PlaceLevel.COUNTRY: Dimension.COUNTRY,
}


class PlaceBook(Protocol):
    """What is asked of the gazetteer."""

    def get(self, place_id: PlaceId) -> Place | None:
        """Return a place by its id."""

    def by_hash(self, hash_: IdHash) -> Place | None:
        """Return a place by its hash."""


class Labels:
    """Puts words to cells, each looked up once. One thread, one query."""

    def __init__(self, names: Names, places: PlaceBook) -> None:
        self._names = names
        self._places = places
        self._lasting: dict[Member, Mapping[Dimension, str]] = {}
        self._spanning: dict[Member, tuple[OrderName | None, SlotName | None]] = {}

    def lasting(self, member: Member) -> Mapping[Dimension, str]:
        """Return the labels that a member has had at all times; a parent that has changed is not among them."""
        labels = self._lasting.get(member)
        if labels is None:
            labels = self._lasting[member] = self._lasting_of(member)
        return labels

    def at(self, member: Member, second: int) -> Mapping[Dimension, str]:
        """Return the labels that a member had at a second of Unix time."""
        lasting = self.lasting(member)
        flight, slot = self._spanning[member]
        if flight is None and slot is None:
            return lasting
        labels = dict(lasting)
        if flight is not None:
            labels |= _parent_labels(flight.at(second))
        if slot is not None:
            labels[Dimension.SITE] = slot.site_at(second)
        return labels

    def _lasting_of(self, member: Member) -> Mapping[Dimension, str]:
        flight = self._names.flight(member.flight)
        slot = self._names.slot(member.slot)
        flight_changed = flight is not None and len({(p.campaign, p.advertiser) for p in flight.parents}) > 1
        slot_changed = slot is not None and len({span.words for span in slot.spans}) > 1
        self._spanning[member] = (flight if flight_changed else None, slot if slot_changed else None)
        labels = {Dimension.SLOT: slot.id if slot else _absent(Kind.SLOT, member.slot)}
        if slot is None or not slot_changed:
            labels[Dimension.SITE] = slot.site if slot else labels[Dimension.SLOT]
        labels |= self._flight_labels(member, flight, changed=flight_changed)
        if member.place is not None:
            labels |= self._place_labels(member.place)
        if member.topic is not None:
            labels[Dimension.TOPIC] = self._names.topic(member.topic) or _absent(Kind.TOPIC, member.topic)
        return labels

    def _flight_labels(self, member: Member, flight: OrderName | None, *, changed: bool) -> dict[Dimension, str]:
        if member.flight == Kind.FLIGHT.none:
            # The variant too: a length was asked for, but nothing was shown.
            return dict.fromkeys(FILL_DIMENSIONS, NONE_LABEL)
        labels = {Dimension.FLIGHT: flight.id if flight else UNKNOWN_LABEL}
        if flight is None:
            labels |= {Dimension.CAMPAIGN: UNKNOWN_LABEL, Dimension.ADVERTISER: UNKNOWN_LABEL}
        elif not changed:
            labels |= _parent_labels(flight.parents[-1])
        if member.creative is not None:
            creative = self._names.creative(member.creative)
            labels[Dimension.CREATIVE] = creative.id if creative else _absent(Kind.CREATIVE, member.creative)
        return labels

    def _place_labels(self, hash_: IdHash) -> dict[Dimension, str]:
        place = self._places.by_hash(hash_)
        if place is None:
            return dict.fromkeys(PLACE_DIMENSIONS, UNKNOWN_LABEL)
        labels = dict.fromkeys(PLACE_DIMENSIONS, NONE_LABEL) | {Dimension.PLACE: str(place.id)}
        for id_ in place.chain:
            container = self._places.get(id_)
            if container is not None and container.level in _LEVELS:
                labels[_LEVELS[container.level]] = str(id_)
        return labels


def field_labels(field: Field) -> dict[Dimension, str]:
    """Return the labels that a cell's field tells: variant, and where its metric has them, event and reason."""
    labels: dict[Dimension, str] = {Dimension.VARIANT: field.variant.value}
    if field.metric.invalid_parts is not None:
        event, reason = field.metric.invalid_parts
        labels |= {Dimension.EVENT: event.value, Dimension.REASON: reason.value}
    else:
        no_fill = field.metric.no_fill_reason
        labels[Dimension.REASON] = no_fill.value if no_fill else FILL_LABEL
    return labels


def _parent_labels(parent: Parent) -> dict[Dimension, str]:
    return {Dimension.CAMPAIGN: parent.campaign, Dimension.ADVERTISER: parent.advertiser}


def _absent(kind: Kind, hash_: IdHash) -> str:
    return NONE_LABEL if hash_ == kind.none else UNKNOWN_LABEL
