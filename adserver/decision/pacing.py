"""The controller of paces: how much of each goal every process may serve now, and with what odds.

It is told what was delivered, what was asked and what was used, and steers what is left of each goal along what is left
of its plan. It knows no clock, no Redis and no file: the keeper steps it in production, the simulator in a simulation.

Never over is not its promise: counting keeps that. It keeps fills that could not count any more near zero, by granting
at most `goal - counted - pending`. Pending are the fills of this period and the two before it that nobody has seen yet.
What was not seen by then is taken for never seen.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, exp
from typing import Final, NamedTuple

from adserver.decision.grants import Want, split
from adserver.decision.paces import ODDS_WHOLE
from adserver.decision.plan import PacedFlight
from adserver.domain.catalog import Pacing
from adserver.domain.ids import FlightId

PERIOD_SECONDS: Final = 50
"""For so long a grant is good: less than the minute after which a process lets an old one lapse, so none runs dry."""
HELD_PERIODS: Final = 2
"""For how many periods after its own a fill that was not seen is held for its reader."""
KNOWN_PERIODS: Final = HELD_PERIODS + 2

_SETTLE_SECONDS: Final = 1.0
"""For so long after a period's end a process may still be using grants of it, unheard of."""
_AHEAD_SECONDS: Final = 10.0
"""A process is granted what it asks for in so long a time, at least."""
_LEAST_AHEAD: Final = 8
"""So many, whatever it asked for lately."""
_RATE_SECONDS: Final = 20.0
"""How far back the rate of asking looks."""
_SMOOTH_SECONDS: Final = 60.0
"""Over how long what a flight may take is spread."""
_SAVED_SECONDS: Final = 600.0
"""For how long fills that nobody asked for are saved up, before they are spread over the rest of the flight."""
_HASTE: Final = 1.5
"""Odds let so many times the fills pass that the plan wants; what is granted bounds them."""
_SUPPOSED_FILLS: Final = 20.0
_SUPPOSED_VIEWS: Final = 14.0
"""What is supposed of how many fills are seen, before any were."""
_REMEMBERED_FILLS: Final = 2_000.0
_LEAST_SEEN: Final = 0.05
_LATE_SECONDS: Final = 1_800.0
"""Of the fills that were not seen in time, some are seen later; after so long, about a third of those still are."""
_SUPPOSED_LATE: Final = 0.2
_MOST_LATE: Final = 0.005
"""For those, no more than so much of a goal is kept back: what they are, they may not be."""


class ProcessUse(NamedTuple):
    """What one process said of itself. Immutable."""

    process: str
    """Its issuer."""
    is_alive: bool
    used: Mapping[int, Mapping[FlightId, int]]
    """Fills, by the number of the period they were granted for."""
    asked: Mapping[FlightId, int]
    """How often each flight would have run but for its pace, ever."""


class Counted(NamedTuple):
    """What is counted of all flights. Immutable."""

    delivered: Mapping[FlightId, int]
    """Net impressions; a flight that is missing may not be served."""
    seen: Mapping[int, Mapping[FlightId, int]]
    """Views of this host's fills among them, by the period of issue."""
    cap_left: Mapping[FlightId, int]
    """Impressions that the caps of a flight leave; missing: it has none."""
    late: Mapping[FlightId, int]
    """Views of this host's fills that came after `HELD_PERIODS`, ever."""
    is_fresh: bool = True
    """Whether the store answers: if not, this is what it last said, and nothing that is pending may be given up."""


class PaceRow(NamedTuple):
    """A flight's pace on this host. Immutable."""

    odds: int
    """In millionths."""
    is_capped: bool


class PaceTable(NamedTuple):
    """What the processes of a host are told. Immutable."""

    number: int
    """Of the period, which everything is granted for: Unix time by `PERIOD_SECONDS`."""
    rows: Mapping[FlightId, PaceRow]
    granted: Mapping[str, Mapping[FlightId, int]]
    """Fills in all of this period, by process."""


