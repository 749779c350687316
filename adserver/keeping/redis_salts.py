"""The salts of reach in Redis, where all hosts find the same."""

from typing import Final, cast

import redis
from redis.exceptions import RedisError

from adserver.domain.errors import StoreUnavailable
from adserver.keeping.salts import Agreed

_BEFORE_ITS_TIME: Final = 1


class RedisSaltStore:
    """A `SaltStore` on a Redis or Valkey server. The client's retries must be off. One thread."""

    def __init__(self, client: redis.Redis, *, is_ours: bool) -> None:
        """Take a client, and whether the server is the embedded one, whose files we may have written anew."""
        self._client = client
        self._is_ours = is_ours

    def agree(self, day: int, secret: str, life_seconds: int) -> Agreed:
        """Put a day's salt where there is none yet; return the one that holds."""
        key = salt_key(day)
        try:
            self._client.set(key, secret, nx=True, ex=life_seconds)
            stored = cast("bytes | None", self._client.get(key))
            left = self._client.pttl(key)
        except RedisError as error:
            raise StoreUnavailable(f"Redis did not say how readers are told apart: {error}") from error
        if stored is None or left < 0:  # it ended in between
            return Agreed(secret, _BEFORE_ITS_TIME)
        return Agreed(stored.decode(), left / 1000)

    def forget(self, day: int) -> None:
        """Forget a day's salt; the append-only file of the embedded server still has it until it is rewritten."""
        try:
            self._client.delete(salt_key(day))
            if self._is_ours:
                self._client.bgrewriteaof()
        except RedisError as error:
            raise StoreUnavailable(f"Redis did not forget how readers were told apart: {error}") from error


def salt_key(day: int) -> str:
    """Return the key of a day's salt (days since 1970); it expires."""
    return f"{{meta}}:reach-salt:{day}"
