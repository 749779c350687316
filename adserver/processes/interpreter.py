"""How Python itself is set in a worker, so that long work in one thread holds up the others as little as can be."""

import gc
import sys
from typing import Final

SWITCH_SECONDS: Final = 0.0005
"""How long a thread that computes keeps the others from running, at most. Python's own 5 ms make a request, which gives
up its turn several times, wait 30 ms and more while an upload is checked or a revision is loaded."""


def favour_requests() -> None:
    """Let waiting threads in sooner, and keep what is loaded by now out of every later search for garbage.

    To be called once a process, when the application is made. A search stops all threads, and takes as long as there
    are objects to look through.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
