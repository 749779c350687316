"""Why a flight did not win on a day: what was found of the questions that were sampled."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from adserver.counting.reason_cells import KEPT_DAYS, NO_LOOKS, NOWHERE, Looks, ReasonCell
from adserver.decision.compiled_flight import CompiledFlight
from adserver.decision.eligibility import TARGET_RULES, first_stop
from adserver.decision.question import Question
from adserver.decision.snapshot import Snapshot
from adserver.domain.catalog import Slot
from adserver.domain.decisions import SlotRequest
from adserver.domain.errors import ParameterRefused
from adserver.domain.ids import FlightId, IdHash, Kind, SlotId, id_hash
from adserver.domain.places import Place
from adserver.domain.reasons import NoFillReason
from adserver.statistics.reason_store import SampledReasons

_EPOCH: Final = date(1970, 1, 1).toordinal()
_BY_PLACE: Final = frozenset({NoFillReason.PLACE, NoFillReason.PLACE_EXCLUDED, NoFillReason.REGULATED})
_PLACE_RULES: Final = tuple(rule for rule in TARGET_RULES if rule.reason in _BY_PLACE)

SAMPLED: Final = (
    "Estimated from samples, no counts: questions that a process had just answered when it was killed are missing."
)
NOTHING_FOUND: Final = (
    "No question that this flight could have had was looked at that day, in that slot and place. "
    "adserver explain --slot SLOT --location PLACE says what would happen now."
)


class Places(Protocol):
    """Finds places by their hashes."""

    def by_hash(self, hash_: IdHash) -> Place | None:
        """Return the place, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """Which flight, and where and when. Immutable."""

    flight: FlightId
    slot: SlotId | None = None
    """None: all of its slots."""
    place: Place | None = None
    """And all in it; None: everywhere."""
    day: date | None = None
    """Of the slot's site; None: today."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of one outcome. Immutable."""

    reason: NoFillReason | None
    """None: it won."""
    looks: Looks


@dataclass(frozen=True, slots=True)
class FlightReasons:
    """What became of a flight. Immutable."""

    asked: Asked
    day: date
    flight: CompiledFlight
    found: tuple[Found, ...]
    """At the place that was asked for; the most frequent first."""
    everywhere: tuple[Found, ...]
    """Where a place was asked for: what stopped it before the page's place was looked at, at all places together."""
    notes: tuple[str, ...]

    @property
    def total(self) -> Looks:
        """All that was found at the place."""
        total = NO_LOOKS
        for each in self.found:
            total = total.plus(each.looks)
        return total

    @property
    def one_in(self) -> int | None:
        """How many questions each one that was looked at stands for; None: none was."""
        total = self.total
        return max(1, round(total.questions / total.looks)) if total.looks else None


def why(
    asked: Asked, flight: CompiledFlight, snapshot: Snapshot, store: SampledReasons, places: Places, now: datetime
) -> FlightReasons:
    """Return what became of a flight of the catalog.

    Raises:
        ParameterRefused: the catalog has no such slot, or of that day nothing is kept.
        StoreUnavailable: the store does not answer.
    """
    slot = _slot(asked, flight, snapshot)
    day = _day(asked, slot, snapshot, now)
    here: dict[NoFillReason | None, Looks] = {}
    everywhere: dict[NoFillReason | None, Looks] = {}
    is_in = _inside(asked.place, places)
    for cell, looks in store.read(id_hash(Kind.FLIGHT, asked.flight), day.toordinal() - _EPOCH):
        if asked.slot is not None and cell.slot != snapshot.hashes.slots.get(asked.slot):
            continue
        if is_in(cell):
            here[cell.reason] = here.get(cell.reason, NO_LOOKS).plus(looks)
        elif cell.place == NOWHERE and cell.reason is not NoFillReason.PLACE:
            everywhere[cell.reason] = everywhere.get(cell.reason, NO_LOOKS).plus(looks)
    return FlightReasons(
        asked, day, flight, _sorted(here), _sorted(everywhere), _notes(asked, flight, slot, now, found=bool(here))
    )


def _inside(place: Place | None, places: Places) -> Callable[[ReasonCell], bool]:
    if place is None:
        return lambda _: True
    known: dict[IdHash, bool] = {NOWHERE: False}

    def is_in(cell: ReasonCell) -> bool:
        inside = known.get(cell.place)
        if inside is None:
            found = places.by_hash(cell.place)
            inside = known[cell.place] = found is not None and place.id in found.chain
        return inside

    return is_in


def _slot(asked: Asked, flight: CompiledFlight, snapshot: Snapshot) -> Slot | None:
    if asked.slot is not None:
        slot = snapshot.slot(asked.slot)
        if slot is None:
            raise ParameterRefused("slot", "the catalog has no slot of that id")
        return slot
    own = flight.flight.slots
    return next((slot for slot in snapshot.slots if own is None or slot.id in own), None)


def _day(asked: Asked, slot: Slot | None, snapshot: Snapshot, now: datetime) -> date:
    today = now.astimezone(UTC if slot is None else ZoneInfo(snapshot.site_of(slot).timezone)).date()
    day = asked.day or today
    if not today - timedelta(days=KEPT_DAYS) < day <= today:
        raise ParameterRefused("day", f"takes today, or one of the {KEPT_DAYS - 1} days before, such as {today}")
    return day


def _sorted(found: dict[NoFillReason | None, Looks]) -> tuple[Found, ...]:
    return tuple(sorted((Found(*each) for each in found.items()), key=lambda each: -each.looks.questions))


def _notes(asked: Asked, flight: CompiledFlight, slot: Slot | None, now: datetime, *, found: bool) -> tuple[str, ...]:
    notes = []
    own = flight.flight.slots
    if asked.slot is not None and own is not None and asked.slot not in own:
        notes.append(f"It runs in {', '.join(sorted(own))}, not in {asked.slot}.")
    elif slot is not None and asked.place is not None:
        stop = first_stop(_PLACE_RULES, flight, Question(SlotRequest(slot.id, asked.place), slot, now, {}))
        if stop is not None:
            notes.append(f"As it is live now, it cannot run there ({stop.reason}): {stop.detail}.")
    notes.append(SAMPLED if found else NOTHING_FOUND)
    return tuple(notes)
