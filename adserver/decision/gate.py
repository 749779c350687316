"""What stops a flight that the lists have found: the rules of `eligibility`, asked of columns, first things first.

A property test holds it to the plain rules. Rules that no column answers for are asked as they stand there: a flight
that needs one carries a flag of it.
"""

from collections.abc import Mapping
from math import floor
from random import Random
from typing import Final

from adserver.decision.columns import Columns
from adserver.decision.eligibility import READER_RULES, TARGET_RULES, first_stop
from adserver.decision.flags import Flag
from adserver.decision.hours import Spell, Windows
from adserver.decision.limits import Limits
from adserver.decision.lists import Match, Pick, Ranks
from adserver.decision.paces import ODDS_WHOLE, Pace, Shown
from adserver.decision.page import PageSoFar, is_competitor, is_excluded, is_repeated
from adserver.decision.question import Question
from adserver.decision.records import CatalogRecords
from adserver.decision.regulation import allowed, disclosures
from adserver.domain.ids import FlightId
from adserver.domain.reasons import NoFillReason

# As plain numbers: an operation of `IntFlag` makes an object of it.
_TARGET: Final = int(Flag.TARGET)
_GOAL: Final = int(Flag.GOAL)
_REPEAT: Final = int(Flag.REPEAT)
_COUNTS: Final = int(Flag.COUNTS)
_MANY: Final = int(Flag.MANY)
_HOURS: Final = int(Flag.HOURS)
_REGULATED: Final = int(Flag.REGULATED)
_UNLISTED: Final = int(Flag.UNLISTED)
_CAPPED: Final = int(Flag.CAPPED)
_CAPPED_A_READER: Final = int(Flag.CAPPED_A_READER)
_TAKEOVER: Final = int(Flag.TAKEOVER)
_BY_COUNTS: Final = _GOAL | _COUNTS
_PACED: Final = _GOAL | _CAPPED
_ASKED: Final = _TARGET | _MANY | _HOURS | _REGULATED


