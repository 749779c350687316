"""Documents -> Catalog: everything that only the whole can tell is checked here, and every fault is listed."""

from collections.abc import Iterator
from typing import TypeVar

from adserver.catalog.build_campaign import CampaignBuilder
from adserver.catalog.build_rules import build_rules
from adserver.catalog.build_targeting import PlaceFinder, Surroundings
from adserver.catalog.documents import RULES_FILE, SLOTS_FILE, Documents, JsonObject
from adserver.catalog.faults import FaultLog
from adserver.catalog.rows import (
    AdvertiserRow,
    CampaignFileRow,
    Row,
    RulesFileRow,
    SiteRow,
    SlotRow,
    SlotsFileRow,
    read_row,
)
from adserver.catalog.unique import Thing, UniqueIds
from adserver.domain.catalog import Advertiser, Campaign, Catalog, Site, Slot
from adserver.domain.errors import InputRefused
from adserver.domain.ids import AdvertiserId, SiteId, SlotId
from adserver.domain.variants import Variant

_RowT = TypeVar("_RowT", bound=Row)


def build_catalog(documents: Documents, gazetteer: PlaceFinder) -> Catalog:
    """Return all that may be served.

    Args:
        documents: each checked by its schema.
        gazetteer: tells which places the campaigns name.

    Raises:
        InputRefused: with every fault of every file: ids that are not unique, references to nothing, dates at odds.
    """
    faults = FaultLog(documents.positions)
    ids = UniqueIds(faults)
    rules = build_rules(_read_rules(documents, faults), faults)
    layout = _read_layout(documents, faults)
    sites, slots = _build_sites(layout, ids), _build_slots(layout, faults, ids)
    known = frozenset(slot.id for slot in slots) if documents.slots is not None else None
    files = dict(_read_files(documents, faults))
    advertisers = _build_advertisers(files, faults)
    campaigns = tuple(_build_campaigns(files, Surroundings(gazetteer, known, faults, ids)))
    faults.refuse_any()
    return Catalog(sites, slots, advertisers, campaigns, rules)


def _read_rules(documents: Documents, faults: FaultLog) -> RulesFileRow:
    if documents.rules is None:
        return RulesFileRow()
    return _read(documents.rules, RulesFileRow, RULES_FILE, faults) or RulesFileRow()


def _read_layout(documents: Documents, faults: FaultLog) -> SlotsFileRow:
    if documents.slots is None:
        faults.add(SLOTS_FILE, (), "is missing; without slots nothing can be published")
        return SlotsFileRow()
    return _read(documents.slots, SlotsFileRow, SLOTS_FILE, faults) or SlotsFileRow()


def _read_files(documents: Documents, faults: FaultLog) -> Iterator[tuple[str, CampaignFileRow]]:
    for name, content in documents.campaign_files.items():
        if (file := _read(content, CampaignFileRow, name, faults)) is not None:
            yield name, file


def _read(content: JsonObject, row: type[_RowT], name: str, faults: FaultLog) -> _RowT | None:
    try:
        return read_row(content, row, name)
    except InputRefused as refused:
        faults.extend(refused.faults)
        return None


def _build_sites(layout: SlotsFileRow, ids: UniqueIds) -> tuple[Site, ...]:
    for index, row in enumerate(layout.sites):
        ids.take(Thing.SITE, row.id, SLOTS_FILE, ("sites", index, "id"))
    return tuple(_site(row) for row in layout.sites)


def _site(row: SiteRow) -> Site:
    networks = row.internal_networks
    return Site(SiteId(row.id), row.name, row.home, row.timezone, row.label, row.lang, row.origins, networks)


def _build_slots(layout: SlotsFileRow, faults: FaultLog, ids: UniqueIds) -> tuple[Slot, ...]:
    sites = {site.id for site in layout.sites}
    for index, row in enumerate(layout.slots):
        ids.take(Thing.SLOT, row.id, SLOTS_FILE, ("slots", index, "id"))
        if row.site not in sites:
            there_are = f"there are {', '.join(sorted(sites))}" if sites else "there are none"
            faults.add(SLOTS_FILE, ("slots", index, "site"), f"there is no site `{row.site}`; {there_are}")
    return tuple(_slot(row) for row in layout.slots)


def _slot(row: SlotRow) -> Slot:
    return Slot(
        id=SlotId(row.id),
        site=SiteId(row.site),
        max_chars=row.max_chars,
        variants=frozenset(variant for variant in Variant if variant in row.variants),
        blocked_categories=frozenset(row.blocked_categories),
        allow_disclosure=row.allow_disclosure,
    )


def _build_advertisers(files: dict[str, CampaignFileRow], faults: FaultLog) -> tuple[Advertiser, ...]:
    """Return every advertiser once; one may stand in several files, with the same words only."""
    first: dict[str, tuple[str, AdvertiserRow]] = {}
    for name, file in files.items():
        row = file.advertiser
        other, same = first.setdefault(row.id, (name, row))
        for field in row.__struct_fields__:
            here, there = getattr(row, field), getattr(same, field)
            if here != there:
                faults.add(name, ("advertiser", field), f"the advertiser `{row.id}` has another {field} in {other}")
    return tuple(_advertiser(row) for _, row in first.values())


def _advertiser(row: AdvertiserRow) -> Advertiser:
    return Advertiser(
        id=AdvertiserId(row.id),
        name=row.name,
        categories=frozenset(row.categories),
        competes_with=frozenset(row.competes_with),
        homepage=row.homepage,
    )


def _build_campaigns(files: dict[str, CampaignFileRow], around: Surroundings) -> Iterator[Campaign]:
    for name, file in files.items():
        advertiser = AdvertiserId(file.advertiser.id)
        for index, row in enumerate(file.campaigns):
            yield CampaignBuilder(around, name, index).build(row, advertiser)
