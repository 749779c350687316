"""What publishing a plan does to delivery, in words: who begins, stops, waits, ends. Pure.

Days are those of each campaign's zone; a flight that nobody changes has no line.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from adserver.catalog.documents import JsonObject
from adserver.catalog.plan import Plan
from adserver.catalog.state import CampaignState, flight_state
from adserver.domain.catalog import Campaign, Catalog, Flight, Status
from adserver.domain.ids import FlightId

_WHERE_ONLY: Final = frozenset({"name", "starts", "ends", "status", "goal", "timezone", "price"})
"""Fields of a flight or campaign whose change does not show in what runs: of each that does, other words tell."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What becomes of one flight, or of all flights of a campaign alike. Immutable."""

    path: str
    """By ids, as in plans: `campaigns.qwiket-season.flights.minnesota`."""
    words: str

    def to_json(self) -> JsonObject:
        """Return the effect as the API shows it."""
        return {"path": self.path, "effect": self.words}


@dataclass(frozen=True, slots=True)
class Present:
    """When a plan is looked at, and what is delivered by then. Immutable by agreement."""

    now: datetime
    """Aware UTC."""
    delivered: Mapping[FlightId, int]
    """Net impressions, where they are known."""


@dataclass(frozen=True, slots=True)
class _Placed:
    """A flight within its campaign. Immutable."""

    campaign: Campaign
    flight: Flight

    @property
    def starts(self) -> date:
        return max(self.campaign.starts, self.flight.starts or self.campaign.starts)

    @property
    def ends(self) -> date | None:
        return self.flight.ends or self.campaign.ends

    def state(self, present: Present) -> CampaignState:
        return flight_state(self.campaign, self.flight, present.delivered.get(self.flight.id, 0), present.now)


def list_effects(plan: Plan, before: Catalog, after: Catalog, present: Present) -> tuple[Effect, ...]:
    """Return what publishing `after` in the place of `before` does to each flight that the plan names."""
    touched = _Touched(plan)
    old, new = _placed(before), _placed(after)
    words: dict[tuple[str, str], str] = {}
    for id_ in dict.fromkeys((*old, *new)):
        placed = new.get(id_) or old[id_]
        if touched.has(placed) and (said := _words(old.get(id_), new.get(id_), touched, present)):
            words[str(placed.campaign.id), str(id_)] = said
    return tuple(_gathered(words, old.values(), new.values()))


class _Touched:
    """Which things a plan names. Immutable after construction."""

    def __init__(self, plan: Plan) -> None:
        self._fields: dict[tuple[str, ...], set[str]] = {}
        for path in (*plan.add, *plan.remove):
            self._fields.setdefault(tuple(path.split(".")), set()).add("")
        for change in plan.change:
            steps = change.path.split(".")
            length = 4 if len(steps) > 4 and steps[2] in ("flights", "creatives") else 2
            self._fields.setdefault(tuple(steps[:length]), set()).add(steps[length])

    def has(self, placed: _Placed) -> bool:
        return bool(self.fields(placed))

    def fields(self, placed: _Placed) -> AbstractSet[str]:
        """Return the fields of a flight, its campaign, its creatives and its advertiser that differ; "": the whole."""
        campaign = ("campaigns", str(placed.campaign.id))
        found = set(self._fields.get(campaign, ()))
        found |= self._fields.get((*campaign, "flights", str(placed.flight.id)), set())
        for weighted in placed.flight.creatives:
            found |= {"creatives"} if (*campaign, "creatives", str(weighted.creative)) in self._fields else set()
        advertiser = self._fields.get(("advertisers", str(placed.campaign.advertiser)), set()) - {"", "homepage"}
        return found | advertiser


def _placed(catalog: Catalog) -> dict[FlightId, _Placed]:
    return {flight.id: _Placed(campaign, flight) for campaign in catalog.campaigns for flight in campaign.flights}


