"""Loaded by processes with a faked clock: libfaketime 0.9.10 refuses `clock_nanosleep` until a monotonic time (EINVAL).

`select` sleeps as well, and is let through as it is.
"""

import select
import time
from typing import SupportsIndex


def _sleep(seconds: float | SupportsIndex) -> None:
    select.select([], [], [], float(seconds))


time.sleep = _sleep
