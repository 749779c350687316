"""The keeper as the supervisor sees it; what a keeper does, only its own process imports."""

import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from adserver.catalog.file_names import COMPILED_NAME
from adserver.processes.children import ChildSpec, Progress


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
        behind_pages_of=data_dir,
    )
