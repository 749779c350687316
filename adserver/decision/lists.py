"""Which lists of flights a request brings together: by its slot, place and topics."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random
from typing import Final, NamedTuple, TypeAlias

from adserver.decision.image import Image
from adserver.decision.keys import ANY, prefix
from adserver.decision.limits import Limits
from adserver.decision.memo import Memo
from adserver.decision.meta import Meta
from adserver.decision.rank import Rank
from adserver.domain.ids import PlaceId, SlotId, Topic
from adserver.domain.places import Place
from adserver.places.circles import CircleIndex

MATCHES_WEIGHT: Final = 200_000
"""Lists that all remembered matches refer to together: about 20 MB."""
EMPTY_MATCH_WEIGHT: Final = 5
PREFIXES_REMEMBERED: Final = 50_000
PLACES_REMEMBERED: Final = 8_192

_NOTHING: Final = range(0)


class Before(NamedTuple):
    """What a request looks up before a list: a flight that stands there too is found there, and here once more."""

    places: frozenset[int]
    topics: frozenset[int]


Pick: TypeAlias = tuple[int, int]
"""A flight that was picked, and the part of its ranks that it was picked from; a plain tuple, for there are many."""


@dataclass(slots=True, eq=False)
class Proof:
    """Between which seconds some sponsorships, which nothing but their days can stop, hold all of the draw.

    Shared by all threads: one assignment replaces it.
    """

    _known: tuple[Limits, range] | None = None

    def note(self, limits: Limits, seconds: range) -> None:
        """Remember that they do, for requests of these limits."""
        self._known = (limits, seconds)

    def holds(self, limits: Limits, second: int) -> bool:
        """Return whether they do, as far as is known."""
        known = self._known
        return known is not None and second in known[1] and limits == known[0]


@dataclass(frozen=True, slots=True, eq=False)
class Ranks:
    """The flights of one draw, in one part a list. Immutable; its numbers lie in the image or in memory of its own."""

    rank: Rank
    members: "memoryview[int]"
    """Positions of flights, all lists after each other."""
    inner: "memoryview[int]"
    """Cumulative shares or weights of `members`, in each list from its own beginning."""
    parts: tuple[range, ...]
    """Where each part stands in `members` and `inner`; none is empty."""
    bounds: tuple[int, ...]
    """Cumulative shares or weights of the parts."""
    before: tuple[Before | None, ...]
    """By part; None where nothing is looked up before it."""
    is_settled: bool = False
    """Whether the rules that ask for neither counts nor page were asked of all of them."""
    proof: Proof = field(default_factory=Proof)

    @property
    def total(self) -> int:
        """All shares or weights together, those of a flight in two lists counting twice."""
        return self.bounds[-1] if self.bounds else 0

    @property
    def size(self) -> int:
        """How many members all parts have."""
        return sum(map(len, self.parts))

    def pick(self, rng: Random) -> Pick:
        """Draw a member in proportion to its share or weight."""
        return self.at(rng.randrange(self.bounds[-1]))

    def at(self, point: int) -> Pick:
        """Return the member whose half-open interval holds a point of [0, total)."""
        part = bisect_right(self.bounds, point) if len(self.bounds) > 1 else 0
        if part:
            point -= self.bounds[part - 1]
        own = self.parts[part]
        return self.members[bisect_right(self.inner, point, own.start, own.stop)], part

    def all(self) -> Iterator[Pick]:
        """Yield all members, in their order."""
        for part, own in enumerate(self.parts):
            for at in own:
                yield self.members[at], part


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """All that a request's slot, place and topics bring together. Immutable."""

    slots: tuple[int, int]
    """Numbers: any, then the slot's own."""
    places: tuple[int, ...]
    """Numbers: those of the place and what contains it, circles too, as far as flights name them, then any."""
    topics: tuple[int, ...]
    """Numbers: none, then those of the page, as far as flights name them, sorted."""
    tiers: tuple[Ranks, ...]
    """Those that have members, first asked first."""