def _words(old: _Placed | None, new: _Placed | None, touched: _Touched, present: Present) -> str:
    was = old.state(present) if old else None
    if new is None:
        return "stops at once" if was is CampaignState.LIVE else "will not run"
    state = new.state(present)
    if was is CampaignState.LIVE and state is not CampaignState.LIVE:
        return _stopping(new, state, present)
    if state is CampaignState.LIVE:
        return _running(old, new, was, touched, present)
    if was is state and old is not None and (old.starts, old.ends) == (new.starts, new.ends):
        return ""
    return _waiting(new, state, present)


def _stopping(new: _Placed, state: CampaignState, present: Present) -> str:
    if state is CampaignState.GOAL_MET:
        return _met(new, present, "ends at once")
    if state is CampaignState.SCHEDULED:
        return f"stops at once, and starts on {new.starts} in {new.campaign.timezone}"
    if state is CampaignState.ENDED:
        return f"stops at once: its last day was {new.ends} in {new.campaign.timezone}"
    return f"stops at once: {_paused(new)}"


def _running(old: _Placed | None, new: _Placed, was: CampaignState | None, touched: _Touched, present: Present) -> str:
    if old is None or was is not CampaignState.LIVE:
        again = " again" if was in (CampaignState.PAUSED, CampaignState.ENDED, CampaignState.GOAL_MET) else ""
        return ", and ".join([f"begins{again} at once", *_lasting(new)])
    said = []
    if old.ends != new.ends:
        said.extend(_lasting(new) or ["runs on without an end"])
    if old.flight.goal != new.flight.goal:
        said.append(_goal(new, present))
    fields = touched.fields(new)
    if "price" in fields and not fields - {"price"}:
        said.append("runs on as before, at another price")
    elif fields - _WHERE_ONLY:
        said.append("runs on as changed, at once")
    return "; ".join(said)


def _waiting(new: _Placed, state: CampaignState, present: Present) -> str:
    if state is CampaignState.SCHEDULED:
        return f"starts on {new.starts} in {new.campaign.timezone}"
    if state is CampaignState.ENDED:
        return f"does not run: its last day was {new.ends} in {new.campaign.timezone}"
    if state is CampaignState.GOAL_MET:
        return _met(new, present, "does not run")
    return f"does not run: {_paused(new)}"


def _paused(new: _Placed) -> str:
    return "it is paused" if new.flight.status is Status.PAUSED else "its campaign is paused"


def _lasting(new: _Placed) -> list[str]:
    return [f"runs to the end of {new.ends} in {new.campaign.timezone}"] if new.ends else []


def _goal(new: _Placed, present: Present) -> str:
    if new.flight.goal is None:
        return "runs on without a goal"
    goal, delivered = new.flight.goal.impressions, present.delivered.get(new.flight.id)
    if delivered is None:
        return f"goal of {goal:,}"
    return f"goal of {goal:,}: {goal - delivered:,} to go after the {delivered:,} delivered"


def _met(new: _Placed, present: Present, what: str) -> str:
    goal = new.flight.goal.impressions if new.flight.goal else 0
    delivered = present.delivered.get(new.flight.id, 0)
    how = "falls below" if delivered > goal else "is met by"
    return f"goal of {goal:,} {how} the {delivered:,} delivered: {what}"


def _gathered(words: Mapping[tuple[str, str], str], *placed: Iterable[_Placed]) -> Iterator[Effect]:
    """Yield effects, one for a campaign where the same becomes of all of its flights."""
    flights: dict[str, dict[str, None]] = {}
    for one in (one for those in placed for one in those):
        flights.setdefault(str(one.campaign.id), {})[str(one.flight.id)] = None
    for campaign, ids in flights.items():
        said = {words.get((campaign, id_), "") for id_ in ids}
        if len(said) == 1 and len(ids) > 1:
            yield from _unless_silent(f"campaigns.{campaign}", said.pop())
            continue
        for id_ in ids:
            yield from _unless_silent(f"campaigns.{campaign}.flights.{id_}", words.get((campaign, id_), ""))


def _unless_silent(path: str, words: str) -> Sequence[Effect]:
    return [Effect(path, words)] if words else []
