"""The ordered rules: why a flight may not run, each a small check with its reason.

This list is the meaning of the catalog. A decision finds flights by `lists` and asks `gate`, for speed; property tests
hold both to this one.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from adserver.decision.compiled_flight import CompiledFlight
from adserver.decision.fitting import char_limit, disclosable, fit
from adserver.decision.hours import is_within
from adserver.decision.paces import NEVER_SHOWN, ODDS_WHOLE, Pace
from adserver.decision.page import is_competitor, is_excluded, is_repeated
from adserver.decision.question import Question
from adserver.decision.regulation import disclosures, objection
from adserver.domain.catalog import CapPeriod, CapScope, Tier
from adserver.domain.ids import PlaceId
from adserver.domain.places import Circle, Place
from adserver.domain.reasons import NoFillReason
from adserver.domain.variants import Variant
from adserver.places.circles import lies_in

Check = Callable[[CompiledFlight, Question], str | None]
"""Says what stops the flight, for people, or None."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a flight may not run. Immutable."""

    reason: NoFillReason
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A flight, and the first rule that stops it; None where it may enter the draw. Immutable."""

    flight: CompiledFlight
    stop: Stop | None


class Rule(NamedTuple):
    """A check and the reason it gives. Immutable; a tuple, for decisions walk through it."""

    reason: NoFillReason
    check: Check


def first_stop(rules: Iterable[Rule], flight: CompiledFlight, question: Question) -> Stop | None:
    """Return the first of the rules that stops the flight, or None."""
    for reason, check in rules:
        detail = check(flight, question)
        if detail is not None:
            return Stop(reason, detail)
    return None


def judge(flights: Iterable[CompiledFlight], question: Question) -> tuple[Verdict, ...]:
    """Return, for each flight, the first of all rules that stops it: the plain scan, for explaining and for tests."""
    return tuple(Verdict(flight, first_stop(RULES, flight, question)) for flight in flights)


def settle(verdicts: Iterable[Verdict], winner: CompiledFlight | None) -> tuple[Verdict, ...]:
    """Return the verdicts once the draw is held: who could run but did not win was in a lower tier, or lost it."""
    return tuple(
        verdict if verdict.stop is not None or _is(verdict.flight, winner) else Verdict(verdict.flight, stop)
        for verdict in verdicts
        for stop in (_draw_stop(verdict.flight, winner),)
    )


def _is(flight: CompiledFlight, winner: CompiledFlight | None) -> bool:
    return winner is not None and flight.flight.id == winner.flight.id


def _draw_stop(flight: CompiledFlight, winner: CompiledFlight | None) -> Stop:
    tier = flight.flight.tier
    if winner is None or _TIERS.index(tier) <= _TIERS.index(winner.flight.tier):
        return Stop(NoFillReason.LOST_DRAW, f"was in the draw of {tier} with {flight.part}, and did not win")
    return Stop(NoFillReason.LOWER_TIER, f"is in {tier}, and a flight in {winner.flight.tier} won")


def furthest(reasons: Iterable[NoFillReason]) -> NoFillReason:
    """Return the reason of the flight that came furthest; `slot` where there is no flight at all."""
    return max(reasons, key=_RANK.__getitem__, default=NoFillReason.SLOT)


def _slot(flight: CompiledFlight, question: Question) -> str | None:
    slots = flight.flight.slots
    return None if slots is None or question.slot.id in slots else f"runs in {_list(slots)}, not in {question.slot.id}"


def _paused(flight: CompiledFlight, _: Question) -> str | None:
    if not flight.paused:
        return None
    return f"flight {flight.flight.id} or campaign {flight.campaign.id} is paused"


def _not_started(flight: CompiledFlight, question: Question) -> str | None:
    return f"starts at {flight.starts.isoformat()}" if question.now < flight.starts else None


def _ended(flight: CompiledFlight, question: Question) -> str | None:
    return f"ended at {flight.ends.isoformat()}" if question.now >= flight.ends else None


def _hours(flight: CompiledFlight, question: Question) -> str | None:
    hours, zone = flight.flight.targeting.hours, flight.campaign.timezone
    if hours is None:
        return None
    local = question.now.astimezone(ZoneInfo(zone))
    return None if is_within(hours, local) else f"runs {hours}, and in {zone} it is {local:%A %H:%M}"


def _place(flight: CompiledFlight, question: Question) -> str | None:
    target, place = flight.flight.targeting, question.request.place
    if place is None or not (target.places or target.near) or any(_holding(place, target.places, target.near)):
        return None
    return f"runs in {_list((*target.places, *map(str, target.near)))}, which do not contain {place.id}"


def _place_excluded(flight: CompiledFlight, question: Question) -> str | None:
    target, place = flight.flight.targeting, question.request.place
    if place is None:
        return None
    holding = _list(_holding(place, target.exclude_places, target.exclude_near))
    return f"does not run in {holding}, which contain {place.id}" if holding else None


def _place_unknown(flight: CompiledFlight, question: Question) -> str | None:
    target = flight.flight.targeting
    if question.request.place is not None or not (target.places or target.near):
        return None
    return f"runs in {_list((*target.places, *map(str, target.near)))} only, and the page names no known place"


def _holding(place: Place, places: frozenset[PlaceId], circles: tuple[Circle, ...]) -> Iterator[str]:
    """Yield those of the places and circles that contain a place."""
    yield from places.intersection(place.chain)
    yield from (str(circle) for circle in circles if lies_in(place, circle))


def _regulated(flight: CompiledFlight, question: Question) -> str | None:
    return objection(flight.rules, question.request.place)


def _topic(flight: CompiledFlight, question: Question) -> str | None:
    topics = flight.flight.targeting.topics
    if not topics or not topics.isdisjoint(question.request.topics):
        return None
    return f"runs at {_list(topics)} only"


def _topic_excluded(flight: CompiledFlight, question: Question) -> str | None:
    topics = flight.flight.targeting.exclude_topics.intersection(question.request.topics)
    return f"does not run at {_list(topics)}" if topics else None


def _variant(flight: CompiledFlight, question: Question) -> str | None:
    slot, request = question.slot, question.request
    if any(fit(creative, slot, request) is not None for creative, _ in flight.creatives):
        return None
    asked = slot.variants if request.variant is Variant.AUTO else {request.variant}
    return f"no creative has {_list(asked)} within {char_limit(slot, request)} characters, as {slot.id} allows it"


def _disclosure(flight: CompiledFlight, question: Question) -> str | None:
    slot, request = question.slot, question.request
    fits = (creative for creative, _ in flight.creatives if fit(creative, slot, request) is not None)
    required = disclosures(flight.rules, request.place)
    if any(disclosable(creative, slot, required) for creative in fits):
        return None
    return f"slot {slot.id} takes no disclosure, and every creative that fits must be shown with one"


def _category_blocked(flight: CompiledFlight, question: Question) -> str | None:
    blocked = question.slot.blocked_categories & flight.advertiser.categories
    return f"slot {question.slot.id} blocks {_list(blocked)}" if blocked else None


def _goal_met(flight: CompiledFlight, question: Question) -> str | None:
    goal = flight.goal
    if goal is None:
        return None
    delivered = question.delivered.get(flight.flight.id, 0)
    return f"{delivered} of {goal} impressions are delivered" if delivered >= goal else None


def _pacing(flight: CompiledFlight, question: Question) -> str | None:
    paces = question.paces
    if flight.goal is None or paces is None:
        return None
    pace = paces.of(flight.flight.id)
    if pace is None:
        return "this process has not been told yet how much of the goal it may serve"
    return "serves as much as its plan wants just now" if pace.left <= 0 and not pace.is_capped else None


def _cap(flight: CompiledFlight, question: Question) -> str | None:
    shown = question.shown.get(flight.flight.id, NEVER_SHOWN)
    for cap in flight.flight.caps:
        if cap.scope is CapScope.FLIGHT:
            pace = question.paces.of(flight.flight.id) if question.paces is not None else _UNBOUND
            stopped = pace is None or pace.left <= 0
        else:
            stopped = (shown.visit if cap.per is CapPeriod.VISIT else shown.page) >= cap.impressions
        if stopped:
            return f"its cap of {cap.impressions} impressions a {cap.per}, scope {cap.scope}, is reached"
    return None


def _takeover(flight: CompiledFlight, question: Question) -> str | None:
    if not flight.flight.takeover or flight.flight.id in question.page.takeovers:
        return None
    return f"takes {_list(flight.flight.slots or ())} together or not at all, and cannot have them all in this call"


def _competitor(flight: CompiledFlight, question: Question) -> str | None:
    page, advertiser = question.page, flight.advertiser
    if not is_competitor(advertiser, page):
        return None
    return f"a competitor in {_list(advertiser.competes_with & page.labels)} is on the page"


def _same_sponsor(flight: CompiledFlight, question: Question) -> str | None:
    may_repeat = flight.flight.repeat
    if not is_repeated(flight.advertiser, question.page, may_repeat=may_repeat):
        return None
    whose = "the flight that shows it" if may_repeat else "the flight"
    return f"{flight.advertiser.id} is on the page already, and {whose} may not repeat"


def _excluded(flight: CompiledFlight, question: Question) -> str | None:
    exclude = question.request.exclude
    if not is_excluded(flight.advertiser, exclude):
        return None
    return f"the page excludes {_list(exclude & flight.labels)}"


def _list(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))


_Order = tuple[tuple[NoFillReason, Check | None], ...]
# A reason without a check has its place but no rule, and needs none: the campaign files' field for it is refused.

ORDER_BY_TARGET: Final[_Order] = (
    (NoFillReason.SLOT, _slot),
    (NoFillReason.PAUSED, _paused),
    (NoFillReason.NOT_STARTED, _not_started),
    (NoFillReason.ENDED, _ended),
    (NoFillReason.HOURS, _hours),
    (NoFillReason.PLACE, _place),
    (NoFillReason.PLACE_EXCLUDED, _place_excluded),
    (NoFillReason.PLACE_UNKNOWN, _place_unknown),
    (NoFillReason.REGULATED, _regulated),
    (NoFillReason.TOPIC, _topic),
    (NoFillReason.TOPIC_EXCLUDED, _topic_excluded),
)
"""What the lists answer for most flights."""

ORDER_BY_FIT: Final[_Order] = (
    (NoFillReason.VARIANT, _variant),
    (NoFillReason.DISCLOSURE, _disclosure),
    (NoFillReason.CATEGORY_BLOCKED, _category_blocked),
)
"""What follows from flight, slot and request alone: asked of columns."""

ORDER_BY_COUNTS: Final[_Order] = (
    (NoFillReason.GOAL_MET, _goal_met),
    (NoFillReason.PACING, _pacing),
    (NoFillReason.CAP, _cap),
    (NoFillReason.TAKEOVER, _takeover),
)
"""What depends on what was delivered: asked at every decision."""

ORDER_BY_PAGE: Final[_Order] = (
    (NoFillReason.COMPETITOR, _competitor),
    (NoFillReason.SAME_SPONSOR, _same_sponsor),
    (NoFillReason.EXCLUDED, _excluded),
)
"""What depends on the page so far and on what it excludes: asked where there is either."""


def _rules(order: _Order) -> tuple[Rule, ...]:
    return tuple(Rule(reason, check) for reason, check in order if check is not None)


TARGET_RULES: Final = _rules(ORDER_BY_TARGET)
FIT_RULES: Final = _rules(ORDER_BY_FIT)
READER_RULES: Final = (Rule(NoFillReason.CAP, _cap),)
RULES: Final = TARGET_RULES + FIT_RULES + _rules(ORDER_BY_COUNTS) + _rules(ORDER_BY_PAGE)

_TIERS: Final = tuple(Tier)
_UNBOUND: Final = Pace(ODDS_WHOLE, 1)
"""The pace of a flight where there are none."""
_RANK: Final = {reason: rank for rank, reason in enumerate(NoFillReason)}
