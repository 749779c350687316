"""What a page shows is the best that its slots can have together: held to a search of all that is possible."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from random import Random

from decision_worlds import NOW, SLOTS, Chance
from examples import examples
from hypothesis import event, given, settings
from hypothesis import strategies as st

from adserver.decision.assignment import Option, assign, score
from adserver.decision.compiled_flight import CompiledFlight
from adserver.decision.eligibility import judge
from adserver.decision.page import PageSoFar
from adserver.decision.page_call import decide_page
from adserver.decision.question import Question
from adserver.decision.rank import Rank, rank_of
from adserver.decision.snapshot import Snapshot
from adserver.domain.catalog import Advertiser, CapScope, Catalog, Tier
from adserver.domain.decisions import Fill, SlotRequest
from adserver.domain.ids import AdvertiserId

st_seeds = st.integers(0, 2**32)


def is_page(seating: Sequence[Option | None]) -> bool:
    """Tell, pair by pair, whether a page may look like this."""
    seated = [(seat, option) for seat, option in enumerate(seating) if option is not None]
    for seat, option in seated:
        if any(seating[other] is not option for other in option.seats) or seat not in option.seats:
            return False
        fills = [other for _, other in seated if other.flight == option.flight]
        if option.room is not None and len(fills) > option.room:
            return False
    for at, (_, one) in enumerate(seated):
        for _, other in seated[:at]:
            if one is other and len(one.seats) > 1:
                continue
            if one.advertiser.id == other.advertiser.id:
                if not (one.may_repeat and other.may_repeat):
                    return False
            elif one.advertiser.competes_with & other.advertiser.competes_with:
                return False
    return True


def all_pages(options: Sequence[Sequence[Option]]) -> Iterator[tuple[Option | None, ...]]:
    """Yield every page that may be, takeovers standing among the options of each of their seats."""
    choices = [
        [None, *dict.fromkeys(option for others in options for option in others if seat in option.seats)]
        for seat in range(len(options))
    ]
    return (seating for seating in product(*choices) if is_page(seating))


def some_options(rng: Random, seats: int) -> list[list[Option]]:
    labels = ("banks", "shops", "beers")
    named = [frozenset(rng.sample(labels, rng.choice((0, 0, 1, 2)))) for _ in range(4)]
    sponsors = [Advertiser(AdvertiserId(f"s{at}"), f"s{at}", frozenset(), own) for at, own in enumerate(named)]
    rooms = [rng.choice((1, 2)) for _ in sponsors]
    found = []
    for seat in range(seats):
        own = []
        for at in range(rng.randint(0, 4)):
            later = tuple(other for other in range(seat + 1, seats) if rng.random() < 0.5)
            takes = (seat, *later) if rng.random() < 0.15 else (seat,)
            sponsor = rng.randrange(4)
            room = rooms[sponsor] if rng.random() < 0.5 else None
            flight = sponsor if room else 100 + 10 * seat + at
            own.append(Option(flight, rng.randrange(4), sponsors[sponsor], rng.random() < 0.3, takes, room))
        found.append(sorted(own, key=lambda option: option.rank))
    return found


@settings(max_examples=examples(400))
@given(st_seeds, st.integers(0, 5))
def test_no_page_is_better_than_the_one_found(seed: int, seats: int) -> None:
    options = some_options(Random(seed), seats)
    found = assign(options)
    assert is_page(found)
    best = max(map(score, all_pages(options)))
    assert score(found) == best
    event(f"{sum(best[0])} of {seats} seated")


@given(st_seeds)
def test_a_search_cut_short_still_gives_a_page_that_may_be_and_gives_the_first_rank_first(seed: int) -> None:
    options = some_options(Random(seed), 4)
    found = assign(options, most_looks=0)
    assert is_page(found)
    for seat, option in enumerate(found):
        if option is None:
            for other in options[seat]:
                if other.seats == (seat,) and other.rank == 0:
                    assert not is_page([*found[:seat], other, *found[seat + 1 :]])


def shared_whole(catalog: Catalog) -> Catalog:
    """Return the catalog with every share at 100, so that each sponsorship may have what those before it cannot."""
    campaigns = tuple(
        replace(campaign, flights=tuple(replace(flight, share=100) for flight in campaign.flights))
        for campaign in catalog.campaigns
    )
    return replace(catalog, campaigns=campaigns)


def plain_options(snapshot: Snapshot, questions: Sequence[Question]) -> list[list[Option]]:
    """Return, by the plain rules alone, who may have each seat of a page; of each kind one."""
    found: list[list[Option]] = []
    for seat in range(len(questions)):
        own: dict[tuple[object, ...], Option] = {}
        for at, flight in enumerate(snapshot.flights):
            seats = takes(flight, seat, questions)
            if seats is not None and all(stands(flight, questions[one]) for one in seats):
                option = Option(at, rank_of(flight), flight.advertiser, flight.flight.repeat, seats, room(flight))
                own.setdefault((*option[1:], None if option.room is None else at), option)
        found.append(list(own.values()))
    return found


def takes(flight: CompiledFlight, seat: int, questions: Sequence[Question]) -> tuple[int, ...] | None:
    """Return the seats that a flight takes if it takes this one; None where that is not for this seat to say."""
    slots = flight.flight.slots
    if not flight.flight.takeover or slots is None:
        return (seat,)
    seats = tuple(at for at, question in enumerate(questions) if question.slot.id in slots)
    if slots - {question.slot.id for question in questions} or not seats or seats[0] != seat:
        return None
    return seats


def room(flight: CompiledFlight) -> int | None:
    return min((cap.impressions for cap in flight.flight.caps if cap.scope is CapScope.READER), default=None)


def stands(flight: CompiledFlight, question: Question) -> bool:
    page = PageSoFar(takeovers=frozenset({flight.flight.id}))
    (verdict,) = judge((flight,), question._replace(page=page))
    return verdict.stop is None


@settings(max_examples=examples(200))
@given(st_seeds, st.integers(1, 4), st.integers(1, 4))
def test_a_call_has_the_best_ranks_that_the_plain_rules_let_it_have(seed: int, campaigns: int, seats: int) -> None:
    chance = Chance(seed)
    catalog = shared_whole(chance.catalog(campaigns))
    snapshot, counts = Snapshot.build(catalog, 1), chance.delivered(catalog)
    base = chance.request()
    slots = [*SLOTS, chance.rng.choice(SLOTS)][:seats]
    requests = [SlotRequest(slot, base.place, base.topics) for slot in slots]
    decisions = decide_page(requests, snapshot, counts, NOW, Random(seed))
    assert [decision.request for decision in decisions] == requests

    found = {slot.id: slot for slot in snapshot.slots}
    questions = [Question(request, found[request.slot], NOW, counts) for request in requests]
    plain = plain_options(snapshot, questions)
    best = max(map(score, all_pages(plain)), default=score(()))
    assert score(as_options(decisions, snapshot, plain, questions)) == best
    event(f"{sum(best[0])} of {seats}")
    event(f"takeover {any(isinstance(each, Fill) and each.flight.takeover for each in decisions)}")


def as_options(
    decisions: Sequence[object], snapshot: Snapshot, plain: Sequence[Sequence[Option]], questions: Sequence[Question]
) -> list[Option | None]:
    """Return what was decided as a seating, which the plain rules must allow."""
    flights = {flight.flight.id: (at, flight) for at, flight in enumerate(snapshot.flights)}
    seated: list[Option | None] = []
    for seat, decision in enumerate(decisions):
        if not isinstance(decision, Fill):
            seated.append(None)
            continue
        at, flight = flights[decision.flight.id]
        ahead = (takes(flight, one, questions) for one in range(seat + 1))
        seats = next((one for one in ahead if one), (seat,)) if flight.flight.takeover else (seat,)
        assert all(stands(flight, questions[one]) for one in seats)
        option = Option(at, rank_of(flight), flight.advertiser, flight.flight.repeat, seats, room(flight))
        seated.append(next((one for one in seated if one == option), option))
    assert is_page(seated)
    return seated


def test_every_rank_is_known_to_the_search() -> None:
    assert [rank.tier for rank in Rank] == [Tier.SPONSORSHIP, Tier.STANDARD, Tier.STANDARD, Tier.HOUSE]
