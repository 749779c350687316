"""What this host answered and could not write: how many events, and whether it goes on."""

import os
from collections.abc import Callable
from pathlib import Path

from adserver.counting.spool import HEADER_NAME, SpoolHeader, SpoolUnavailable


def dropped_events(spools: Path) -> int:
    """Return the sum over all spools of a folder, ever; a header that cannot be read counts for nothing."""
    return sum(_ask(path, lambda header: header.dropped) for path in spools.glob(f"*/{HEADER_NAME}"))


def spools_fail(spools: Path) -> bool:
    """Tell whether a process of this host could not write its last record."""
    return any(_ask(path, lambda header: int(header.failing)) for path in spools.glob(f"*/{HEADER_NAME}"))


def _ask(path: Path, question: Callable[[SpoolHeader], int]) -> int:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        header = SpoolHeader(descriptor, writable=False)
    except (SpoolUnavailable, OSError):
        return 0
    finally:
        os.close(descriptor)
    try:
        return question(header)
    finally:
        header.close()
