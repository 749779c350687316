"""Past traffic asked again in the order of time, a few questions for very many, with goals and paces as they then run.

Each question stands for so many decisions, so a goal is spent in portions. What a flight may take is earned along its
plan, as the controller has it: from what is left of its goal, over what is left of its traffic; so one that fell
behind is given more, and one that has all takes no more. A portion that is earned in part is given by that chance.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Final

from adserver.decision.decide import decide
from adserver.decision.paced import is_paced, paced_flight
from adserver.decision.paces import ODDS_WHOLE, Pace
from adserver.decision.plan import PacedFlight
from adserver.decision.snapshot import Snapshot
from adserver.decision.traffic import WeekCurve
from adserver.domain.catalog import Pacing
from adserver.domain.decisions import Fill, SlotRequest
from adserver.domain.ids import FlightId

_WHOLE: Final = Pace(ODDS_WHOLE, 1)
_NOTHING: Final = Pace(ODDS_WHOLE, 0)


@dataclass(slots=True)
class _Account:
    """What a flight has earned of its goal. One replay's."""

    flight: PacedFlight
    at: float
    fills: float = 0.0
    """That its plan allows, and that it was not given yet."""
    allowed: bool | None = None
    """Whether it may have the question that is asked; None: nobody wanted to know yet."""


class Replay:
    """One catalog through one future. One thread."""

    def __init__(
        self,
        snapshot: Snapshot,
        delivered: Mapping[FlightId, int],
        now: datetime,
        curve: WeekCurve,
        seen: float,
        rng: Random,
    ) -> None:
        """Take what would be live, and where its goals stand.

        Args:
            snapshot: the catalog.
            delivered: net impressions by flight, now.
            now: aware.
            curve: of the traffic that is to come.
            seen: impressions a fill, over 0.
            rng: seeded.
        """
        self._snapshot = snapshot
        self._seen = seen
        self._rng = rng
        self.delivered: dict[FlightId, int] = dict(delivered)
        """Impressions of each flight, as they add up."""
        self._exact: dict[FlightId, float] = {}
        self._accounts = {
            paced.id: _Account(paced, max(now.timestamp(), paced.starts))
            for paced in (paced_flight(each, curve, now) for each in snapshot.counted_flights() if is_paced(each))
        }
        self._portion = 1.0
        self._second = now.timestamp()
        self._free: FlightId | None = None

    def ask(self, request: SlotRequest, moment: datetime, seed: int, portion: float) -> FlightId | None:
        """Return who has a question that stands for so many decisions, and let it have them; None: nobody."""
        self._turn_to(moment, portion)
        winner = self._winner(request, moment, seed, self.delivered)
        if winner is not None:
            exact = self._exact[winner] = self._exact.get(winner, self.delivered.get(winner, 0)) + portion * self._seen
            self.delivered[winner] = int(exact)
            account = self._accounts.get(winner)
            if account is not None:
                account.fills -= portion
        return winner

    def would_win(self, flight: FlightId, request: SlotRequest, moment: datetime, seed: int, portion: float) -> bool:
        """Return whether a flight would have the question, were its own goal without a limit; nobody has it yet."""
        self._turn_to(moment, portion)
        self._free = flight
        won = self._winner(request, moment, seed, {**self.delivered, flight: 0}) == flight
        self._free = None
        return won

    def of(self, flight: FlightId) -> Pace | None:
        """Return a flight's pace at the question that is asked."""
        account = self._accounts.get(flight)
        if account is None or flight == self._free:
            return _WHOLE
        if account.allowed is None:
            account.allowed = self._allows(account)
        return _WHOLE if account.allowed else _NOTHING

    def is_met(self, flight: FlightId) -> bool | None:
        """Return whether a flight's goal is met by now; None: it has none."""
        account = self._accounts.get(flight)
        goal = account.flight.goal if account is not None else None
        return None if goal is None else self.delivered.get(flight, 0) >= goal

    def _winner(
        self, request: SlotRequest, moment: datetime, seed: int, delivered: Mapping[FlightId, int]
    ) -> FlightId | None:
        chance = Random(seed)  # noqa: S311 - draws a sponsor, no secret
        decision = decide(request, self._snapshot, delivered, moment, chance, paces=self)
        return decision.flight.id if isinstance(decision, Fill) else None

    def _turn_to(self, moment: datetime, portion: float) -> None:
        second = moment.timestamp()
        if second != self._second:
            for account in self._accounts.values():
                account.allowed = None
        self._second, self._portion = second, portion

    def _allows(self, account: _Account) -> bool:
        flight = account.flight
        if flight.goal is None:
            return True
        left = max(0.0, flight.goal - self._exact.get(flight.id, self.delivered.get(flight.id, 0))) / self._seen
        if flight.pacing is Pacing.ASAP or flight.ends is None or flight.planned(self._second) >= 1:
            return left > 0
        earned = left * flight.due(account.at, self._second) if self._second > account.at else 0.0
        account.at = max(account.at, self._second)
        account.fills = min(account.fills + earned, max(self._portion, 2 * earned), left)
        return account.fills >= self._portion or self._rng.random() * self._portion < account.fills
