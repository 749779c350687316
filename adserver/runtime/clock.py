"""The one reader of the wall clock; all else is told the time."""

from datetime import UTC, datetime


def now_utc() -> datetime:
    """Return the present, aware UTC."""
    return datetime.now(UTC)