@dataclass(slots=True)
class _Meter:
    """What is known of one flight. Belongs to a `Controller`."""

    at: float
    credit: float = 0.0
    """Fills that its plan allows and that were not granted yet."""
    fills: float = _SUPPOSED_FILLS
    views: float = _SUPPOSED_VIEWS
    late: float = _SUPPOSED_LATE
    """Views that came late, of `fills`."""
    late_ever: int = 0
    unseen: float = 0.0
    """Fills that may be seen late, the older the less."""
    settled: int = 0
    """The newest period of which what was not used was given back to `credit`."""

    @property
    def seen_part(self) -> float:
        return max(_LEAST_SEEN, min(1.0, self.views / self.fills))

    @property
    def expected_late(self) -> int:
        """Views that are still to come of fills that are pending no more."""
        return round(self.unseen * self.late / self.fills)

    def learn(self, fills: int, views: int, late_ever: int) -> None:
        """Take a period that is over: its fills, those seen in time, and how many were ever seen late."""
        self.fills += fills
        self.views += min(fills, views)
        self.late += max(0, late_ever - self.late_ever)
        self.late_ever = late_ever
        self.unseen = self.unseen * exp(-PERIOD_SECONDS / _LATE_SECONDS) + fills
        if self.fills > _REMEMBERED_FILLS:
            self.fills, self.views, self.late = self.fills / 2, self.views / 2, self.late / 2


@dataclass(slots=True)
class _Asker:
    """How often one process asks for one flight. Belongs to a `Controller`."""

    asked: int
    a_second: float = 0.0

    def learn(self, asked: int, seconds: float) -> None:
        rate = max(0, asked - self.asked) / seconds
        self.a_second += (rate - self.a_second) * (1 - exp(-seconds / _RATE_SECONDS))
        self.asked = asked


_Spent = dict[FlightId, int]


@dataclass(slots=True)
class _Period:
    """What was granted for a period, and used of it, by process."""

    granted: dict[str, _Spent] = field(default_factory=dict)
    used: dict[str, _Spent] = field(default_factory=dict)

    def given(self, flight: FlightId) -> int:
        return sum(of.get(flight, 0) for of in self.granted.values())

    def spent(self, flight: FlightId) -> int:
        """Return its fills; of a process that has not said, all that it was granted."""
        said = sum(of.get(flight, 0) for of in self.used.values())
        return said + sum(of.get(flight, 0) for process, of in self.granted.items() if process not in self.used)


