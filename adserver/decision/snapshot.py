"""The catalog compiled for deciding: every look-up that a request needs, made once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final, Self
from zoneinfo import ZoneInfo

from adserver.decision.compiled_flight import CompiledFlight, compile_flight
from adserver.decision.index import FlightIndex
from adserver.decision.lineup import Lineup
from adserver.decision.lineups import Lineups
from adserver.decision.question import Question
from adserver.domain.catalog import Catalog, Creative, RetiredCreative, Site, Slot
from adserver.domain.ids import CampaignId, CreativeId, FlightId, IdHash, Kind, SiteId, SlotId, Topic, id_hash
from adserver.domain.variants import LENGTHS, Variant

_EPOCH: Final = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class LinkTarget:
    """Where a click goes. Immutable."""

    creative: CreativeId
    campaign: CampaignId
    click_url: str
    """With its macros, which are still to be filled in."""
    utm: tuple[tuple[str, str], ...]
    lengths: frozenset[Variant]
    """What the message is there in; an event that reports another counts under the server's own."""


@dataclass(frozen=True, slots=True)
class IdHashes:
    """The hash of every id that a decision can name, so that no request hashes. Immutable."""

    flights: Mapping[FlightId, IdHash]
    creatives: Mapping[CreativeId, IdHash]
    slots: Mapping[SlotId, IdHash]
    topics: Mapping[Topic, IdHash]
    """Topics that the catalog names; any other is `Kind.TOPIC.unknown`."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """One revision of the catalog, compiled. Shared by all threads.

    Immutable, but for a bounded memory of lineups, which follow from it and from nothing else.
    """

    revision: int
    catalog: Catalog
    shards: int
    """Into how many shards the counts of what is decided by it are cut."""
    topics: frozenset[Topic]
    """All topics that the catalog names."""
    hashes: IdHashes
    flights: tuple[CompiledFlight, ...]
    """In the catalog's order, which the draw keeps."""
    _sites: Mapping[SiteId, Site]
    _slots: Mapping[SlotId, Slot]
    _slots_by_hash: Mapping[IdHash, Slot]
    _flights: Mapping[FlightId, CompiledFlight]
    _links: Mapping[IdHash, LinkTarget]
    _retired_links: Mapping[IdHash, tuple[LinkTarget, datetime]]
    _lineups: Lineups
    _internal_networks: Mapping[IdHash, tuple[IPv4Network | IPv6Network, ...]]
    """By slot, of those whose site has any."""

    @classmethod
    def build(cls, catalog: Catalog, revision: int, retired: tuple[RetiredCreative, ...] = (), shards: int = 1) -> Self:
        """Return a revision of the catalog, compiled; takes under 0.1 s at 1,000 flights.

        Raises:
            ValueError, KeyError: if an advertiser, creative or site is missing, or a weight or share is not one to draw
                by; `adserver.catalog` publishes no such catalog.
        """
        index = FlightIndex.build(_compile_flights(catalog))
        creatives = [(creative, campaign.id) for campaign in catalog.campaigns for creative in campaign.creatives]
        sites = {site.id: site for site in catalog.sites}
        slots = {slot.id: slot for slot in catalog.slots}
        if lacking := {slot.site for slot in catalog.slots} - sites.keys():
            raise KeyError(f"slots name sites that are not in the catalog: {', '.join(sorted(lacking))}")
        hashes = IdHashes(
            flights={each.flight.id: id_hash(Kind.FLIGHT, each.flight.id) for each in index.flights},
            creatives={creative.id: id_hash(Kind.CREATIVE, creative.id) for creative, _ in creatives},
            slots={slot: id_hash(Kind.SLOT, slot) for slot in slots},
            topics={topic: id_hash(Kind.TOPIC, topic) for topic in index.topics},
        )
        return cls(
            revision=revision,
            catalog=catalog,
            shards=shards,
            topics=index.topics,
            hashes=hashes,
            flights=index.flights,
            _sites=sites,
            _slots=slots,
            _slots_by_hash={hashes.slots[slot.id]: slot for slot in catalog.slots},
            _flights={each.flight.id: each for each in index.flights},
            _links={hashes.creatives[creative.id]: _link(creative, campaign) for creative, campaign in creatives},
            _retired_links=_retired_links(retired),
            _lineups=Lineups(index),
            _internal_networks=_internal_networks(catalog, hashes),
        )

    def site(self, site: SiteId) -> Site | None:
        """Return a site, or None where the catalog has none of that id."""
        return self._sites.get(site)

    def slot(self, slot: SlotId) -> Slot | None:
        """Return a slot, or None where the catalog has none of that id."""
        return self._slots.get(slot)

    def site_of(self, slot: Slot) -> Site:
        """Return the site that a slot of this catalog is on."""
        return self._sites[slot.site]

    def flight(self, flight: FlightId) -> CompiledFlight | None:
        """Return a flight with its campaign and advertiser, or None where the catalog has none of that id."""
        return self._flights.get(flight)

    def slot_by_hash(self, hash_: IdHash) -> Slot | None:
        """Return the slot that a hash stands for, or None where this catalog has none such."""
        return self._slots_by_hash.get(hash_)

    def day_at(self, slot: IdHash, second: int) -> int:
        """Return the day of a slot's site at a second of Unix time, in days since 1970; in UTC for an unknown slot."""
        found = self._slots_by_hash.get(slot)
        zone = ZoneInfo(self._sites[found.site].timezone) if found is not None else UTC
        return datetime.fromtimestamp(second, zone).toordinal() - _EPOCH

    def is_internal(self, slot: IdHash, address: IPv4Address | IPv6Address) -> bool:
        """Tell whether an address is of the staff of the site that a slot is on."""
        return any(address in network for network in self._internal_networks.get(slot, ()))

    def creative_by_hash(self, hash_: IdHash, now: datetime) -> LinkTarget | None:
        """Return where a creative's link goes, also for one retired whose time is not over; else None."""
        link = self._links.get(hash_)
        if link is not None:
            return link
        retired, until = self._retired_links.get(hash_, (None, now))
        return retired if now < until else None

    def lineup(self, question: Question) -> Lineup:
        """Return who may be drawn for a question, whatever its counts, page and exclusions."""
        return self._lineups.find(question)


def _compile_flights(catalog: Catalog) -> tuple[CompiledFlight, ...]:
    advertisers = {advertiser.id: advertiser for advertiser in catalog.advertisers}
    return tuple(
        compile_flight(flight, campaign, advertisers[campaign.advertiser])
        for campaign in catalog.campaigns
        for flight in campaign.flights
    )


def _internal_networks(catalog: Catalog, hashes: IdHashes) -> dict[IdHash, tuple[IPv4Network | IPv6Network, ...]]:
    of_site = {
        site.id: tuple(map(ip_network, site.internal_networks)) for site in catalog.sites if site.internal_networks
    }
    return {hashes.slots[slot.id]: of_site[slot.site] for slot in catalog.slots if slot.site in of_site}


def _link(creative: Creative, campaign: CampaignId) -> LinkTarget:
    lengths = frozenset(variant for variant in LENGTHS if creative.variants.get(variant) is not None)
    return LinkTarget(creative.id, campaign, creative.click_url, creative.utm, lengths)


def _retired_links(retired: tuple[RetiredCreative, ...]) -> dict[IdHash, tuple[LinkTarget, datetime]]:
    """Return the links of what was retired; of an id retired twice, the one that lasts longest."""
    return {
        id_hash(Kind.CREATIVE, each.creative.id): (_link(each.creative, each.campaign), each.until)
        for each in sorted(retired, key=lambda each: each.until)
    }
