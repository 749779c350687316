"""Opens the client of the settings' Redis."""

from typing import Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from adserver.config import Settings
from adserver.processes.embedded_redis import EmbeddedRedis

_CONNECT_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 5.0
WEB_ANSWER_SECONDS: Final = 2.0
"""People wait for it, and it takes threads from pages."""


def open_redis(settings: Settings, answer_seconds: float = ANSWER_SECONDS) -> redis.Redis:
    """Return a client of the settings' Redis; it connects at first use, and never tries a command twice by itself."""
    return redis.Redis.from_url(
        settings.redis_url or EmbeddedRedis.of(settings.data_dir).url,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=answer_seconds,
        retry=Retry(NoBackoff(), 0),
    )
