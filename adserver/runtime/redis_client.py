"""Opens the link to the settings' Redis."""

from typing import Final

from adserver.config import Settings
from adserver.processes.embedded_redis import EmbeddedRedis
from adserver.store.address import parse_address
from adserver.store.link import ANSWER_SECONDS, RedisLink, open_link

WEB_ANSWER_SECONDS: Final = 2.0
"""People wait for it, and it takes threads from pages."""


def open_redis(settings: Settings, answer_seconds: float = ANSWER_SECONDS) -> RedisLink:
    """Return the link to the settings' Redis; it connects at first use, and never tries a command twice by itself."""
    address = settings.redis_address or parse_address(EmbeddedRedis.of(settings.data_dir).url)
    return open_link(address, answer_seconds)
