"""What is to be asked of a flight that the index has found; most have none of it, and are asked for their days only."""

from enum import IntFlag

from adserver.decision.compiled_flight import CompiledFlight
from adserver.domain.catalog import is_capped_a_reader, is_capped_for_all


class Flag(IntFlag):
    """A bit a question. Kept in the compiled file: a bit once given is never given to something else."""

    TARGET = 1
    """A rule of target that its lists do not answer for: ask `TARGET_RULES`."""
    GOAL = 2
    """It has a goal."""
    REPEAT = 4
    """It may show twice on a page."""
    COUNTS = 8
    """A rule of the counts beside the goal: one of the last three bits says which."""
    MANY = 16
    """It stands in several lists of one slot, so a request may find it in more than one."""
    HOURS = 32
    """It has hours."""
    REGULATED = 64
    """Its advertiser is of a category that has a rule."""
    UNLISTED = 128
    """Its lists do not answer for all of its slots, places and topics; it has `TARGET`, too."""
    CAPPED = 256
    """It has a cap of its own, a day or an hour."""
    CAPPED_A_READER = 512
    TAKEOVER = 1024


def flags_of(flight: CompiledFlight, *, listed_fully: bool, lists: int) -> Flag:
    """Return what is to be asked of a flight.

    Args:
        flight: the flight.
        listed_fully: whether its lists answer for its slots, places and topics.
        lists: in how many lists of one slot it stands.
    """
    targeting = flight.flight.targeting
    flags = _of_counts(flight)
    if not listed_fully:
        flags |= Flag.TARGET | Flag.UNLISTED
    if targeting.exclude_places or targeting.exclude_near or targeting.exclude_topics:
        flags |= Flag.TARGET
    if flight.flight.repeat:
        flags |= Flag.REPEAT
    if lists > 1:
        flags |= Flag.MANY
    if targeting.hours is not None:
        flags |= Flag.HOURS
    if flight.rules:
        flags |= Flag.REGULATED
    return flags


def _of_counts(flight: CompiledFlight) -> Flag:
    flags = Flag(0) if flight.goal is None else Flag.GOAL
    if is_capped_for_all(flight.flight):
        flags |= Flag.COUNTS | Flag.CAPPED
    if is_capped_a_reader(flight.flight):
        flags |= Flag.COUNTS | Flag.CAPPED_A_READER
    if flight.flight.takeover:
        flags |= Flag.COUNTS | Flag.TAKEOVER
    return flags
