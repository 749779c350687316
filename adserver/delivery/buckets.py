"""From which width of its container a length fits, in steps that a stylesheet can list."""

from functools import lru_cache
from typing import Final

from wcwidth import wcswidth

from adserver.domain.variants import Text

STEP_COLUMNS: Final = 8
WIDEST_COLUMNS: Final = 200
BUCKETS: Final = range(STEP_COLUMNS, WIDEST_COLUMNS + 1, STEP_COLUMNS)
"""The widths, in `ch` of the container's font, that `/slot.css` knows."""

_SEPARATOR: Final = ": "


def bucket_of(label: str, text: Text) -> int | None:
    """Return the width in columns from which the label and the text fit on one line, rounded up to a bucket.

    None for a line wider than the widest bucket: only a shorter length can be shown by width then.
    """
    columns = _columns(label + _SEPARATOR) + text.columns
    bucket = -(-columns // STEP_COLUMNS) * STEP_COLUMNS
    return bucket if bucket <= WIDEST_COLUMNS else None


@lru_cache(maxsize=256)
def _columns(text: str) -> int:
    """Return display columns; labels are few and the same at every request."""
    return max(wcswidth(text), 0)
