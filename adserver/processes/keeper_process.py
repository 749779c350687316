"""The keeper as a process: one a host, told to end by a signal."""

import fcntl
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from adserver.catalog.compiled import COMPILED_NAME
from adserver.keeping.keeper import Keeper, KeeperReport, run_keeper
from adserver.keeping.keeper_state import KeeperStateFile
from adserver.processes.children import ChildSpec, Progress

KEEPER_LOCK_NAME: Final = "keeper.lock"
NICENESS: Final = 5
"""Pages first: where processors are short, what counts gets a quarter of one, rather than as much as who answers."""


def keeper_spec(data_dir: Path, env: Mapping[str, str]) -> ChildSpec:
    """Return how a supervisor runs the keeper; it is up once there is a compiled catalog to serve from."""

    def progress() -> Progress:
        return Progress.READY if (data_dir / COMPILED_NAME).exists() else Progress.WORKING

    return ChildSpec(
        name="keeper",
        argv=(sys.executable, "-m", "adserver.cli.main", "keeper"),
        env=env,
        progress=progress,
        stop_signal=signal.SIGTERM,
        grace_seconds=5.0,
    )


def keep(keeper: Keeper, data_dir: Path, publish_late: Callable[[], None]) -> bool:
    """Run the keeper until SIGTERM or SIGINT; return False at once where another process keeps this data folder.

    `publish_late` is called while Redis answers and nothing was ever published: it was away when the service started.
    """
    descriptor = os.open(data_dir / KEEPER_LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    os.nice(NICENESS)
    state = KeeperStateFile(data_dir)

    def on_report(report: KeeperReport, at: datetime) -> None:
        state.report(report, at.timestamp())
        if report.redis and not report.revision:
            publish_late()

    run_keeper(keeper, stop, on_report)
    os.close(descriptor)
    return True
