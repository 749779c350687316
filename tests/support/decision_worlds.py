"""Random catalogs and requests in which every rule stops somebody and somebody often wins; and what the rules say."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import product
from random import Random
from typing import TypeVar

from adserver.decision.compiled_flight import CompiledFlight
from adserver.decision.eligibility import furthest, judge
from adserver.decision.fitting import fitting_creatives
from adserver.decision.paces import ODDS_WHOLE, Pace, Shown
from adserver.decision.page import PageSoFar
from adserver.decision.question import Question
from adserver.decision.rank import Rank, rank_of
from adserver.decision.regulation import disclosures
from adserver.decision.snapshot import Snapshot
from adserver.domain.catalog import (
    Advertiser,
    Campaign,
    Cap,
    CapPeriod,
    CapScope,
    Catalog,
    Creative,
    CreativeWeight,
    Flight,
    Goal,
    Site,
    Slot,
    Status,
    Targeting,
    Tier,
)
from adserver.domain.decisions import Fill, NoFill, SlotRequest
from adserver.domain.hours import Hours
from adserver.domain.ids import AdvertiserId, CampaignId, CreativeId, FlightId, PlaceId, SiteId, SlotId, Topic
from adserver.domain.places import Circle, Place, PlaceLevel
from adserver.domain.reasons import NoFillReason
from adserver.domain.rules import CategoryRule, StateRule
from adserver.domain.variants import LENGTHS, Text, Variant, Variants

NODES = {"us-mn-remer": "us-mn-cass", "us-mn-cass": "us-mn", "us-ia-ames": "us-ia", "us-mn": "us", "us-ia": "us"}
PLACES = tuple(map(PlaceId, ("us", *NODES)))
TOWNS = {"us-mn-remer": (47.06, -93.91), "us-ia-ames": (42.03, -93.63)}
"""And where they are: 559 km apart."""
CIRCLES = (
    Circle(PlaceId("us-mn-remer"), *TOWNS["us-mn-remer"], 60),
    Circle(PlaceId("us-mn-remer"), *TOWNS["us-mn-remer"], 600),
    Circle(PlaceId("us-ia-ames"), *TOWNS["us-ia-ames"], 100),
)
TOPICS = tuple(map(Topic, ("sports", "politics", "obituaries")))
WORDS = ("finance", "alcohol", "banks", "shops")
SLOTS = tuple(map(SlotId, ("masthead", "article-top", "footer")))
ADVERTISERS = tuple(map(AdvertiserId, ("bank", "shop", "brewery", "clinic")))
ZONES = ("America/Chicago", "UTC", "Pacific/Auckland")
DAY = date(2026, 6, 15)
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)

CAPS = (
    (CapScope.READER, CapPeriod.VISIT),
    (CapScope.READER, CapPeriod.PAGE),
    (CapScope.FLIGHT, CapPeriod.DAY),
    (CapScope.FLIGHT, CapPeriod.HOUR),
)

T = TypeVar("T")


class Chance:
    """Makes catalogs and requests; one test's own.

    Drawn from a seed: built value by value, Hypothesis prefers the empty and the first, and next to nothing fills.
    """

    def __init__(self, seed: int, *, most_share: int = 100, most_weight: int = 4) -> None:
        self.rng = Random(seed)
        self.most_share = most_share
        self.most_weight = most_weight

    def maybe(self, percent: int) -> bool:
        return self.rng.random() * 100 < percent

    def some(self, values: Sequence[T], percent: int, at_most: int = 2) -> frozenset[T]:
        """Return one to `at_most` of the values with this chance, else none."""
        return frozenset(self.rng.sample(values, self.rng.randint(1, at_most)) if self.maybe(percent) else ())

    def text(self) -> Text | None:
        length = self.rng.choice((3, 8, 20))
        return Text("x" * length, length, length) if self.maybe(80) else None

    def creative(self, id_: str) -> Creative:
        disclosure = "Paid for" if self.maybe(20) else None
        variants = Variants(self.text(), self.text(), self.text())
        return Creative(CreativeId(id_), "https://example.com/", variants, disclosure=disclosure)

    def day(self) -> date:
        return DAY + timedelta(days=self.rng.randint(-3, 3))

    def flight(self, id_: str, creatives: Sequence[Creative]) -> Flight:
        used = self.rng.sample(creatives, self.rng.randint(1, len(creatives)))
        first, last = sorted((self.day(), self.day()))
        slots = self.some(SLOTS, 60) or None
        return Flight(
            id=FlightId(id_),
            creatives=tuple(CreativeWeight(creative.id, self.rng.randint(1, self.most_weight)) for creative in used),
            slots=slots,
            status=Status.PAUSED if self.maybe(10) else Status.ACTIVE,
            tier=self.rng.choice(tuple(Tier)),
            share=self.rng.randint(1, self.most_share),
            weight=self.rng.randint(1, self.most_weight),
            goal=Goal(self.rng.randint(0, 5)) if self.maybe(50) else None,
            starts=first if self.maybe(20) else None,
            ends=last if self.maybe(20) else None,
            repeat=self.maybe(30),
            takeover=slots is not None and self.maybe(20),
            targeting=Targeting(
                places=self.some(PLACES, 50, 3),
                exclude_places=self.some(PLACES, 15, 1),
                topics=self.some(TOPICS, 30),
                exclude_topics=self.some(TOPICS, 15, 1),
                near=tuple(self.some(CIRCLES, 15)),
                exclude_near=tuple(self.some(CIRCLES, 10, 1)),
                hours=self.hours() if self.maybe(15) else None,
            ),
            caps=tuple(self.cap() for _ in range(self.rng.randint(1, 2))) if self.maybe(20) else (),
        )

    def hours(self) -> Hours:
        first, last = self.rng.randrange(24), self.rng.randint(1, 24)
        days = self.some(range(7), 50, 6) or frozenset(range(7))
        return Hours(days, first * 60, (last if first != last else 24) * 60)

    def cap(self) -> Cap:
        scope, period = self.rng.choice(CAPS)
        return Cap(self.rng.randint(1, 3), period, scope)

    def campaign(self, number: int) -> Campaign:
        creatives = tuple(self.creative(f"creative-{number}-{at}") for at in range(self.rng.randint(1, 3)))
        flights = (self.flight(f"flight-{number}-{at}", creatives) for at in range(self.rng.randint(1, 5)))
        return Campaign(
            id=CampaignId(f"campaign-{number}"),
            advertiser=self.rng.choice(ADVERTISERS),
            name="Campaign",
            timezone=self.rng.choice(ZONES),
            starts=DAY - timedelta(days=3),
            ends=DAY + timedelta(days=3) if self.maybe(50) else None,
            creatives=creatives,
            flights=tuple(flights),
            status=Status.PAUSED if self.maybe(10) else Status.ACTIVE,
        )

    def slot(self, id_: SlotId) -> Slot:
        return Slot(
            id=id_,
            site=SiteId("one"),
            max_chars=self.rng.choice((5, 10, 30)),
            variants=self.some(LENGTHS, 100, 3),
            blocked_categories=self.some(WORDS, 20),
            allow_disclosure=self.maybe(70),
        )

    def catalog(self, campaigns: int) -> Catalog:
        return Catalog(
            sites=(Site(SiteId("one"), "One", "https://one.example/", "UTC"),),
            slots=tuple(map(self.slot, SLOTS)),
            advertisers=tuple(Advertiser(id_, id_, self.some(WORDS, 50), self.some(WORDS, 50)) for id_ in ADVERTISERS),
            campaigns=tuple(map(self.campaign, range(campaigns))),
            rules=tuple(map(self.rule, sorted(self.some(WORDS, 30)))),
        )

    def rule(self, category: str) -> CategoryRule:
        states = sorted(self.some((PlaceId("us-mn"), PlaceId("us-ia")), 80))
        own = (StateRule(state, self.maybe(70), "21+" if self.maybe(40) else None) for state in states)
        return CategoryRule(category, DAY, "a book", self.maybe(60), tuple(own))

    def request(self) -> SlotRequest:
        return SlotRequest(
            slot=self.rng.choice(SLOTS),
            place=place(self.rng.choice((*PLACES, "us-wy"))) if self.maybe(85) else None,
            topics=tuple(self.rng.sample((*TOPICS, Topic("weather")), self.rng.randint(0, 3))),
            variant=self.rng.choice((Variant.AUTO, Variant.AUTO, *LENGTHS)),
            max_chars=self.rng.choice((3, 8, 40)) if self.maybe(30) else None,
            exclude=self.some((*WORDS, "bank", "nobody"), 30),
        )

    def moment(self) -> datetime:
        return NOW + timedelta(hours=self.rng.choice((0, 0, self.rng.randint(-90, 90))))

    def page(self) -> PageSoFar:
        """Return a page as fills make it: without two competitors."""
        page = PageSoFar()
        for shown in self.some(ADVERTISERS, 40):
            page = page.after(Advertiser(shown, shown, frozenset(), frozenset({f"only-{shown}"})))
        return replace(page, labels=page.labels | self.some(WORDS, 20)) if page.advertisers else page

    def delivered(self, catalog: Catalog) -> dict[FlightId, int]:
        flights = [flight.id for campaign in catalog.campaigns for flight in campaign.flights]
        return {flight: self.rng.randint(0, 4) for flight in flights if self.maybe(70)}

    def paces(self, catalog: Catalog, whole: int) -> "FixedPaces | None":
        """Return the pace of most flights that need one; odds of `whole` are one."""
        if self.maybe(20):
            return None
        flights = [flight for campaign in catalog.campaigns for flight in campaign.flights]
        capped = {flight.id for flight in flights if any(cap.scope is CapScope.FLIGHT for cap in flight.caps)}
        return FixedPaces(
            {
                flight.id: Pace(
                    self.rng.choice((whole, whole, self.rng.randint(0, whole))),
                    self.rng.choice((0, 1, 5)),
                    flight.id in capped and self.maybe(50),
                )
                for flight in flights
                if (flight.goal is not None or flight.id in capped) and self.maybe(85)
            }
        )

    def shown(self, catalog: Catalog) -> dict[FlightId, Shown]:
        flights = [flight.id for campaign in catalog.campaigns for flight in campaign.flights]
        return {flight: Shown(self.rng.randint(0, 3), self.rng.randint(0, 2)) for flight in flights if self.maybe(40)}


@dataclass(frozen=True)
class FixedPaces:
    """`Paces` that never change."""

    paces: dict[FlightId, Pace]

    def of(self, flight: FlightId) -> Pace | None:
        return self.paces.get(flight)


def place(id_: str) -> Place:
    chain = [PlaceId(id_)]
    while chain[-1] != "us":
        chain.append(PlaceId(NODES.get(chain[-1], "us")))
    level = PlaceLevel.TOWN if id_ in TOWNS else PlaceLevel.COUNTY
    return Place(PlaceId(id_), id_, level, tuple(chain), *TOWNS.get(id_, (45.0, -93.7)))


@dataclass(frozen=True)
class Plainly:
    """What the rules, asked of every flight, say of a question."""

    chances: dict[tuple[str, str], Fraction]
    """Of each flight and creative that may win; what is missing to 1 is no fill."""
    reasons: frozenset[NoFillReason]
    """Of a no fill: one, or one of two where it depends on who entered the draw."""


def ask_plainly(snapshot: Snapshot, question: Question, percent: int = 100, whole_odds: int = ODDS_WHOLE) -> Plainly:
    """Return what the definition of tiers, shares, weights and odds comes to, by fractions and without a draw."""
    verdicts = judge(snapshot.flights, question)
    chances: dict[tuple[str, str], Fraction] = {}
    reasons: set[NoFillReason] = set()
    left, sure = Fraction(1), False
    odds: dict[FlightId, Fraction] = {}
    for rank in Rank:
        eligible = [each.flight for each in verdicts if each.stop is None and rank_of(each.flight) is rank]
        odds |= {flight.flight.id: odds_of(flight.flight, question, whole_odds) for flight in eligible}
        won: dict[FlightId, Fraction] = defaultdict(Fraction)
        nobody = Fraction(0)
        for entering, chance in subsets(eligible, odds):
            parts = sum(flight.part for flight in entering)
            whole = max(percent, parts) if rank is Rank.SHARES else parts
            for flight in entering:
                won[flight.flight.id] += chance * Fraction(flight.part, whole)
            nobody += chance * (1 - Fraction(parts, whole) if entering else 1)
        for flight in eligible:
            required = disclosures(flight.rules, question.request.place)
            fitting = fitting_creatives(flight.creatives, question.slot, question.request, required)
            weights = sum(weight for _, weight in fitting)
            for creative, weight in fitting:
                key = (str(flight.flight.id), str(creative.creative.id))
                chances[key] = left * won[flight.flight.id] * Fraction(weight, weights)
        left *= nobody
        sure = sure or any(odds[flight.flight.id] == 1 for flight in eligible)
    if not sure:
        reasons.add(furthest(NoFillReason.PACING if each.stop is None else each.stop.reason for each in verdicts))
    if any(odds.values()):
        reasons.add(NoFillReason.LOST_DRAW)
    return Plainly({key: chance for key, chance in chances.items() if chance}, frozenset(reasons))


def odds_of(flight: Flight, question: Question, whole: int) -> Fraction:
    """Return the chance of a flight that nothing stops to enter the draw."""
    pace = question.paces.of(flight.id) if question.paces is not None else None
    is_paced = flight.goal is not None or bool(flight.caps)
    return Fraction(pace.odds, whole) if pace is not None and is_paced else Fraction(1)


def subsets(
    flights: Sequence[CompiledFlight], odds: dict[FlightId, Fraction]
) -> Iterator[tuple[list[CompiledFlight], Fraction]]:
    """Yield who may enter the draw together, and the chance of it."""
    for entering in product((True, False), repeat=len(flights)):
        chance = Fraction(1)
        for flight, enters in zip(flights, entering, strict=True):
            chance *= odds[flight.flight.id] if enters else 1 - odds[flight.flight.id]
        if chance:
            yield [flight for flight, enters in zip(flights, entering, strict=True) if enters], chance


def outcome(decision: Fill | NoFill) -> tuple[str, str] | NoFillReason:
    return (decision.flight.id, decision.creative.id) if isinstance(decision, Fill) else decision.reason
