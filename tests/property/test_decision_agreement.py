"""The index, its memories and the draw decide as a plain scan through the rules does, in any catalog at any moment."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import TypeVar

from hypothesis import event, given
from hypothesis import strategies as st

from adserver.decision.compiled_flight import CompiledFlight
from adserver.decision.decide import decide, decide_page
from adserver.decision.draw import draw
from adserver.decision.eligibility import FIT_RULES, TARGET_RULES, Verdict, first_stop, furthest, judge
from adserver.decision.fitting import fitting_creatives
from adserver.decision.lineup import Candidate, Lineup, make_lineup
from adserver.decision.page import PageSoFar
from adserver.decision.question import Question
from adserver.decision.snapshot import Snapshot
from adserver.domain.catalog import (
    Advertiser,
    Campaign,
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
from adserver.domain.ids import AdvertiserId, CampaignId, CreativeId, FlightId, PlaceId, SiteId, SlotId, Topic
from adserver.domain.places import Place, PlaceLevel
from adserver.domain.reasons import NoFillReason
from adserver.domain.variants import LENGTHS, Text, Variant, Variants

NODES = {"us-mn-remer": "us-mn-cass", "us-mn-cass": "us-mn", "us-ia-ames": "us-ia", "us-mn": "us", "us-ia": "us"}
PLACES = tuple(map(PlaceId, ("us", *NODES)))
TOPICS = tuple(map(Topic, ("sports", "politics", "obituaries")))
WORDS = ("finance", "alcohol", "banks", "shops")
SLOTS = tuple(map(SlotId, ("masthead", "article-top", "footer")))
ADVERTISERS = tuple(map(AdvertiserId, ("bank", "shop", "brewery", "clinic")))
ZONES = ("America/Chicago", "UTC", "Pacific/Auckland")
DAY = date(2026, 6, 15)
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)

T = TypeVar("T")


class Chance:
    """Makes catalogs and requests in which every rule stops somebody and somebody often wins; one test's own.

    Drawn from a seed: built value by value, Hypothesis prefers the empty and the first, and next to nothing fills.
    """

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)

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
        return Flight(
            id=FlightId(id_),
            creatives=tuple(CreativeWeight(creative.id, self.rng.randint(1, 4)) for creative in used),
            slots=self.some(SLOTS, 60) or None,
            status=Status.PAUSED if self.maybe(10) else Status.ACTIVE,
            tier=self.rng.choice(tuple(Tier)),
            share=self.rng.randint(1, 100),
            weight=self.rng.randint(1, 4),
            goal=Goal(self.rng.randint(0, 5)) if self.maybe(50) else None,
            starts=first if self.maybe(20) else None,
            ends=last if self.maybe(20) else None,
            repeat=self.maybe(30),
            targeting=Targeting(
                places=self.some(PLACES, 50, 3),
                exclude_places=self.some(PLACES, 15, 1),
                topics=self.some(TOPICS, 30),
                exclude_topics=self.some(TOPICS, 15, 1),
            ),
        )

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
        )

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


def place(id_: str) -> Place:
    chain = [PlaceId(id_)]
    while chain[-1] in NODES:
        chain.append(PlaceId(NODES[chain[-1]]))
    return Place(PlaceId(id_), id_, PlaceLevel.TOWN, tuple(chain), 0.0, 0.0)


def plain_lineup(snapshot: Snapshot, question: Question) -> Lineup:
    """Return the lineup by asking every rule of every flight."""
    standing = TARGET_RULES + FIT_RULES
    passing = [flight for flight in snapshot.flights if first_stop(standing, flight, question) is None]
    return make_lineup([plain_candidate(flight, question) for flight in passing])


def plain_candidate(flight: CompiledFlight, question: Question) -> Candidate:
    fitting = fitting_creatives(flight.creatives, question.slot, question.request)
    return Candidate(
        flight, tuple(creative for creative, _ in fitting), tuple(accumulate(weight for _, weight in fitting))
    )


def plain_outcome(snapshot: Snapshot, question: Question, rng: Random) -> tuple[str, str] | NoFillReason:
    """Return the winning flight and creative, or why nothing runs, by the plain scan and the same chance."""
    verdicts = judge(snapshot.flights, question)
    eligible = {verdict.flight for verdict in verdicts if verdict.stop is None}
    winner = draw(plain_lineup(snapshot, question), eligible.__contains__, rng)
    if winner is None:
        return furthest(map(no_win, verdicts))
    at = 0
    if len(winner.creatives) > 1:
        point = rng.randrange(winner.bounds[-1])
        at = next(at for at, bound in enumerate(winner.bounds) if point < bound)
    return winner.flight.flight.id, winner.creatives[at].creative.id


def no_win(verdict: Verdict) -> NoFillReason:
    return NoFillReason.LOST_DRAW if verdict.stop is None else verdict.stop.reason


def shape(lineup: Lineup) -> list[tuple[Tier, tuple[int, ...], list[tuple[str, object, tuple[int, ...]]]]]:
    return [
        (ranks.tier, ranks.bounds, [(each.flight.flight.id, each.creatives, each.bounds) for each in ranks.candidates])
        for ranks in lineup.tiers
    ]


def outcome(decision: Fill | NoFill) -> tuple[str, str] | NoFillReason:
    return (decision.flight.id, decision.creative.id) if isinstance(decision, Fill) else decision.reason


st_seeds = st.integers(0, 2**32)
st_campaigns = st.integers(0, 8)


@given(st_seeds, st_campaigns)
def test_decisions_agree_with_the_plain_scan(seed: int, campaigns: int) -> None:
    chance = Chance(seed)
    catalog = chance.catalog(campaigns)
    snapshot, counts = Snapshot.build(catalog, 1), chance.delivered(catalog)
    asked = [(chance.request(), chance.moment(), chance.page()) for _ in range(8)]
    for request, now, page in asked * 2:  # the second time from memory
        slot = snapshot.slot(request.slot)
        assert slot is not None
        question = Question(request, slot, now, counts, page)
        assert shape(snapshot.lineup(question)) == shape(plain_lineup(snapshot, question))
        decision = decide(request, snapshot, counts, now, Random(seed), page)
        assert outcome(decision) == plain_outcome(snapshot, question, Random(seed))
        event(decision.reason if isinstance(decision, NoFill) else f"fill by {decision.flight.tier}")


@given(st_seeds, st_campaigns)
def test_no_call_shows_competitors_or_a_sponsor_twice_unasked(seed: int, campaigns: int) -> None:
    chance = Chance(seed)
    catalog = chance.catalog(campaigns)
    requests = [replace(chance.request(), exclude=frozenset()) for _ in range(6)]
    counts, rng = chance.delivered(catalog), Random(seed)
    decisions = decide_page(requests, Snapshot.build(catalog, 1), counts, NOW, rng)
    assert [decision.request for decision in decisions] == requests
    fills = [decision for decision in decisions if isinstance(decision, Fill)]
    for at, later in enumerate(fills):
        for earlier in fills[:at]:
            if earlier.advertiser == later.advertiser:
                assert later.flight.repeat
            else:
                assert not earlier.advertiser.competes_with & later.advertiser.competes_with
    event(f"{len(fills)} fills")


@given(st_seeds, st_campaigns)
def test_every_fill_keeps_every_limit(seed: int, campaigns: int) -> None:
    chance = Chance(seed)
    catalog = chance.catalog(campaigns)
    snapshot, counts = Snapshot.build(catalog, 1), chance.delivered(catalog)
    decisions = [decide(chance.request(), snapshot, counts, NOW, chance.rng) for _ in range(20)]
    for fill in decisions:
        if isinstance(fill, Fill):
            assert_within_limits(fill, counts)


def assert_within_limits(fill: Fill, counts: dict[FlightId, int]) -> None:
    slot, flight, request = fill.slot, fill.flight, fill.request
    held = {length: text for length in LENGTHS if (text := fill.variants.get(length))}
    assert fill.shown == max(held, key=lambda length: length.code)
    assert held.keys() <= slot.variants & ({request.variant} if request.variant is not Variant.AUTO else set(LENGTHS))
    assert all(text.graphemes <= min(slot.max_chars, request.max_chars or 99) for text in held.values())
    assert slot.allow_disclosure or fill.disclosure is None
    assert fill.creative.id in {entry.creative for entry in flight.creatives}
    assert flight.goal is None or counts.get(flight.id, 0) < flight.goal.impressions
    assert flight.slots is None or slot.id in flight.slots
    assert not request.exclude & {fill.advertiser.id, *fill.advertiser.categories, *fill.advertiser.competes_with}
