"""Seconds from typing `make run` to a service that answers, with all set up and a data folder from the last time."""

import os
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from bench.servers import ROOT, STOP_SECONDS, Server, await_ready, free_port

ROUNDS: Final = 3


@dataclass(frozen=True, slots=True)
class Start:
    """Immutable."""

    seconds: float
    """Median of the warm starts, until `/readyz` says so."""
    first_seconds: float
    """With an empty data folder."""


def measure() -> Start:
    """Return how long `make run` takes."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        first, *warm = [_start(Path(folder)) for _ in range(1 + ROUNDS)]
    return Start(median(warm), first)


def _start(folder: Path) -> float:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ADSERVER_", "MAKE", "MFLAGS"))}
    port = free_port()
    began = time.monotonic()
    process = subprocess.Popen(
        ("make", "--silent", "run", f"PORT={port}"),
        cwd=ROOT,
        env={**kept, "ADSERVER_DATA_DIR": str(folder)},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        await_ready(Server("make run", port, process.pid), "/readyz", process)
        return time.monotonic() - began
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_SECONDS)
