"""Redis is killed, stopped and put back under a running service, and what lies between them is cut."""

import time
from typing import Final, cast

import redis
from cutting_proxy import Harm
from fault import Fault, harm
from service import Service
from stage import Stage

_SCRIPT: Final = b"EVALSHA"
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


def kill_redis(stage: Stage) -> str:
    """Kill Redis, and start it again on its files."""
    pid = stage.redis.kill()
    time.sleep(stage.rng.random())
    stage.redis.start()
    return f"killed redis {pid}"


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


def cut_replies(stage: Stage) -> str:
    """Cut every connection to Redis instead of each reply to a batch: applied, and nobody is told."""
    with harm(stage, Harm.CUT, only=_SCRIPT, times=3):
        return f"cut replies of redis {stage.redis.pid} to the keeper's batches, three times"


def deliver_late(stage: Stage) -> str:
    """Keep a batch on its way until the keeper has sent the same again and more, and deliver it then."""
    with harm(stage, Harm.KEEP, only=_SCRIPT):
        before, ends = _applied(stage), stage.spool_ends()
    # Whichever batch was kept, its spool was not counted to its end; those of workers long gone stay where they are.
    behind = {where: at for where, at in before.items() if at < ends.get(where[1].decode(), 0)}

    def went_on() -> bool:
        now = _applied(stage)
        return all(now.get(where, at + 1) > at for where, at in behind.items())

    Service.await_that(went_on)
    replies = stage.proxy.deliver_kept()
    assert replies, "no batch was kept"
    return f"delivered {replies} batches to redis {stage.redis.pid} that it had been sent again in the meantime"


def _applied(stage: Stage) -> dict[tuple[int, bytes], int]:
    """Return where each shard stands in each spool."""
    with stage.redis.client() as client:
        return {
            (shard, spool): int(at)
            for shard in range(int(client.get("{meta}:shards") or 1))
            for spool, at in cast("dict[bytes, bytes]", client.hgetall(f"{{s{shard}}}:applied")).items()
        }


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
