"""The disks and the clocks of a running service go wrong."""

import time
from typing import Final

from fault import Fault
from service import Service
from small_disk import bound_files, fill
from stage import Stage

_HOUR: Final = 3600.0


def fill_spools(stage: Stage) -> str:
    """Fill the disk under the spools, and free it when events were dropped."""
    before = dropped(stage)
    pids = list(stage.service.pids())
    free = fill(stage.service.data_dir) if stage.on_disk else bound_files(pids, 4096)
    try:
        Service.await_that(lambda: dropped(stage) > before + 20)
    finally:
        free()
    return f"filled the disk under the spools; {dropped(stage) - before} drops declared"


def fill_redis_disk(stage: Stage) -> str:
    """Fill the disk under the append-only file until Redis refuses writes, kill it there, and free the disk."""
    free = fill(stage.redis.folder) if stage.on_disk else bound_files([stage.redis.pid], 4096)
    try:
        Service.await_that(lambda: stage.redis.has_ended or _cannot_persist(stage))
        pid = stage.redis.kill()
    finally:
        free()
    stage.redis.start()
    return f"filled the disk under the append-only file until it took no write, then killed redis {pid}"


def _cannot_persist(stage: Stage) -> bool:
    with stage.redis.client() as client:
        return bool(client.info("persistence")["aof_last_write_status"] != "ok")


def dropped(stage: Stage) -> int:
    """Return how many events the spools' headers declare as dropped."""
    headers = (stage.service.data_dir / "spools").glob("*/header")
    return sum(int.from_bytes(header.read_bytes()[16:24], "big") for header in headers)


def clock_forward(stage: Stage) -> str:
    """Put the clock of workers and keeper an hour forward, and back again under load."""
    return _set_clock(stage, _HOUR)


def clock_back(stage: Stage) -> str:
    """Put it an hour back, and forward again under load."""
    return _set_clock(stage, -_HOUR)


def clock_over_the_hour(stage: Stage) -> str:
    """Have the hour end under load."""
    return _set_clock(stage, _HOUR - time.time() % _HOUR - 2, answers=150)


def _set_clock(stage: Stage, seconds: float, answers: int = 60) -> str:
    stage.clock.set(seconds)
    time.sleep(1.1)  # processes look at the clock's file once a second
    stage.readers.await_answers(answers)
    stage.clock.set(0)
    return f"clock of workers {stage.service.workers()} and keeper set {seconds:+.0f} s, then right again"


OF_THE_HOST: Final = (
    Fault("disk full under the spools", fill_spools),
    Fault("disk full under the append-only file", fill_redis_disk),
    Fault("clock an hour forward, and right again", clock_forward),
    Fault("clock an hour back, and right again", clock_back),
    Fault("clock over an hour's boundary", clock_over_the_hour),
)
