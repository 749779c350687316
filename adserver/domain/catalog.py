"""What may be served: advertisers, campaigns, flights, creatives, sites, slots. Values only, all immutable."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from adserver.domain.hours import Hours
from adserver.domain.ids import AdvertiserId, CampaignId, CreativeId, FlightId, PlaceId, SiteId, SlotId, Topic
from adserver.domain.places import Circle
from adserver.domain.rules import CategoryRule
from adserver.domain.variants import Variant, Variants


class Status(StrEnum):
    """Whether a campaign or flight may run at all."""

    ACTIVE = "active"
    PAUSED = "paused"


class Tier(StrEnum):
    """Which flights are asked first; members stand in that order."""

    SPONSORSHIP = "sponsorship"
    STANDARD = "standard"
    HOUSE = "house"


class Pacing(StrEnum):
    """How a goal is spread over its flight."""

    EVEN = "even"
    FRONTLOADED = "frontloaded"
    ASAP = "asap"


@dataclass(frozen=True, slots=True)
class Advertiser:
    """Who pays."""

    id: AdvertiserId
    name: str
    categories: frozenset[str] = frozenset()
    competes_with: frozenset[str] = frozenset()
    homepage: str | None = None


@dataclass(frozen=True, slots=True)
class Creative:
    """One sponsor message: where its link goes, and its lengths."""

    id: CreativeId
    click_url: str
    """Canonical URL (WHATWG href); macros `{slot} {place} {campaign} {creative} {variant}` in query values only."""
    variants: Variants
    utm: tuple[tuple[str, str], ...] = ()
    """Pairs such as ("source", "america-one"): added to the link as `utm_source`."""
    disclosure: str | None = None


@dataclass(frozen=True, slots=True)
class CreativeWeight:
    """A creative's part within its flight."""

    creative: CreativeId
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Goal:
    """How many net impressions were sold; never exceeded."""

    impressions: int
    pacing: Pacing = Pacing.EVEN


class CapScope(StrEnum):
    """Whose impressions a cap counts."""

    READER = "reader"
    FLIGHT = "flight"


class CapPeriod(StrEnum):
    """For how long a cap counts."""

    VISIT = "visit"
    PAGE = "page"
    DAY = "day"
    """In the campaign's zone."""
    HOUR = "hour"


@dataclass(frozen=True, slots=True)
class Cap:
    """How often a flight shows at most: to one reader in a visit or on a page, or to all in a day or an hour."""

    impressions: int
    per: CapPeriod
    scope: CapScope


@dataclass(frozen=True, slots=True)
class Price:
    """What is billed: per thousand impressions (`cpm`), or once (`flat`); exactly one is set."""

    currency: str
    cpm: Decimal | None = None
    flat: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Targeting:
    """Where a flight runs. No place nor circle, or no topic: everywhere, whatever the topic."""

    places: frozenset[PlaceId] = frozenset()
    exclude_places: frozenset[PlaceId] = frozenset()
    topics: frozenset[Topic] = frozenset()
    exclude_topics: frozenset[Topic] = frozenset()
    near: tuple[Circle, ...] = ()
    """As good as `places`: it runs in any of both."""
    exclude_near: tuple[Circle, ...] = ()
    hours: Hours | None = None
    """In the campaign's zone; None: always."""


@dataclass(frozen=True, slots=True)
class Flight:
    """One line of a campaign's order."""

    id: FlightId
    creatives: tuple[CreativeWeight, ...]
    """At least one."""
    slots: frozenset[SlotId] | None = None
    """None: every slot."""
    status: Status = Status.ACTIVE
    tier: Tier = Tier.STANDARD
    share: int = 100
    """Percent of the matching decisions; sponsorship only."""
    weight: int = 1
    """Part of the draw among equals; standard and house only."""
    goal: Goal | None = None
    price: Price | None = None
    starts: date | None = None
    """First day, in the campaign's zone; None: the campaign's."""
    ends: date | None = None
    """Last day, inclusive, in the campaign's zone; None: the campaign's."""
    repeat: bool = False
    takeover: bool = False
    """It takes all of its slots in a call for a page, or none; then it names them."""
    targeting: Targeting = Targeting()
    caps: tuple[Cap, ...] = ()


def is_capped_for_all(flight: Flight) -> bool:
    """Return whether a flight has a cap of its own, that counts all readers together."""
    return any(cap.scope is CapScope.FLIGHT for cap in flight.caps)


def is_capped_a_reader(flight: Flight) -> bool:
    """Return whether a flight has a cap that counts each reader apart."""
    return any(cap.scope is CapScope.READER for cap in flight.caps)


@dataclass(frozen=True, slots=True)
class Campaign:
    """An advertiser's order."""

    id: CampaignId
    advertiser: AdvertiserId
    name: str
    timezone: str
    """IANA name; dates and hours of the campaign are in it."""
    starts: date
    ends: date | None
    """Last day, inclusive; None: open."""
    creatives: tuple[Creative, ...]
    flights: tuple[Flight, ...]
    status: Status = Status.ACTIVE


@dataclass(frozen=True, slots=True)
class Site:
    """A publication."""

    id: SiteId
    name: str
    home: str
    timezone: str
    label: str = "Sponsor"
    """Without the colon; HTML adds it."""
    lang: str = "en"
    origins: tuple[str, ...] = ()
    """Who may frame its slots; empty: anyone."""
    internal_networks: tuple[str, ...] = ()
    """Of its staff, in CIDR notation: what comes from there is counted as internal."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A position on a site's pages, with its limits."""

    id: SlotId
    site: SiteId
    max_chars: int
    """Limit in grapheme clusters of the text alone."""
    variants: frozenset[Variant] = frozenset({Variant.NAME, Variant.SHORT, Variant.LONG})
    blocked_categories: frozenset[str] = frozenset()
    allow_disclosure: bool = True


@dataclass(frozen=True, slots=True)
class Catalog:
    """All that may be served, whole and checked; `adserver.catalog` makes it, nothing changes it."""

    sites: tuple[Site, ...] = ()
    slots: tuple[Slot, ...] = ()
    advertisers: tuple[Advertiser, ...] = ()
    campaigns: tuple[Campaign, ...] = ()
    rules: tuple[CategoryRule, ...] = ()
    """One a category at most."""


@dataclass(frozen=True, slots=True)
class RetiredCreative:
    """A creative removed less than 48 hours ago: not chosen any more, but a token still finds its link."""

    creative: Creative
    campaign: CampaignId
    until: datetime
    """Aware UTC; from then on the link is gone."""
