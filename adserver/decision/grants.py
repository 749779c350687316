"""How a few fills are split among the processes that ask for them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Want(NamedTuple):
    """What one process has, and how much it could use. Immutable."""

    process: str
    left: int
    """Fills that it was granted and has not used."""
    target: int
    """Fills that it could use soon, 1 at least."""


def split(available: int, wants: Sequence[Want], turn: int) -> Mapping[str, int]:
    """Return how many more fills each process is granted.

    Who has used over half of what it could use is filled up. Where there is less than that takes, each has a part in
    proportion, 1 at least; where there is not even that, they take turns.

    Args:
        available: how many there are.
        wants: of all processes, always in one order.
        turn: rises with every call, so that nobody is always last.
    """
    missing = {want.process: want.target - want.left for want in wants if 2 * want.left <= want.target}
    total = sum(missing.values())
    if total <= available:
        return missing
    if available <= 0:
        return {}
    first = turn % len(missing)
    names = list(missing)
    names = names[first:] + names[:first]
    given: dict[str, int] = {}
    left = available
    for name in names:
        part = min(left, max(1, available * missing[name] // total))
        if part:
            given[name] = part
            left -= part
    return given
