"""The marshmallow schema of campaign files and slots.yaml: what each file may hold, taken alone."""

from collections.abc import Mapping
from typing import Final

from marshmallow import ValidationError, validates_schema

from adserver.catalog.documents import JsonObject, JsonValue
from adserver.catalog.fields import Checked, Choice, Flag, ListOf, Money, Whole
from adserver.catalog.links import clean_click_url, clean_origin, clean_page_url, clean_utm
from adserver.catalog.strict_schema import StrictSchema, nested
from adserver.catalog.targeting_schema import TargetingSchema
from adserver.catalog.texts import MAX_GRAPHEMES
from adserver.catalog.word_fields import (
    Currency,
    Day,
    Language,
    Link,
    NetworkWord,
    Slug,
    Words,
    Zone,
)
from adserver.domain.catalog import CapPeriod, CapScope, Pacing, Status, Tier
from adserver.domain.variants import LENGTHS

MAX_WEIGHT: Final = 1_000_000
MAX_GOAL: Final = 1_000_000_000_000
MAX_NAME: Final = 200
MAX_LABEL: Final = 40

_PERIODS: Final = {
    CapScope.READER: (CapPeriod.VISIT, CapPeriod.PAGE),
    CapScope.FLIGHT: (CapPeriod.DAY, CapPeriod.HOUR),
}
_CLICK_URL: Final = "an https://, mailto: or tel: link"
_PAGE_URL: Final = "an https:// link"


class AdvertiserSchema(StrictSchema):
    """Who pays."""

    id = Slug(required=True)
    name = Words(limit=MAX_NAME, required=True)
    categories = ListOf(Slug(), "labels")
    competes_with = ListOf(Slug(), "labels")
    homepage = Link(clean_page_url, _PAGE_URL, allow_none=True)


class VariantsSchema(StrictSchema):
    """The three lengths."""

    name = Words(required=True)
    short = Words(allow_none=True)
    long = Words(allow_none=True)


class UtmSchema(StrictSchema):
    """What is added to the link as `utm_…`."""

    source = Words(clean=clean_utm)
    medium = Words(clean=clean_utm)
    campaign = Words(clean=clean_utm)
    term = Words(clean=clean_utm)
    content = Words(clean=clean_utm)
    id = Words(clean=clean_utm)


class CreativeSchema(StrictSchema):
    """One sponsor message."""

    id = Slug(required=True)
    click_url = Link(clean_click_url, _CLICK_URL, required=True)
    utm = nested(UtmSchema, allow_none=True)
    disclosure = Words(allow_none=True)
    variants = nested(VariantsSchema, required=True)

    @validates_schema(skip_on_field_errors=False)
    def check_utm(self, data: JsonObject, **kwargs: object) -> None:
        """Refuse utm values that have no web page to go to."""
        del kwargs
        if data.get("utm") and str(data.get("click_url")).startswith(("mailto:", "tel:")):
            raise ValidationError("goes with https:// links only; leave it out", "utm")


class GoalSchema(StrictSchema):
    """How many net impressions were sold."""

    impressions = Whole(1, MAX_GOAL, required=True)
    pacing = Choice(Pacing)


class CapSchema(StrictSchema):
    """How often a flight shows at most."""

    impressions = Whole(1, MAX_GOAL, required=True)
    per = Choice(CapPeriod, required=True)
    scope = Choice(CapScope, required=True)

    @validates_schema(skip_on_field_errors=True)
    def check_scope(self, data: JsonObject, **kwargs: object) -> None:
        """Refuse a period that the scope does not have."""
        del kwargs
        scope, taken = str(data["scope"]), _PERIODS[CapScope(str(data["scope"]))]
        if data["per"] not in taken:
            raise ValidationError(f"must be {' or '.join(taken)} where the scope is {scope}", "per")


class PriceSchema(StrictSchema):
    """What is billed."""

    cpm = Money()
    flat = Money()
    currency = Currency()

    @validates_schema(skip_on_field_errors=True)
    def check_one(self, data: JsonObject, **kwargs: object) -> None:
        """Refuse two prices, or none."""
        del kwargs
        if (data.get("cpm") is None) == (data.get("flat") is None):
            raise ValidationError("must have either cpm or flat")


