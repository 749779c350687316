"""State that a forked child must not inherit."""

import os
import weakref
from collections.abc import Callable


def forget_after_fork(method: Callable[[], None]) -> None:
    """Have a bound `method` called in every child forked from now on, for as long as its object lives."""
    reference = weakref.WeakMethod(method)

    def call_in_child() -> None:
        bound = reference()
        if bound is not None:
            bound()

    os.register_at_fork(after_in_child=call_in_child)