class FlightLists:
    """The lists of a compiled catalog. Shared by all threads: immutable, but for bounded memories."""

    __slots__ = (
        "_bounds", "_circles", "_first", "_first_circle", "_matches", "_members", "_place_memo", "_place_numbers",
        "_prefix_first", "_prefix_memo", "_prefixes", "_slot_numbers", "_topic_numbers", "_topics",
    )  # fmt: skip

    def __init__(self, image: Image, meta: Meta) -> None:
        """Take the lists of an image.

        Raises:
            ImageUnreadable: it lacks them.
        """
        self._slot_numbers = meta.slot_numbers
        self._place_numbers = meta.place_numbers
        self._circles = CircleIndex(meta.circles)
        self._first_circle = len(meta.place_numbers) + 1
        self._topic_numbers = meta.topic_numbers
        self._members = image.numbers("list_members", "I")
        self._bounds = image.numbers("list_bounds", "Q")
        self._first = image.numbers("list_first", "I")
        """Where the members of a list begin, rank by rank: of list n at 4n to 4n + 3."""
        self._topics = image.numbers("list_topics", "I")
        """The topic of each list; the lists of one prefix stand together, sorted by it."""
        self._prefixes = image.numbers("prefixes", "Q")
        """Slot and place of the lists, sorted; see `keys`."""
        self._prefix_first = image.numbers("prefix_first", "I")
        self._place_memo: Memo[PlaceId, tuple[int, ...]] = Memo(PLACES_REMEMBERED)
        self._prefix_memo: Memo[int, range] = Memo(PREFIXES_REMEMBERED)
        self._matches: Memo[tuple[SlotId, tuple[int, ...], tuple[int, ...]], Match] = Memo(MATCHES_WEIGHT)

    def match(self, slot: SlotId, place: Place | None, topics: tuple[Topic, ...]) -> Match:
        """Return what a request brings together."""
        places = () if place is None else self._places_of(place)
        known = self._topic_numbers
        words = tuple(sorted({known[topic] for topic in topics if topic in known})) if topics else ()
        match = self._matches.get((slot, places, words))
        if match is None:
            match = self._match(self._slot_numbers[slot], (*places, ANY), (ANY, *words))
            lists = sum(len(ranks.parts) for ranks in match.tiers)
            self._matches.put((slot, places, words), match, EMPTY_MATCH_WEIGHT + lists)
        return match

    def other_topics(self, match: Match) -> Iterator[int]:
        """Yield the flights whose lists are those of the slot and the place, but of none of the topics."""
        for slot in match.slots:
            for place in match.places:
                yield from self._flights_of(
                    number for number in self._lists(prefix(slot, place)) if self._topics[number] not in match.topics
                )

    def other_places(self, match: Match) -> Iterator[int]:
        """Yield the flights whose lists are those of the slot, but neither of the place nor of what contains it."""
        for slot in match.slots:
            first = bisect_left(self._prefixes, prefix(slot, ANY))
            own = {prefix(slot, place) for place in match.places}
            for at in range(first, bisect_left(self._prefixes, prefix(slot + 1, ANY))):
                if self._prefixes[at] not in own:
                    yield from self._flights_of(iter(range(self._prefix_first[at], self._prefix_first[at + 1])))

    def _places_of(self, place: Place) -> tuple[int, ...]:
        """Return the numbers of a place, what contains it and its circles, as far as flights name them."""
        known = self._place_memo.get(place.id)
        if known is None:
            numbers = self._place_numbers
            circles = (self._first_circle + at for at in self._circles.around(place))
            known = (*(numbers[node] for node in place.chain if node in numbers), *circles)
            self._place_memo.put(place.id, known)
        return known

    def _match(self, slot: int, places: tuple[int, ...], topics: tuple[int, ...]) -> Match:
        found: list[tuple[int, Before | None]] = []
        for number in (ANY, slot):
            for nth_place, place in enumerate(places):
                lists = self._lists(prefix(number, place))
                for nth_topic, topic in enumerate(topics):
                    at = bisect_left(self._topics, topic, lists.start, lists.stop)
                    if at < lists.stop and self._topics[at] == topic:
                        found.append((at, _before(places[:nth_place], topics[:nth_topic])))
        tiers = (self._ranks(rank, found) for rank in Rank)
        return Match((ANY, slot), places, topics, tuple(ranks for ranks in tiers if ranks is not None))

    def _ranks(self, rank: Rank, found: list[tuple[int, Before | None]]) -> Ranks | None:
        each = len(Rank)
        parts = [
            (own, before)
            for at, before in found
            if (own := range(self._first[each * at + rank], self._first[each * at + rank + 1]))
        ]
        if not parts:
            return None
        return Ranks(
            rank,
            self._members,
            self._bounds,
            tuple(own for own, _ in parts),
            tuple(accumulate(self._bounds[own.stop - 1] for own, _ in parts)),
            tuple(before for _, before in parts),
        )

    def _lists(self, wanted: int) -> range:
        """Return the numbers of the lists of one slot and place."""
        lists = self._prefix_memo.get(wanted)
        if lists is None:
            at = bisect_left(self._prefixes, wanted)
            found = at < len(self._prefixes) and self._prefixes[at] == wanted
            lists = range(self._prefix_first[at], self._prefix_first[at + 1]) if found else _NOTHING
            self._prefix_memo.put(wanted, lists)
        return lists

    def _flights_of(self, lists: Iterator[int]) -> Iterator[int]:
        each = len(Rank)
        for number in lists:
            yield from self._members[self._first[each * number] : self._first[each * (number + 1)]]


def _before(places: tuple[int, ...], topics: tuple[int, ...]) -> Before | None:
    """Return what is looked up before a list, without the lists that a flight with any place or topic is not in."""
    named = frozenset(topics) - {ANY}
    return Before(frozenset(places), named) if places or named else None