class Gate:
    """Judges flights for one question. For one decision."""

    __slots__ = (
        "_columns",
        "_entered",
        "_paces",
        "_records",
        "_rng",
        "_windows",
        "is_open",
        "limits",
        "match",
        "question",
        "second",
    )

    def __init__(
        self,
        columns: Columns,
        records: CatalogRecords,
        windows: Windows,
        question: Question,
        limits: Limits,
        match: Match,
        rng: Random,
    ) -> None:
        self._columns = columns
        self._rng = rng
        self._entered: dict[int, bool] = {}
        """Of the flights with a pace, who enters the draw: thrown for once a decision, however often it is hit."""
        self._paces: dict[int, Pace | None] = {}
        """As they were when a flight was first asked for its own."""
        self._records = records
        self._windows = windows
        self.question = question
        self.limits = limits
        self.match = match
        self.second = floor(question.now.timestamp())
        """Flights begin and end at whole seconds, so the parts of one decide nothing."""
        self.is_open = not (question.page.advertisers or question.request.exclude)
        """Whether the page is empty and excludes nothing: then the page's rules can stop nobody."""

    @property
    def page(self) -> PageSoFar:
        """The page that it judges for."""
        return self.question.page

    def turn_to(self, page: PageSoFar, shown: Mapping[FlightId, Shown]) -> None:
        """Judge for page and reader as they have become; who has entered the draw stays as it was thrown."""
        self.question = self.question._replace(page=page, shown=shown)
        self.is_open = not (page.advertisers or self.question.request.exclude)

    def lets_in(self, ranks: Ranks, pick: Pick) -> bool:
        """Return whether a pick may run, and was not found in an earlier list as well."""
        if not ranks.is_settled and not self.is_standing(ranks, pick):
            return False
        flight = pick[0]
        flags = self._columns.flight_flags[flight]
        if flags & _BY_COUNTS and self._stop_by_counts(flight, flags) is not None:
            return False
        if not self.is_open and self._stop_by_page(flight, flags) is not None:
            return False
        return not flags & _BY_COUNTS or self._enters(flight)

    def is_standing(self, ranks: Ranks, pick: Pick) -> bool:
        """Return whether all but counts and page let a pick run, and it was not found in an earlier list as well."""
        columns, flight = self._columns, pick[0]
        if not columns.flight_starts[flight] <= self.second < columns.flight_ends[flight]:
            return False
        flags = columns.flight_flags[flight]
        if flags & _ASKED and (
            (flags & _MANY and self._is_again(ranks, pick))
            or (flags & _HOURS and not self.hours(flight).is_open)
            or (flags & _TARGET and self._is_off_target(flight, flags))
            or (flags & _REGULATED and self.stop_by_rules(flight) is not None)
        ):
            return False
        return self.stop_by_fit(flight) is None

    def stop(self, flight: int) -> NoFillReason | None:
        """Return the first rule that stops a flight of the lists, or None."""
        return (
            self.stop_before_topic(flight)
            or self.stop_by_fit(flight)
            or self.stop_now(flight)
            or self._stop_by_odds(flight)
        )

    def stop_before_topic(self, flight: int) -> NoFillReason | None:
        """Return the first rule that stops a flight whose lists are of the slot and the place, but for its topic."""
        return self.stop_before_place(flight) or self.stop_by_rules(flight)

    def stop_before_place(self, flight: int) -> NoFillReason | None:
        """Return the first rule that stops a flight whose lists are of the slot, but for its place and its topic."""
        return self.stop_by_target(flight) or self.stop_by_time(flight)  # a reason is a text, and none is empty

    def stop_by_time(self, flight: int) -> NoFillReason | None:
        """Return whether a flight has not begun, is over, or rests at this hour."""
        columns = self._columns
        if self.second < columns.flight_starts[flight]:
            return NoFillReason.NOT_STARTED
        if self.second >= columns.flight_ends[flight]:
            return NoFillReason.ENDED
        rests = columns.flight_flags[flight] & _HOURS and not self.hours(flight).is_open
        return NoFillReason.HOURS if rests else None

    def hours(self, flight: int) -> Spell:
        """Return whether the hours of a flight that has some are open, and for how long that holds."""
        return self._windows.spell(self._columns.flight_windows[flight], self.second)

    def has_hours(self, flight: int) -> bool:
        """Return whether a flight does not run at all hours."""
        return bool(self._columns.flight_flags[flight] & _HOURS)

    def stop_by_target(self, flight: int) -> NoFillReason | None:
        """Return the first rule of target, days included, that stops a flight whose lists do not answer for all."""
        if not self._columns.flight_flags[flight] & _TARGET:
            return None
        stop = first_stop(TARGET_RULES, self._records.compiled(flight), self.question)
        return None if stop is None else stop.reason

    def _is_off_target(self, flight: int, flags: int) -> bool:
        """Return whether a flight of the request's lists has another target than they say, or is kept out of it."""
        if flags & _UNLISTED:
            return self.stop_by_target(flight) is not None
        columns, match = self._columns, self.match
        for at in range(columns.flight_excluded_places_first[flight], columns.flight_excluded_places_first[flight + 1]):
            if columns.flight_excluded_places[at] in match.places:
                return True
        for at in range(columns.flight_excluded_topics_first[flight], columns.flight_excluded_topics_first[flight + 1]):
            if columns.flight_excluded_topics[at] in match.topics:
                return True
        return False

    def stop_by_rules(self, flight: int) -> NoFillReason | None:
        """Return whether the rules of its categories keep a flight out of the place."""
        if not self._columns.flight_flags[flight] & _REGULATED:
            return None
        rules, place = self._records.rules_of(flight), self.question.request.place
        return None if allowed(rules, place) else NoFillReason.REGULATED

    def disclosures(self, flight: int) -> tuple[str, ...]:
        """Return what the rules of its categories have shown with a flight at the place."""
        if not self._columns.flight_flags[flight] & _REGULATED:
            return ()
        return disclosures(self._records.rules_of(flight), self.question.request.place)

    def stop_by_fit(self, flight: int) -> NoFillReason | None:
        """Return the first rule of fit that stops a flight."""
        reason = self.limits.stop(self._columns, flight)
        if reason is None and not self.limits.takes_disclosure and self.disclosures(flight):
            return NoFillReason.DISCLOSURE
        if reason is None and self.question.slot.blocked_categories:
            blocked = self.question.slot.blocked_categories & self._records.advertiser_of(flight).categories
            return NoFillReason.CATEGORY_BLOCKED if blocked else None
        return reason

    def stop_now(self, flight: int) -> NoFillReason | None:
        """Return the first rule of counts or page that stops a flight."""
        flags = self._columns.flight_flags[flight]
        if flags & _BY_COUNTS:
            reason = self._stop_by_counts(flight, flags)
            if reason is not None:
                return reason
        return None if self.is_open else self._stop_by_page(flight, flags)

    def is_sure(self, flight: int) -> bool:
        """Return whether nothing but its days and hours can stop a standing flight of a match on an open page."""
        return not self._columns.flight_flags[flight] & _BY_COUNTS

    def is_listed(self, flight: int, places: frozenset[int], topics: frozenset[int]) -> bool:
        """Return whether a flight stands in a list of one of these places, or of one of these topics."""
        columns = self._columns
        return any(
            columns.flight_places[at] in places
            for at in range(columns.flight_places_first[flight], columns.flight_places_first[flight + 1])
        ) or any(
            columns.flight_topics[at] in topics
            for at in range(columns.flight_topics_first[flight], columns.flight_topics_first[flight + 1])
        )

    def _is_again(self, ranks: Ranks, pick: Pick) -> bool:
        flight, part = pick
        before = ranks.before[part]
        return before is not None and self.is_listed(flight, before.places, before.topics)

    @property
    def asked(self) -> tuple[FlightId, ...]:
        """The flights with a pace that nothing else stopped."""
        return tuple(map(self._records.id_of, self._entered)) if self._entered else ()

    def _stop_by_counts(self, flight: int, flags: int) -> NoFillReason | None:
        question = self.question
        if flags & _GOAL:
            delivered = question.delivered
            done = delivered.get(self._records.id_of(flight), 0) if delivered else 0
            if done >= self._columns.flight_goals[flight]:
                return NoFillReason.GOAL_MET
        if flags & _PACED and question.paces is not None:
            pace = self._pace(flight)
            if pace is None or pace.left <= 0:
                if flags & _GOAL and (pace is None or not pace.is_capped):
                    return NoFillReason.PACING
                if flags & _CAPPED:
                    return NoFillReason.CAP
        return self._stop_by_reader(flight, flags) if flags & _COUNTS else None

    def _stop_by_reader(self, flight: int, flags: int) -> NoFillReason | None:
        """Return whether the reader has seen enough of a flight, or it takes over a page and cannot have all of it."""
        question = self.question
        if flags & _CAPPED_A_READER and question.shown:
            stop = first_stop(READER_RULES, self._records.compiled(flight), question)
            if stop is not None:
                return stop.reason
        if flags & _TAKEOVER and self._records.id_of(flight) not in question.page.takeovers:
            return NoFillReason.TAKEOVER
        return None

    def _pace(self, flight: int) -> Pace | None:
        """Return the pace that a flight has in this decision."""
        known = self._paces
        if flight not in known:
            paces = self.question.paces
            known[flight] = None if paces is None else paces.of(self._records.id_of(flight))
        return known[flight]

    def _stop_by_odds(self, flight: int) -> NoFillReason | None:
        is_paced = self._columns.flight_flags[flight] & _BY_COUNTS
        return NoFillReason.PACING if is_paced and not self._enters(flight) else None

    def _enters(self, flight: int) -> bool:
        """Throw for whether a flight that nothing stops enters the draw, as its pace has it."""
        if self.question.paces is None:
            return True
        enters = self._entered.get(flight)
        if enters is None:
            pace = self._pace(flight)
            if pace is None:  # it has a cap a reader only
                return True
            enters = pace.odds >= ODDS_WHOLE or self._rng.randrange(ODDS_WHOLE) < pace.odds
            self._entered[flight] = enters
        return enters

    def _stop_by_page(self, flight: int, flags: int) -> NoFillReason | None:
        page, advertiser = self.question.page, self._records.advertiser_of(flight)
        if is_competitor(advertiser, page):
            return NoFillReason.COMPETITOR
        if is_repeated(advertiser, page, may_repeat=bool(flags & _REPEAT)):
            return NoFillReason.SAME_SPONSOR
        return NoFillReason.EXCLUDED if is_excluded(advertiser, self.question.request.exclude) else None
