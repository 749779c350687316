"""Stored documents with types and defaults: what `build_catalog` builds from and `make_plan` compares.

The schema has checked every value before; these only give the plain data a shape. All immutable.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import TypeVar

import msgspec

from adserver.catalog.documents import JsonObject
from adserver.catalog.texts import MAX_GRAPHEMES
from adserver.domain.catalog import CapPeriod, CapScope, Pacing, Status, Tier
from adserver.domain.errors import Fault, InputRefused
from adserver.domain.hours import WEEKDAYS


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all rows: unknown fields are refused, so that none is ever ignored."""


class AdvertiserRow(Row, frozen=True, kw_only=True):
    """Who pays."""

    id: str
    name: str
    categories: tuple[str, ...] = ()
    competes_with: tuple[str, ...] = ()
    homepage: str | None = None


class VariantsRow(Row, frozen=True, kw_only=True):
    """The three lengths."""

    name: str
    short: str | None = None
    long: str | None = None


class CreativeRow(Row, frozen=True, kw_only=True):
    """One sponsor message."""

    id: str
    click_url: str
    variants: VariantsRow
    utm: Mapping[str, str] | None = None
    disclosure: str | None = None


class GoalRow(Row, frozen=True, kw_only=True):
    """How many net impressions were sold."""

    impressions: int
    pacing: Pacing | None = None


class PriceRow(Row, frozen=True, kw_only=True):
    """What is billed."""

    currency: str
    cpm: Decimal | None = None
    flat: Decimal | None = None


class NearRow(Row, frozen=True, kw_only=True):
    """A town, and how far around it: either in miles or in kilometres."""

    near: str
    miles: int | float | None = None
    km: int | float | None = None


class HoursRow(Row, frozen=True, kw_only=True):
    """When of the week a flight runs."""

    days: tuple[str, ...] = WEEKDAYS
    from_: str = msgspec.field(name="from", default="00:00")
    to: str = "24:00"


class TargetingRow(Row, frozen=True, kw_only=True):
    """Where a flight runs."""

    places: tuple[str | NearRow, ...] = ()
    exclude_places: tuple[str | NearRow, ...] = ()
    topics: tuple[str, ...] = ()
    exclude_topics: tuple[str, ...] = ()
    hours: HoursRow | None = None


class CapRow(Row, frozen=True, kw_only=True):
    """How often a flight shows at most."""

    impressions: int
    per: CapPeriod
    scope: CapScope


class WeightedCreativeRow(Row, frozen=True, kw_only=True):
    """A creative with its part within a flight."""

    id: str
    weight: int = 1


class FlightRow(Row, frozen=True, kw_only=True):
    """One line of a campaign's order."""

    id: str
    slots: tuple[str, ...] | None = None
    status: Status = Status.ACTIVE
    tier: Tier = Tier.STANDARD
    share: int = 100
    weight: int = 1
    goal: GoalRow | None = None
    price: PriceRow | None = None
    starts: date | None = None
    ends: date | None = None
    repeat: bool = False
    takeover: bool = False
    caps: tuple[CapRow, ...] = ()
    targeting: TargetingRow | None = None
    creatives: tuple[str | WeightedCreativeRow, ...] | None = None


class CampaignRow(Row, frozen=True, kw_only=True):
    """An advertiser's order."""

    id: str
    name: str
    timezone: str
    starts: date
    ends: date | None = None
    status: Status = Status.ACTIVE
    creatives: tuple[CreativeRow, ...] = ()
    flights: tuple[FlightRow, ...] = ()


class CampaignFileRow(Row, frozen=True, kw_only=True):
    """A campaign file."""

    advertiser: AdvertiserRow
    campaigns: tuple[CampaignRow, ...] = ()


class SiteRow(Row, frozen=True, kw_only=True):
    """A publication."""

    id: str
    name: str
    home: str
    timezone: str
    label: str = "Sponsor"
    lang: str = "en"
    origins: tuple[str, ...] = ()
    internal_networks: tuple[str, ...] = ()


class SlotRow(Row, frozen=True, kw_only=True):
    """A position on a site's pages."""

    id: str
    site: str
    max_chars: int = MAX_GRAPHEMES
    variants: tuple[str, ...] = ("name", "short", "long")
    blocked_categories: tuple[str, ...] = ()
    allow_disclosure: bool = True


class SlotsFileRow(Row, frozen=True, kw_only=True):
    """The file slots.yaml."""

    sites: tuple[SiteRow, ...] = ()
    slots: tuple[SlotRow, ...] = ()


class StateRuleRow(Row, frozen=True, kw_only=True):
    """What holds in one state."""

    allow: bool
    disclosure: str | None = None


class CategoryRuleRow(Row, frozen=True, kw_only=True):
    """Where advertisers of one category may run."""

    category: str
    as_of: date
    source: str
    default: str = "deny"
    states: Mapping[str, StateRuleRow] = msgspec.field(default_factory=dict)


class RulesFileRow(Row, frozen=True, kw_only=True):
    """The file rules.yaml."""

    rules: tuple[CategoryRuleRow, ...] = ()


_RowT = TypeVar("_RowT", bound=Row)


def read_row(document: JsonObject, row: type[_RowT], file: str) -> _RowT:
    """Return a stored document with its types.

    Raises:
        InputRefused: if it was stored by a version with other fields.
    """
    try:
        return msgspec.convert(document, row)
    except msgspec.ValidationError as error:
        raise InputRefused((Fault("", f"was stored by another version: {error}", file),)) from error
