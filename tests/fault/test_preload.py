"""Workers forked from one process that had loaded the application: killed under load, they count as exactly."""

import time
from pathlib import Path

from bare_service import BareService
from outcomes import Outcome, note
from service import Service, is_running, kill
from stage import running_stage


def test_exact_through_a_kill_of_all_preloaded_workers(tmp_path: Path) -> None:
    with running_stage(tmp_path, "--preload", kind=BareService) as stage:
        with stage.load():
            before = stage.readers.answered
            workers = stage.service.workers()
            children = [pid for pid in workers if pid != stage.service.pid]
            for pid in children:
                kill(pid)
            Service.await_that(lambda: not any(is_running(pid) for pid in children))
            during = stage.readers.answered - before
        after = stage.readers.answered - before - during
        stopped = time.monotonic()
        balance = stage.assert_exact()
        settled = round(time.monotonic() - stopped, 1)
    numbers = (before, during, after, balance.answered, balance.recorded, balance.dropped, balance.cells, settled)
    note(Outcome("kill -9 of all workers under `--preload`", *numbers), f"killed workers {children}")
    assert len(children) == 2
