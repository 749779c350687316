"""What is declared lost, as read from a real server with several shards."""

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from adserver.counting.cells import SHARDS_KEY
from adserver.counting.losses import Losses
from adserver.domain.errors import StoreUnavailable
from adserver.statistics.redis_standing import RedisStanding
from adserver.statistics.standing import CountStanding


def test_losses_of_all_shards_are_summed_and_this_hosts_backlog_is_told(valkey: redis.Redis) -> None:
    store = RedisStanding(valkey, lambda: (640, 3.5))
    assert store.read() == CountStanding(Losses(), 640, 3.5)

    valkey.set(SHARDS_KEY, 2)
    valkey.hset("{s0}:drops", mapping={"spool:a": "3", "spool:b": "4", "late": "1", "corrupt": "2", "another": "9"})
    valkey.hset("{s1}:drops", mapping={"late": "10"})
    valkey.hset("{s0}:gap", mapping={"a:0": "64"})
    valkey.hset("{s1}:gap", mapping={"a:0": "64", "b:128": "256"})
    assert store.read().losses == Losses(gaps=3, late=11, corrupt=2, unwritten=7)


def test_a_server_that_is_away_is_said_to_be() -> None:
    with pytest.raises(StoreUnavailable):
        RedisStanding(redis.Redis(port=1, retry=Retry(NoBackoff(), 0)), lambda: (0, 0.0)).read()
