"""The sites and slots of a catalog: few, so they are held in memory."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final
from zoneinfo import ZoneInfo

from adserver.domain.catalog import Site, Slot
from adserver.domain.ids import IdHash, Kind, SiteId, SlotId, id_hash

_EPOCH: Final = date(1970, 1, 1).toordinal()


class Layout:
    """Sites and slots by id and by hash. Immutable, shared by all threads."""

    __slots__ = ("_internal_networks", "_slots_by_hash", "hashes", "sites", "slots")

    def __init__(self, sites: tuple[Site, ...], slots: tuple[Slot, ...]) -> None:
        """Take those of a catalog; each slot's site is among them."""
        self.sites: Mapping[SiteId, Site] = {site.id: site for site in sites}
        self.slots: Mapping[SlotId, Slot] = {slot.id: slot for slot in slots}
        self.hashes: Mapping[SlotId, IdHash] = {slot.id: id_hash(Kind.SLOT, slot.id) for slot in slots}
        self._slots_by_hash: Mapping[IdHash, Slot] = {self.hashes[slot.id]: slot for slot in slots}
        self._internal_networks = self._networks_by_slot()

    def slot_by_hash(self, hash_: IdHash) -> Slot | None:
        """Return the slot that a hash stands for, or None where there is none such."""
        return self._slots_by_hash.get(hash_)

    def day_at(self, slot: IdHash, second: int) -> int:
        """Return the day of a slot's site at a second of Unix time, in days since 1970; in UTC for an unknown slot."""
        found = self._slots_by_hash.get(slot)
        zone = ZoneInfo(self.sites[found.site].timezone) if found is not None else UTC
        return datetime.fromtimestamp(second, zone).toordinal() - _EPOCH

    def is_internal(self, slot: IdHash, address: IPv4Address | IPv6Address) -> bool:
        """Tell whether an address is of the staff of the site that a slot is on."""
        return any(address in network for network in self._internal_networks.get(slot, ()))

    def _networks_by_slot(self) -> dict[IdHash, tuple[IPv4Network | IPv6Network, ...]]:
        of_site = {
            site.id: tuple(map(ip_network, site.internal_networks))
            for site in self.sites.values()
            if site.internal_networks
        }
        return {self.hashes[slot.id]: of_site[slot.site] for slot in self.slots.values() if slot.site in of_site}
