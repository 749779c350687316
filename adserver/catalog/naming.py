"""Catalog -> names: what a revision adds to `{catalog}:names`, so that none of its words is ever forgotten."""

from collections.abc import Iterator, Mapping

import msgspec

from adserver.catalog.names import SITE_FIELD, NameRecord, decode_record
from adserver.domain.catalog import Catalog
from adserver.domain.errors import Fault, InputRefused
from adserver.domain.ids import Kind, id_hash


def add_names(known: Mapping[str, str], catalog: Catalog, second: int) -> dict[str, str]:
    """Return the fields that must be written so that `known` names all of `catalog` too.

    A thing with a new parent, name or zone keeps the old one for the time before `second` (Unix time).

    Raises:
        InputRefused: two ids of one kind have the same hash; one of them has to change.
    """
    added: dict[str, str] = {}
    faults: list[Fault] = []
    for path, field, record in _records(catalog, second):
        text = added.get(field, known.get(field))
        old = decode_record(text) if text is not None else None
        if old is not None and old.id != record.id:
            faults.append(Fault(path, f"its short hash is also that of {old.id!r}, used before; choose another id"))
            continue
        new = record if old is None else _continued(old, record)
        if new != old:
            added[field] = _encode(new)
    if faults:
        raise InputRefused(tuple(faults))
    return added


def unite_names(known: Mapping[str, str], kept: Mapping[str, str]) -> dict[str, str]:
    """Return the fields to write so that `known` holds all that `kept` holds too; where they differ, both."""
    added: dict[str, str] = {}
    for field, text in kept.items():
        if field not in known:
            added[field] = text
        elif known[field] != text:
            ours, theirs = decode_record(known[field]), decode_record(text)
            united = NameRecord(ours.id, tuple(sorted({*ours.held, *theirs.held})))
            if united != ours:
                added[field] = _encode(united)
    return added


def _records(catalog: Catalog, second: int) -> Iterator[tuple[str, str, NameRecord]]:
    """Yield every nameable thing: its path, its field, its record as of `second`."""
    zones = {site.id: site.timezone for site in catalog.sites}
    for site in catalog.sites:
        record = NameRecord(site.id, ((second, site.name, site.timezone),))
        yield f"sites.{site.id}", f"{SITE_FIELD}:{site.id}", record
    for slot in catalog.slots:
        record = NameRecord(slot.id, ((second, slot.site, zones[slot.site]),))
        yield f"slots.{slot.id}", _field(Kind.SLOT, slot.id), record
    for campaign in catalog.campaigns:
        held = ((second, str(campaign.id), str(campaign.advertiser)),)
        path = f"campaigns.{campaign.id}"
        for creative in campaign.creatives:
            yield f"{path}.creatives.{creative.id}", _field(Kind.CREATIVE, creative.id), NameRecord(creative.id, held)
        for flight in campaign.flights:
            yield f"{path}.flights.{flight.id}", _field(Kind.FLIGHT, flight.id), NameRecord(flight.id, held)
            for topic in sorted(flight.targeting.topics | flight.targeting.exclude_topics):
                yield f"{path}.flights.{flight.id}.targeting", _field(Kind.TOPIC, topic), NameRecord(topic)


def _continued(old: NameRecord, new: NameRecord) -> NameRecord:
    """Return the old record with what the new one holds at its end, if that differs from what held last."""
    if not new.held:
        return old
    since, *parents = new.held[-1]
    last, *latest = old.held[-1]
    if parents == latest:
        return old
    # A clock that was set back must not put the change before what was true till now.
    return NameRecord(old.id, (*old.held, (max(since, last), *new.held[-1][1:])))


def _field(kind: Kind, id_: str) -> str:
    return f"{kind}:{id_hash(kind, id_).hex()}"


def _encode(record: NameRecord) -> str:
    return msgspec.json.encode(record).decode()