class Controller:
    """Paces of one host. One thread; holds what it was told lately, and could be made anew at any time."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._periods: dict[int, _Period] = {}
        self._meters: dict[FlightId, _Meter] = {}
        self._askers: dict[tuple[str, FlightId], _Asker] = {}
        self._fresh_number: int | None = None
        self._at: float | None = None
        self._turn = 0
        self._closed = 0
        """The newest period that is pending no more."""

    def step(
        self, now: float, flights: Iterable[PacedFlight], counted: Counted, uses: Sequence[ProcessUse]
    ) -> PaceTable:
        """Return what the processes may serve from now on.

        Args:
            now: Unix time; where it was set back, all begins anew.
            flights: those that may run now, or soon.
            counted: what is delivered of them.
            uses: of all processes that are alive, and of those that were lately.
        """
        if self._at is not None and now < self._at:
            self._forget()
        number = int(now // PERIOD_SECONDS)
        if counted.is_fresh or self._fresh_number is None:
            self._fresh_number = number
        self._hear(uses, now)
        self._close_periods(number, counted)
        current = self._periods.setdefault(number, _Period())
        alive = [use.process for use in uses if use.is_alive]
        for process in alive:
            current.granted.setdefault(process, {})
        self._turn += 1
        rows = {
            flight.id: self._pace(flight, now, number, counted, alive)
            for flight in flights
            if flight.id in counted.delivered
        }
        self._at = now
        return PaceTable(number, rows, {process: dict(current.granted[process]) for process in alive})

    def _hear(self, uses: Sequence[ProcessUse], now: float) -> None:
        seconds = 0.0 if self._at is None else now - self._at
        alive = {use.process for use in uses if use.is_alive}
        for period in self._periods.values():  # what a process that is gone said last may be half a second old
            period.used.update({gone: granted for gone, granted in period.granted.items() if gone not in alive})
        for use in uses:
            if not use.is_alive and any(use.process in period.granted for period in self._periods.values()):
                continue
            for number, used in use.used.items():
                if number > self._closed:
                    self._periods.setdefault(number, _Period()).used[use.process] = dict(used)
            if seconds > 0 and use.is_alive:
                for flight, asked in use.asked.items():
                    key = (use.process, flight)
                    self._askers.setdefault(key, _Asker(asked)).learn(asked, seconds)

    def _close_periods(self, number: int, counted: Counted) -> None:
        """Let go of what is too old to be pending, and learn from it how many fills are seen."""
        fresh = self._fresh_number if self._fresh_number is not None else number
        for old in [each for each in self._periods if each < min(number, fresh) - HELD_PERIODS]:
            self._closed = max(self._closed, old)
            period, seen = self._periods.pop(old), counted.seen.get(old, {})
            for flight, meter in self._meters.items():
                meter.learn(period.spent(flight), seen.get(flight, 0), counted.late.get(flight, 0))
        gone = {process for process, _ in self._askers} - {
            process for period in self._periods.values() for process in (*period.granted, *period.used)
        }
        if gone:
            self._askers = {key: asker for key, asker in self._askers.items() if key[0] not in gone}

    def _pace(self, flight: PacedFlight, now: float, number: int, counted: Counted, alive: Sequence[str]) -> PaceRow:
        current, id_ = self._periods[number], flight.id
        meter = self._meters.setdefault(id_, _Meter(now))
        pending = self._pending(id_, now, number, counted)
        given = current.given(id_)
        open_now = given - counted.seen.get(number, {}).get(id_, 0)
        """Granted in this period and not seen: used or not, it may come to be."""
        cap_left = counted.cap_left.get(id_)
        room = None if cap_left is None else cap_left - pending - open_now
        is_capped = room is not None and room <= 0
        rate = self._asked_a_second(id_, alive)
        odds = ODDS_WHOLE
        if flight.goal is not None:
            left = flight.goal - counted.delivered[id_] - min(meter.expected_late, int(_MOST_LATE * flight.goal))
            room = min(left - pending - open_now, left if room is None else room)
            if flight.pacing is not Pacing.ASAP and flight.ends is not None and flight.planned(now) < 1:
                self._earn(flight, meter, now, left - self._expected(id_, number, meter.seen_part, counted))
                room = min(room, int(meter.credit))
                odds = _odds(meter.credit + given - current.spent(id_), rate)
        meter.at = now
        granted = self._grant(id_, max(0, room or 0), now, number, alive)
        meter.credit = max(0.0, meter.credit - granted)
        return PaceRow(odds, is_capped)

    def _pending(self, flight: FlightId, now: float, number: int, counted: Counted) -> int:
        total = 0
        for each, period in self._periods.items():
            if each >= number:
                continue
            settling = each == number - 1 and now - number * PERIOD_SECONDS < _SETTLE_SECONDS
            spent = max(period.given(flight), period.spent(flight)) if settling else period.spent(flight)
            total += max(0, spent - counted.seen.get(each, {}).get(flight, 0))
        return total

    def _expected(self, flight: FlightId, number: int, seen_part: float, counted: Counted) -> float:
        """Return the impressions that are still to come of what was granted."""
        total = 0.0
        for each, period in self._periods.items():
            fills = period.given(flight) if each == number else period.spent(flight)
            total += max(0.0, seen_part * fills - counted.seen.get(each, {}).get(flight, 0))
        return total

    def _earn(self, flight: PacedFlight, meter: _Meter, now: float, left: float) -> None:
        """Add the fills that the plan wants of the time since the last step, so many may be unseen."""
        settled = int((now - _SETTLE_SECONDS) // PERIOD_SECONDS) - 1
        for each, period in self._periods.items():
            if meter.settled < each <= settled:
                meter.credit += max(0, period.given(flight.id) - period.spent(flight.id))
        meter.settled = settled
        fills = max(0.0, left) / meter.seen_part
        most = 1.0 + fills * flight.due(now, now + _SAVED_SECONDS)
        if meter.at < now:
            most = max(most, 1.0 + 2 * fills * flight.due(meter.at, now))
            meter.credit += fills * flight.due(max(meter.at, flight.starts), now)
        meter.credit = min(meter.credit, most)

    def _grant(self, flight: FlightId, room: int, now: float, number: int, alive: Sequence[str]) -> int:
        current = self._periods[number]
        ahead = _AHEAD_SECONDS if self._at is None else max(_AHEAD_SECONDS, 2 * (now - self._at))
        wants = []
        for process in alive:
            asker = self._askers.get((process, flight))
            target = max(_LEAST_AHEAD, ceil(asker.a_second * ahead)) if asker else _LEAST_AHEAD
            used = current.used.get(process, {}).get(flight, 0)
            wants.append(Want(process, current.granted[process].get(flight, 0) - used, target))
        given = split(room, wants, self._turn)
        for process, fills in given.items():
            granted = current.granted[process]
            granted[flight] = granted.get(flight, 0) + fills
        return sum(given.values())

    def _asked_a_second(self, flight: FlightId, alive: Sequence[str]) -> float:
        askers = (self._askers.get((process, flight)) for process in alive)
        return sum(asker.a_second for asker in askers if asker is not None)


def _odds(fills: float, asked_a_second: float) -> int:
    """Return the odds with which so many fills are spread over the time that they are for."""
    asked = asked_a_second * _SMOOTH_SECONDS
    return ODDS_WHOLE if _HASTE * fills >= asked else ceil(ODDS_WHOLE * _HASTE * fills / asked)
