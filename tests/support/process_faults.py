"""Processes of a running service are killed and stopped."""

import signal
import time
from typing import Final

from cutting_proxy import Harm
from fault import Fault, answers, harm
from service import Service, is_running, kill
from stage import Stage

_SCRIPT: Final = b"EVALSHA"


def kill_worker(stage: Stage) -> str:
    """Kill a worker while it answers."""
    pid = stage.rng.choice(_workers(stage))
    kill(pid)
    Service.await_that(lambda: not is_running(pid))
    return f"killed worker {pid}"


def _workers(stage: Stage) -> list[int]:
    """Return the workers' pids, once there are any: the fault before this one may have ended all."""
    Service.await_that(lambda: bool(stage.service.workers()))
    return stage.service.workers()


def kill_both_workers(stage: Stage) -> str:
    """Kill all workers at once, so that whatever is being appended or answered is cut off."""
    workers = _workers(stage)
    for pid in workers:
        kill(pid)
    Service.await_that(lambda: not any(is_running(pid) for pid in workers))
    Service.await_that(lambda: answers(stage.service))
    return f"killed workers {', '.join(map(str, workers))}"


def kill_keeper_after_its_call(stage: Stage) -> str:
    """Kill the keeper when Redis has applied its batch and the reply is not there."""
    with harm(stage, Harm.SWALLOW, only=_SCRIPT):
        pid = stage.service.pid_of("main keeper")
        kill(pid)
        Service.await_that(lambda: not is_running(pid))
    return f"killed keeper {pid} whose batch was applied and not yet answered"


def kill_keeper_within_its_call(stage: Stage) -> str:
    """Kill the keeper when half of its call is sent."""
    with harm(stage, Harm.HALVE, only=_SCRIPT):
        pid = stage.service.pid_of("main keeper")
        kill(pid)
        Service.await_that(lambda: not is_running(pid))
    return f"killed keeper {pid} in the middle of sending a batch"


def kill_web_master(stage: Stage) -> str:
    """Kill gunicorn's master."""
    pid = stage.service.pid_of("gunicorn")
    kill(pid)
    Service.await_that(lambda: not is_running(pid))
    Service.await_that(lambda: answers(stage.service))
    return f"killed gunicorn's master {pid}"


def kill_supervisor(stage: Stage) -> str:
    """Kill `adserver serve`; all ends with it, and is started again."""
    pid, family = stage.service.pid, list(stage.service.pids())
    kill(pid)
    stage.service.await_that(stage.service.has_ended)
    Service.await_that(lambda: not any(is_running(one) for one in family))
    stage.service.start()
    return f"killed supervisor {pid}, and started the service again"


def stop_worker(stage: Stage) -> str:
    """Stop a worker for a while."""
    return _stop(stage, stage.rng.choice(_workers(stage)), "worker")


def stop_keeper(stage: Stage) -> str:
    """Stop the keeper for a while."""
    return _stop(stage, stage.service.pid_of("main keeper"), "keeper")


def stop_redis(stage: Stage) -> str:
    """Stop Redis for a while."""
    return _stop(stage, stage.redis.pid, "redis")


def _stop(stage: Stage, pid: int, what: str) -> str:
    kill(pid, signal.SIGSTOP)
    try:
        time.sleep(stage.hang_seconds)  # the fault is that nothing happens for so long
    finally:
        kill(pid, signal.SIGCONT)
    return f"stopped {what} {pid} for {stage.hang_seconds:g} s"


def publish(stage: Stage) -> str:
    """Publish a revision."""
    return f"published revision {stage.publish()} under load"


OF_PROCESSES: Final = (
    Fault("kill -9 of a worker", kill_worker),
    Fault("kill -9 of all workers", kill_both_workers, slow=True),
    Fault("kill -9 of the keeper, its batch applied and not answered", kill_keeper_after_its_call, slow=True),
    Fault("kill -9 of the keeper, half of its batch sent", kill_keeper_within_its_call, slow=True),
    Fault("kill -9 of gunicorn's master", kill_web_master, slow=True),
    Fault("kill -9 of the supervisor", kill_supervisor, slow=True),
    Fault("a revision published under load", publish),
)


HANGS: Final = (
    Fault("SIGSTOP of a worker", stop_worker, slow=True),
    Fault("SIGSTOP of the keeper", stop_keeper, slow=True),
    Fault("SIGSTOP of Redis", stop_redis, slow=True),
)
