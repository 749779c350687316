"""What a diagnosis finds."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    """Counts or pages are at risk now."""
    WARNING = "warning"
    """Mend it before it becomes an error."""
    INFO = "info"
    """Good to know."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at. Immutable."""

    code: str
    """Always the same for the same thing."""
    severity: Severity
    problem: str
    remedy: str