class WeightedCreativeSchema(StrictSchema):
    """A creative with its part within a flight."""

    id = Slug(required=True)
    weight = Whole(1, MAX_WEIGHT)


class CreativeReference(Checked[JsonValue]):
    """A creative's id, or a mapping of id and weight."""

    def __init__(self) -> None:
        super().__init__("a creative's id, or {id: …, weight: …}")
        self._slug = Slug()
        self._weighted = WeightedCreativeSchema()

    def read(self, value: object) -> JsonValue:
        """Return the reference as written."""
        if isinstance(value, Mapping):
            loaded: JsonObject = self._weighted.load(value)
            return loaded
        if not isinstance(value, str):
            raise self.wrong(value)
        return self._slug.read(value)


class FlightSchema(StrictSchema):
    """One line of a campaign's order."""

    id = Slug(required=True)
    slots = ListOf(Slug(), "slots", least=1)
    status = Choice(Status)
    tier = Choice(Tier)
    share = Whole(1, 100)
    weight = Whole(1, MAX_WEIGHT)
    goal = nested(GoalSchema, allow_none=True)
    price = nested(PriceSchema, allow_none=True)
    starts = Day()
    ends = Day()
    repeat = Flag()
    takeover = Flag()
    caps = ListOf(nested(CapSchema), "caps")
    targeting = nested(TargetingSchema, allow_none=True)
    creatives = ListOf(CreativeReference(), "creatives", least=1)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def check_tier(self, data: JsonObject, original: JsonObject, **kwargs: object) -> None:
        """Refuse a share or weight that the tier would ignore."""
        del kwargs
        if "tier" in original and "tier" not in data:
            return  # no tier at all: that is a fault of its own
        sponsorship = data.get("tier") == Tier.SPONSORSHIP
        if sponsorship and "weight" in data:
            raise ValidationError("goes with the tiers standard and house; a sponsorship has a share", "weight")
        if not sponsorship and "share" in data:
            raise ValidationError("goes with `tier: sponsorship`; standard and house have a weight", "share")

    @validates_schema(skip_on_field_errors=False)
    def check_takeover(self, data: JsonObject, **kwargs: object) -> None:
        """Refuse a takeover that does not say what it takes."""
        del kwargs
        if data.get("takeover") is True and not data.get("slots"):
            raise ValidationError("takes over the slots that it names; write `slots` too", "takeover")


class CampaignSchema(StrictSchema):
    """An advertiser's order."""

    id = Slug(required=True)
    name = Words(limit=MAX_NAME, required=True)
    status = Choice(Status)
    starts = Day(required=True)
    ends = Day()
    timezone = Zone()
    creatives = ListOf(nested(CreativeSchema), "creatives")
    flights = ListOf(nested(FlightSchema), "flights")


class CampaignFileSchema(StrictSchema):
    """A campaign file."""

    advertiser = nested(AdvertiserSchema, required=True)
    campaigns = ListOf(nested(CampaignSchema), "campaigns")


class SiteSchema(StrictSchema):
    """A publication."""

    id = Slug(required=True)
    name = Words(limit=MAX_NAME, required=True)
    home = Link(clean_page_url, _PAGE_URL, required=True)
    timezone = Zone()
    label = Words(limit=MAX_LABEL)
    lang = Language()
    origins = ListOf(Link(clean_origin, "an origin such as https://news.example"), "origins")
    internal_networks = ListOf(NetworkWord(), "networks")


class SlotSchema(StrictSchema):
    """A position on a site's pages."""

    id = Slug(required=True)
    site = Slug(required=True)
    max_chars = Whole(1, MAX_GRAPHEMES)
    variants = ListOf(Choice(LENGTHS), "lengths", least=1)
    blocked_categories = ListOf(Slug(), "labels")
    allow_disclosure = Flag()


class SlotsFileSchema(StrictSchema):
    """The file slots.yaml."""

    sites = ListOf(nested(SiteSchema), "sites", required=True)
    slots = ListOf(nested(SlotSchema), "slots", required=True)
