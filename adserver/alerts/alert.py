"""What somebody should know of: one thing that is amiss, or soon will be, in words with numbers. Values only."""

from collections.abc import Callable
from enum import StrEnum
from typing import Final

import msgspec


class AlertKind(StrEnum):
    """What there are alerts of."""

    BEHIND_PLAN = "behind_plan"
    GOAL_AT_RISK = "goal_at_risk"
    ENDING_SOON = "ending_soon"
    OVER_BOOKED = "over_booked"
    CACHED_EMBED = "cached_embed"
    GAPS = "gaps"
    DROPS = "drops"


class Severity(StrEnum):
    """How much an alert matters; members stand in that order."""

    CRITICAL = "critical"
    """Money or counts are lost unless somebody acts."""
    WARNING = "warning"
    """Somebody should look at it today."""
    INFO = "info"
    """Good to know in time."""


SEVERITY_OF: Final = {
    AlertKind.BEHIND_PLAN: Severity.WARNING,
    AlertKind.GOAL_AT_RISK: Severity.CRITICAL,
    AlertKind.ENDING_SOON: Severity.INFO,
    AlertKind.OVER_BOOKED: Severity.WARNING,
    AlertKind.CACHED_EMBED: Severity.WARNING,
    AlertKind.GAPS: Severity.CRITICAL,
    AlertKind.DROPS: Severity.CRITICAL,
}


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One of them. Immutable."""

    id: str
    """The same for as long as it is the same thing: `behind_plan:minnesota`."""
    kind: AlertKind
    severity: Severity
    title: str
    """One line, without a full stop."""
    text: str
    """What is so, with numbers."""
    advice: str
    """What to do next."""
    advertisers: tuple[str, ...] = ()
    """Ids of those it is about; empty: it is about the service."""
    campaign: str | None = None
    flight: str | None = None
    slot: str | None = None
    since: float = 0.0
    """Unix time at which it began; 0: it was only just found."""


def is_for(alert: Alert, sees: Callable[[str], bool], *, is_bound: bool) -> bool:
    """Tell whether an alert exists for a caller who may be bound to advertisers.

    What is about several advertisers is for those who see all of them: its words name each.
    """
    return not is_bound or (bool(alert.advertisers) and all(map(sees, alert.advertisers)))
