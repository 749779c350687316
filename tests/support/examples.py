"""How many examples a test takes that says so itself: `make quick` is quick in the same measure everywhere."""

from typing import Final

from hypothesis import settings

USUAL: Final = 100
"""What tests take that say nothing, in a full run."""


def examples(full_run: int) -> int:
    """Return how many of the examples of a full run the present profile takes; all of them in a full run."""
    return max(1, full_run * settings().max_examples // USUAL)


def every_nth() -> int:
    """Return the step at which a test goes through a long list: 1 in a full run."""
    return max(1, USUAL // settings().max_examples)
