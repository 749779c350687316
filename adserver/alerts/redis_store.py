"""The book of alerts in Redis or Valkey, and which host writes it."""

from typing import Final, cast

import redis
from redis.exceptions import RedisClusterException, RedisError

from adserver.alerts.book import Book
from adserver.alerts.book_file import decode_book, encode_book
from adserver.domain.errors import StoreUnavailable

BOOK_KEY: Final = "{alerts}:book"
LEADER_KEY: Final = "{alerts}:leader"


class RedisBookStore:
    """A `BookStore`. Immutable, shared by all threads, as its client is."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def lead(self, host: str, seconds: float) -> bool:
        """Return whether this host leads.

        Between the two steps another may come to lead: both then send the same notices, which have the same ids.
        """
        milliseconds = int(seconds * 1000)
        try:
            if self._client.set(LEADER_KEY, host, nx=True, px=milliseconds):
                return True
            if cast("bytes | None", self._client.get(LEADER_KEY)) != host.encode():
                return False
            self._client.set(LEADER_KEY, host, px=milliseconds)
        except (RedisError, RedisClusterException) as error:
            raise StoreUnavailable(f"Redis did not say which host sends alerts: {error}") from error
        return True

    def read(self) -> Book | None:
        """Return the book; None: there is none, or it is of another version."""
        try:
            data = cast("bytes | None", self._client.get(BOOK_KEY))
        except (RedisError, RedisClusterException) as error:
            raise StoreUnavailable(f"Redis did not give the alerts: {error}") from error
        return None if data is None else decode_book(data)

    def write(self, book: Book) -> None:
        """Replace the book."""
        try:
            self._client.set(BOOK_KEY, encode_book(book))
        except (RedisError, RedisClusterException) as error:
            raise StoreUnavailable(f"Redis did not take the alerts: {error}") from error
