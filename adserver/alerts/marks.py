"""How fast flights are delivered lately: what each had some hours ago, remembered. Pure."""

from collections.abc import Mapping
from typing import Final

import msgspec

from adserver.domain.ids import FlightId

APART_SECONDS: Final = 6 * 3600.0
"""How often what a flight has is remembered."""
LONGEST_SECONDS: Final = 24 * 3600.0
"""How far back the present speed looks: a day, so that each of its hours is in it."""
LEAST_SECONDS: Final = 3 * 3600.0
"""A shorter time tells nothing of a speed."""


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """What a flight had at a moment. Immutable."""

    at: float
    """Unix time."""
    delivered: int
    """Net impressions."""


Marks = Mapping[FlightId, tuple[Mark, ...]]
"""Of each flight, the oldest first."""


def note(marks: Marks, delivered: Mapping[FlightId, int], now: float) -> Marks:
    """Return the marks with those of now, for exactly these flights; a count that fell begins anew.

    Args:
        marks: so far.
        delivered: net impressions of the flights to remember.
        now: Unix time.
    """
    return {flight: _note(marks.get(flight, ()), Mark(now, count)) for flight, count in delivered.items()}


def speed_mark(marks: tuple[Mark, ...], now: float) -> Mark | None:
    """Return what the present speed is measured from; None: the flight was not watched long enough."""
    fitting = [mark for mark in marks if LEAST_SECONDS <= now - mark.at <= LONGEST_SECONDS]
    return fitting[0] if fitting else None


def _note(marks: tuple[Mark, ...], newest: Mark) -> tuple[Mark, ...]:
    kept = tuple(
        mark for mark in marks if 0 <= newest.at - mark.at <= LONGEST_SECONDS and mark.delivered <= newest.delivered
    )
    return kept if kept and newest.at - kept[-1].at < APART_SECONDS else (*kept, newest)
