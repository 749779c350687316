"""Builds the campaigns of a catalog from their rows, and notes every fault on the way."""

from adserver.catalog.build_targeting import Surroundings, TargetingBuilder
from adserver.catalog.positions import FieldPath
from adserver.catalog.rows import (
    CampaignRow,
    CreativeRow,
    FlightRow,
    PriceRow,
    TargetingRow,
    WeightedCreativeRow,
)
from adserver.catalog.texts import measure
from adserver.catalog.unique import Thing
from adserver.domain.catalog import (
    Campaign,
    Cap,
    Creative,
    CreativeWeight,
    Flight,
    Goal,
    Pacing,
    Price,
)
from adserver.domain.ids import AdvertiserId, CampaignId, CreativeId, FlightId, SlotId
from adserver.domain.variants import Variants


class CampaignBuilder:
    """Builds one campaign. For one thread."""

    def __init__(self, around: Surroundings, file: str, index: int) -> None:
        """Take where the campaign stands: its file, and its index there."""
        self._around = around
        self._file = file
        self._path: FieldPath = ("campaigns", index)

    def build(self, row: CampaignRow, advertiser: AdvertiserId) -> Campaign:
        """Return the campaign; with faults noted, it is not fit to be served."""
        self._take_id(Thing.CAMPAIGN, row.id, self._path)
        if row.ends is not None and row.ends < row.starts:
            self._fault((*self._path, "ends"), f"must not be before the start, {row.starts}")
        creatives = tuple(self._creative(creative, number) for number, creative in enumerate(row.creatives))
        flights = tuple(self._flight(flight, number, row) for number, flight in enumerate(row.flights))
        return Campaign(
            id=CampaignId(row.id),
            advertiser=advertiser,
            name=row.name,
            timezone=row.timezone,
            starts=row.starts,
            ends=row.ends,
            creatives=creatives,
            flights=flights,
            status=row.status,
        )

    def _creative(self, row: CreativeRow, number: int) -> Creative:
        self._take_id(Thing.CREATIVE, row.id, (*self._path, "creatives", number))
        words = row.variants
        lengths = (measure(text) if text is not None else None for text in (words.name, words.short, words.long))
        return Creative(
            id=CreativeId(row.id),
            click_url=row.click_url,
            variants=Variants(*lengths),
            utm=tuple((row.utm or {}).items()),
            disclosure=row.disclosure,
        )

    def _flight(self, row: FlightRow, number: int, campaign: CampaignRow) -> Flight:
        path = (*self._path, "flights", number)
        self._take_id(Thing.FLIGHT, row.id, path)
        self._check_days(row, campaign, path)
        return Flight(
            id=FlightId(row.id),
            creatives=self._weights(row, campaign, path),
            slots=self._slots(row, path),
            status=row.status,
            tier=row.tier,
            share=row.share,
            weight=row.weight,
            goal=self._goal(row, campaign, path),
            price=_price(row.price),
            starts=row.starts,
            ends=row.ends,
            repeat=row.repeat,
            takeover=row.takeover,
            caps=tuple(Cap(cap.impressions, cap.per, cap.scope) for cap in row.caps),
            targeting=TargetingBuilder(self._around, self._file).build(
                row.targeting or TargetingRow(), (*path, "targeting")
            ),
        )

    def _check_days(self, row: FlightRow, campaign: CampaignRow, path: FieldPath) -> None:
        starts, ends = row.starts or campaign.starts, row.ends or campaign.ends
        if starts < campaign.starts:
            self._fault((*path, "starts"), f"must not be before the campaign's start, {campaign.starts}")
        if row.starts and campaign.ends and row.starts > campaign.ends:
            self._fault((*path, "starts"), f"must not be after the campaign's end, {campaign.ends}")
        if row.ends and campaign.ends and row.ends > campaign.ends:
            self._fault((*path, "ends"), f"must not be after the campaign's end, {campaign.ends}")
        if row.ends and ends and ends < starts:
            self._fault((*path, "ends"), f"must not be before the start, {starts}")

    def _goal(self, row: FlightRow, campaign: CampaignRow, path: FieldPath) -> Goal | None:
        """Return a goal with its pacing: even, or as soon as possible where the flight has no end to spread it to."""
        if row.goal is None:
            return None
        is_open = row.ends is None and campaign.ends is None
        if is_open and row.goal.pacing in (Pacing.EVEN, Pacing.FRONTLOADED):
            message = f"`{row.goal.pacing}` spreads a goal until the flight ends; give it `ends`, or write asap"
            self._fault((*path, "goal", "pacing"), message)
        return Goal(row.goal.impressions, row.goal.pacing or (Pacing.ASAP if is_open else Pacing.EVEN))

    def _weights(self, row: FlightRow, campaign: CampaignRow, path: FieldPath) -> tuple[CreativeWeight, ...]:
        known = [creative.id for creative in campaign.creatives]
        if row.creatives is None:
            if not known:
                self._fault(path, "has no creative; the campaign must have one at least")
            return tuple(CreativeWeight(CreativeId(id_)) for id_ in known)
        named = [one if isinstance(one, WeightedCreativeRow) else WeightedCreativeRow(id=one) for one in row.creatives]
        seen: set[str] = set()
        for number, one in enumerate(named):
            if one.id not in known:
                self._fault(
                    (*path, "creatives", number), f"the campaign has no creative `{one.id}`; {_there_are(known)}"
                )
            elif one.id in seen:
                self._fault((*path, "creatives", number), f"`{one.id}` stands twice in this list; give it a weight")
            seen.add(one.id)
        return tuple(CreativeWeight(CreativeId(one.id), one.weight) for one in named)

    def _slots(self, row: FlightRow, path: FieldPath) -> frozenset[SlotId] | None:
        if row.slots is None:
            return None
        known = self._around.slots
        for number, id_ in enumerate(row.slots):
            if known is not None and id_ not in known:
                self._fault((*path, "slots", number), f"there is no slot `{id_}`; {_there_are(known)}")
        return frozenset(SlotId(id_) for id_ in row.slots)

    def _take_id(self, thing: Thing, id_: str, path: FieldPath) -> None:
        self._around.ids.take(thing, id_, self._file, (*path, "id"))

    def _fault(self, path: FieldPath, message: str) -> None:
        self._around.faults.add(self._file, path, message)


def _price(row: PriceRow | None) -> Price | None:
    return Price(row.currency, row.cpm, row.flat) if row else None


def _there_are(ids: "frozenset[str] | list[str]") -> str:
    """Return the ids there are, as many as a message bears."""
    listed = sorted(ids)
    if not listed:
        return "there are none"
    return f"there are {', '.join(listed[:20])}{' and more' if len(listed) > 20 else ''}"
