"""The catalog compiled for deciding: every look-up that a request needs, read where it lies."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from random import Random
from typing import Final, NamedTuple, Self

import msgspec

from adserver.decision.ballot import Ballot
from adserver.decision.columns import Columns
from adserver.decision.compiled_flight import CompiledFlight
from adserver.decision.compiling import NO_GOAL, compile_catalog
from adserver.decision.draw import draw
from adserver.decision.field import SETTLED_WEIGHT, Field, SettledMemo
from adserver.decision.flags import Flag
from adserver.decision.hash_book import HashBook, IdHashes
from adserver.decision.hours import Windows
from adserver.decision.image import Image, ImageUnreadable
from adserver.decision.layout import Layout
from adserver.decision.limits import AllLimits
from adserver.decision.lists import FlightLists
from adserver.decision.memo import Memo
from adserver.decision.meta import Meta
from adserver.decision.no_fill import why_nobody
from adserver.decision.question import Question
from adserver.decision.records import CatalogRecords, HashTable
from adserver.decision.regulation import Regulation
from adserver.decision.rotation import Rotation
from adserver.decision.whole_catalog import whole_catalog
from adserver.domain.catalog import Catalog, Creative, RetiredCreative, Site, Slot
from adserver.domain.decisions import Fill, NoFill
from adserver.domain.ids import CampaignId, CreativeId, FlightId, IdHash, Kind, SiteId, SlotId, Topic, id_hash
from adserver.domain.reasons import NoFillReason
from adserver.domain.variants import LENGTHS, Variant

_LINKS_REMEMBERED: Final = 8_192


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


class FlightGoal(NamedTuple):
    """How many net impressions of a flight were sold. Immutable."""

    hash: IdHash
    flight: FlightId
    impressions: int | None
    """None: no goal."""


class Snapshot:
    """One revision of the catalog, compiled. Shared by all threads.

    Immutable, but for bounded memories of what follows from it and from nothing else. All that grows with the number
    of flights stays in its buffer, which the workers of a host share where it is a mapped file.
    """

    __slots__ = (
        "_columns", "_creative_table", "_flight_table", "_image", "_layout", "_limits", "_links", "_lists", "_meta",
        "_records", "_retired", "_settled", "_shown", "_windows", "digest", "hashes", "revision", "shards", "topics",
    )  # fmt: skip

    def __init__(self, buffer: memoryview) -> None:
        """Take an image of `compile_catalog`, which nobody may change.

        Raises:
            ImageUnreadable: it is none, or of another version.
        """
        image = Image(buffer)
        try:
            meta = msgspec.msgpack.decode(image.raw("meta"), type=Meta)
            retired = msgspec.msgpack.decode(image.raw("retired"), type=tuple[RetiredCreative, ...])
        except msgspec.DecodeError as error:
            raise ImageUnreadable(f"it has another shape: {error}") from error
        self._image = image
        self._meta = meta
        self._columns = Columns(image)
        self._records = CatalogRecords(image, self._columns, Regulation(meta.rules))
        self._lists = FlightLists(image, meta)
        self._flight_table = HashTable(image, "flight_hashes")
        self._creative_table = HashTable(image, "creative_hashes")
        self._links: Memo[int, LinkTarget] = Memo(_LINKS_REMEMBERED)
        self._windows = Windows(meta.windows)
        self._limits = AllLimits()
        self._shown = Rotation(self._columns, self._records)
        self._settled: SettledMemo = Memo(SETTLED_WEIGHT)
        self._layout = Layout(meta.sites, meta.slots)
        self._retired = _retired_links(retired)
        self.revision = meta.revision
        self.digest = meta.digest
        """That of the revision's documents; empty where it was compiled of none."""
        self.shards = meta.shards
        """Into how many shards the counts of what is decided by it are cut."""
        self.topics: frozenset[Topic] = frozenset(meta.topic_hashes)
        """All topics that the catalog names."""
        self.hashes = IdHashes(
            flights=HashBook(Kind.FLIGHT),
            creatives=HashBook(Kind.CREATIVE),
            slots=self._layout.hashes,
            topics=meta.topic_hashes,
        )

    @classmethod
    def build(cls, catalog: Catalog, revision: int, retired: tuple[RetiredCreative, ...] = (), shards: int = 1) -> Self:
        """Return a revision of the catalog, compiled in memory, for any moment.

        Raises:
            ValueError, KeyError: see `compile_catalog`.
        """
        return cls(memoryview(compile_catalog(catalog, revision, retired, shards=shards)))

    @property
    def catalog(self) -> Catalog:
        """The catalog whole, decoded at each call: about 10 µs a flight."""
        return whole_catalog(self._image, self._meta)

    @property
    def sites(self) -> tuple[Site, ...]:
        """All sites, in the catalog's order."""
        return self._meta.sites

    @property
    def slots(self) -> tuple[Slot, ...]:
        """All slots, in the catalog's order."""
        return self._meta.slots

    @property
    def flights(self) -> tuple[CompiledFlight, ...]:
        """All flights in the catalog's order, as the rules look at them; decoded at each call, for explaining."""
        return tuple(map(self._records.compiled, range(len(self._records.flights))))

    def flight_at(self, at: int) -> CompiledFlight:
        """Return the flight at a position in the catalog's order, below `flight_count`; decoded at each call."""
        return self._records.compiled(at)

    @property
    def flight_count(self) -> int:
        """How many flights there are."""
        return len(self._records.flights)

    def counted_flights(self) -> Iterator[CompiledFlight]:
        """Yield the flights that have a goal or a cap, decoded."""
        flags, counts = self._columns.flight_flags, int(Flag.GOAL | Flag.COUNTS)
        for at in range(len(self._records.flights)):
            if flags[at] & counts:
                yield self._records.compiled(at)

    def goals(self) -> Iterator[FlightGoal]:
        """Yield what was sold of each flight."""
        goals, size = self._columns.flight_goals, Kind.FLIGHT.size_bytes
        for number, at in self._flight_table:
            goal = goals[at]
            yield FlightGoal(
                IdHash(number.to_bytes(size, "big")), self._records.id_of(at), None if goal == NO_GOAL else goal
            )

    def site(self, site: SiteId) -> Site | None:
        """Return a site, or None where the catalog has none of that id."""
        return self._layout.sites.get(site)

    def slot(self, slot: SlotId) -> Slot | None:
        """Return a slot, or None where the catalog has none of that id."""
        return self._layout.slots.get(slot)

    def site_of(self, slot: Slot) -> Site:
        """Return the site that a slot of this catalog is on."""
        return self._layout.sites[slot.site]

    def flight(self, flight: FlightId) -> CompiledFlight | None:
        """Return a flight with its campaign and advertiser, or None where the catalog has none of that id."""
        at = self._flight_table.find(self.hashes.flights[flight])
        return self._records.compiled(at) if at is not None and self._records.id_of(at) == flight else None

    def flight_by_hash(self, hash_: IdHash) -> FlightId | None:
        """Return the id of the flight that a hash stands for, or None where this catalog has none such."""
        at = self._flight_table.find(hash_)
        return None if at is None else self._records.id_of(at)

    def slot_by_hash(self, hash_: IdHash) -> Slot | None:
        """Return the slot that a hash stands for, or None where this catalog has none such."""
        return self._layout.slot_by_hash(hash_)

    def day_at(self, slot: IdHash, second: int) -> int:
        """Return the day of a slot's site at a second of Unix time, in days since 1970; in UTC for an unknown slot."""
        return self._layout.day_at(slot, second)

    def is_internal(self, slot: IdHash, address: IPv4Address | IPv6Address) -> bool:
        """Tell whether an address is of the staff of the site that a slot is on."""
        return self._layout.is_internal(slot, address)

    def creative_by_hash(self, hash_: IdHash, now: datetime) -> LinkTarget | None:
        """Return where a creative's link goes, also for one retired whose time is not over; else None."""
        at = self._creative_table.find(hash_)
        if at is not None:
            return self._link_at(at)
        retired, until = self._retired.get(hash_, (None, now))
        return retired if now < until else None

    def choose(self, question: Question, rng: Random) -> Fill | NoFill:
        """Return the creative that a slot of this catalog shows, or why it shows none."""
        field = self._field(question, rng)
        winner = draw(field.match.tiers, field, rng)
        return self.no_fill(field) if winner is None else self.fill(field, winner, rng)

    def ballot(self, question: Question, rng: Random) -> Ballot:
        """Return who is drawn from for a question; `rng` decides who of those with a pace enters."""
        return Ballot(question, self._field(question, rng), self._records)

    def no_fill(self, field: Field) -> NoFill:
        """Return why nobody runs, on the page that the field has turned to."""
        match, question = field.match, field.question
        reason = why_nobody(self._lists, match, field, question, self._stopped(match.slots))
        return NoFill(question.request, reason, field.asked)

    def fill(self, field: Field, winner: int, rng: Random) -> Fill:
        """Return what a winner shows."""
        question = field.question
        fitting = self._shown.draw(winner, field.limits, question, rng)
        advertiser, campaign, flight = self._records.order_of(winner)
        return Fill(
            question.request,
            self._layout.sites[question.slot.site],
            question.slot,
            advertiser,
            campaign,
            flight,
            fitting.creative,
            fitting.variants,
            fitting.shown,
            field.asked,
            field.disclosures(winner),
        )

    def _field(self, question: Question, rng: Random) -> Field:
        request, slot = question.request, question.slot
        match = self._lists.match(slot.id, request.place, request.topics)
        limits = self._limits.of(slot, request)
        return Field(self._columns, self._records, self._windows, question, limits, match, self._settled, rng)

    def takeovers(self) -> Iterator[tuple[int, frozenset[SlotId]]]:
        """Yield the flights, by position, that take all of their slots in a call or none, and those slots."""
        for at in self._meta.takeovers:
            yield at, self._records.flights.get(at).slots or frozenset()

    def _stopped(self, slots: tuple[int, ...]) -> list[NoFillReason]:
        return [reason for slot, reason in self._meta.stopped if slot in slots]

    def _link_at(self, at: int) -> LinkTarget:
        link = self._links.get(at)
        if link is None:
            link = _link(self._records.creatives.get(at), self._records.campaign_of_creative(at).id)
            self._links.put(at, link)
        return link


def _link(creative: Creative, campaign: CampaignId) -> LinkTarget:
    lengths = frozenset(variant for variant in LENGTHS if creative.variants.get(variant) is not None)
    return LinkTarget(creative.id, campaign, creative.click_url, creative.utm, lengths)


def _retired_links(retired: tuple[RetiredCreative, ...]) -> dict[IdHash, tuple[LinkTarget, datetime]]:
    """Return the links of what was retired; of an id retired twice, the one that lasts longest."""
    return {
        id_hash(Kind.CREATIVE, each.creative.id): (_link(each.creative, each.campaign), each.until)
        for each in sorted(retired, key=lambda each: each.until)
    }
