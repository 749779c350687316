"""Makes what works on tokens."""

from adserver.access.office import TokenOffice
from adserver.access.token_store import RedisTokenStore
from adserver.config import Settings
from adserver.runtime.clock import now_utc
from adserver.runtime.redis_client import open_redis


def open_token_office(settings: Settings) -> TokenOffice:
    """Return what makes and revokes tokens; it makes no data folder."""
    return TokenOffice(RedisTokenStore(open_redis(settings).client), now_utc)
