"""What can befall a running service, each as one function on a stage under load; it says what it did, and to whom."""

import http.client
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, cast

import redis
from cutting_proxy import Harm
from service import Service, is_running, kill
from small_disk import bound_files, fill
from stage import Stage

_SCRIPT: Final = b"EVALSHA"
_HOUR: Final = 3600.0

_DUMP_SHARD: Final = """
local dumped = {}
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
  for _, part in ipairs({key, math.max(0, redis.call('PTTL', key)), redis.call('DUMP', key)}) do
    dumped[#dumped + 1] = part
  end
end
return dumped
"""
_RESTORE_SHARD: Final = """
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end
for i = 2, #ARGV, 3 do redis.call('RESTORE', ARGV[i], ARGV[i + 1], ARGV[i + 2]) end
"""


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of harm. Immutable."""

    name: str
    inject: Callable[[Stage], str]
    """Does it and returns in words what was done, with pids."""
    slow: bool = False
    """Whether it takes more than a few seconds."""


# --- kill -9 ---


def kill_worker(stage: Stage) -> str:
    """Kill a worker while it answers."""
    pid = stage.rng.choice(stage.service.workers())
    kill(pid)
    Service.await_that(lambda: not is_running(pid))
    return f"killed worker {pid}"


def kill_both_workers(stage: Stage) -> str:
    """Kill all workers at once, so that whatever is being appended or answered is cut off."""
    workers = stage.service.workers()
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


def kill_redis(stage: Stage) -> str:
    """Kill Redis, and start it again on its files."""
    pid = stage.redis.kill()
    time.sleep(stage.rng.random())
    stage.redis.start()
    return f"killed redis {pid}"


# --- SIGSTOP ---


def stop_worker(stage: Stage) -> str:
    """Stop a worker for a while."""
    return _stop(stage, stage.rng.choice(stage.service.workers()), "worker")


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


# --- Redis falls back ---


def rewind_redis(stage: Stage) -> str:
    """Put Redis back from a copy of its data that is 10 s old or older."""
    if not stage.copies:
        stage.copies.append(stage.redis.copy())
    old = [copy for copy in stage.copies if copy.age_seconds >= 10]
    copy = stage.rng.choice(old or stage.copies[:1])
    time.sleep(max(0.0, 10 - copy.age_seconds))
    age = copy.age_seconds
    pid = stage.redis.put_back(copy)
    return f"killed redis {pid}, and started it from a copy {age:.0f} s old"


def rewind_one_shard(stage: Stage) -> str:
    """Put one shard of Redis back as it was a moment ago, all the others not."""
    with stage.redis.client() as client:
        shards = int(client.get("{meta}:shards") or 1)
        shard = stage.rng.randrange(shards)
        dumped = dump_shard(client, shard)
        stage.readers.await_answers(30)
        restore_shard(client, shard, dumped)
    return f"put shard {shard} of {shards} back, of redis {stage.redis.pid}"


def dump_shard(client: redis.Redis, shard: int) -> list[bytes]:
    """Return all of a shard at one moment."""
    return cast("list[bytes]", client.eval(_DUMP_SHARD, 0, f"{{s{shard}}}:*"))


def restore_shard(client: redis.Redis, shard: int, dumped: list[bytes]) -> None:
    """Put all of a shard back, at one moment."""
    client.eval(_RESTORE_SHARD, 0, f"{{s{shard}}}:*", *dumped)


def flush_all(stage: Stage) -> str:
    """Empty Redis."""
    with stage.redis.client() as client:
        client.flushall()
    return f"emptied redis {stage.redis.pid}"


# --- the network ---


def cut_replies(stage: Stage) -> str:
    """Cut every connection to Redis instead of each reply to a batch: applied, and nobody is told."""
    with harm(stage, Harm.CUT, only=_SCRIPT, times=3):
        return f"cut replies of redis {stage.redis.pid} to the keeper's batches, three times"


def deliver_late(stage: Stage) -> str:
    """Keep a batch on its way until the keeper has sent the same again and more, and deliver it then."""
    with harm(stage, Harm.KEEP, only=_SCRIPT):
        before = _applied(stage)
    Service.await_that(lambda: all(at > before.get(spool, 0) for spool, at in _applied(stage).items()))
    replies = stage.proxy.deliver_kept()
    return f"delivered {replies} batches to redis {stage.redis.pid} that it had been sent again in the meantime"


def _applied(stage: Stage) -> dict[bytes, int]:
    with stage.redis.client() as client:
        return {spool: int(at) for spool, at in cast("dict[bytes, bytes]", client.hgetall("{s0}:applied")).items()}


def swallow_replies(stage: Stage) -> str:
    """Give no reply until the keeper's time-out has passed."""
    with harm(stage, Harm.SWALLOW, times=2):
        return f"kept back replies of redis {stage.redis.pid}, past a time-out of 5 s"


def lag(stage: Stage) -> str:
    """Hold each reply back for 200 ms."""
    with harm(stage, Harm.LAG, times=10):
        return f"200 ms of lag before redis {stage.redis.pid}"


def cut_all(stage: Stage) -> str:
    """Refuse all connections to Redis for a while."""
    stage.proxy.cut_all()
    with harm(stage, Harm.REFUSE, times=2):
        return f"cut all connections to redis {stage.redis.pid}"


@contextmanager
def harm(stage: Stage, kind: Harm, *, only: bytes = b"", times: int = 1) -> Iterator[None]:
    """Have the proxy do harm; the body runs once it did it so many times, and before it ends."""
    before = stage.proxy.harmed
    stage.proxy.only, stage.proxy.harm = only, kind
    try:
        Service.await_that(lambda: stage.proxy.harmed >= before + times)
        yield
    finally:
        stage.proxy.harm, stage.proxy.only = Harm.NONE, b""
        stage.proxy.cut_all()


# --- disks ---


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


# --- clocks ---


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


# --- and nothing wrong at all ---


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
OF_REDIS: Final = (
    Fault("kill -9 of Redis", kill_redis),
    Fault("Redis from a copy 10 s old", rewind_redis, slow=True),
    Fault("one shard as it was, the others not", rewind_one_shard),
    Fault("FLUSHALL, and the spools replayed", flush_all),
    Fault("replies to batches cut", cut_replies),
    Fault("a batch delivered late, after its repetition", deliver_late),
    Fault("replies never given", swallow_replies, slow=True),
    Fault("200 ms of lag", lag),
    Fault("no connection to Redis", cut_all),
)
OF_THE_HOST: Final = (
    Fault("disk full under the spools", fill_spools),
    Fault("disk full under the append-only file", fill_redis_disk),
    Fault("clock an hour forward, and right again", clock_forward),
    Fault("clock an hour back, and right again", clock_back),
    Fault("clock over an hour's boundary", clock_over_the_hour),
)
FAULTS: Final = (*OF_PROCESSES, *HANGS, *OF_REDIS, *OF_THE_HOST)
"""All kinds that one service can go through any number of times; by name in docs/reliability.md."""


def answers(service: Service) -> bool:
    """Tell whether pages are answered."""
    try:
        return service.call("/v1/slots/masthead")[0] in (200, 204)
    except (OSError, http.client.HTTPException):
        return False
