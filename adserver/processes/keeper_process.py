"""The keeper as a process: one a host, told to end by a signal."""

import fcntl
import os
import signal
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from adserver.keeping.keeper import Keeper, KeeperReport, run_keeper
from adserver.keeping.keeper_state import KeeperStateFile

KEEPER_LOCK_NAME: Final = "keeper.lock"


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
    state = KeeperStateFile(data_dir)

    def on_report(report: KeeperReport, at: datetime) -> None:
        state.report(report, at.timestamp())
        if report.redis and not report.revision:
            publish_late()

    run_keeper(keeper, stop, on_report)
    os.close(descriptor)
    return True
