"""Where tokens are kept for all hosts: the port, its twin in memory, and Redis."""

import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from typing import Final, Protocol, TypeVar, cast

import msgspec
from redis import Redis
from redis.exceptions import RedisError

from adserver.access.tokens import AccessToken, Revocation, TokenBook, TokensUnreadable
from adserver.domain.errors import StoreUnavailable

TOKENS_KEY: Final = "{access}:tokens"
REVOKED_KEY: Final = "{access}:revoked"
VERSION_KEY: Final = "{access}:version"

_KEYS: Final = (TOKENS_KEY, REVOKED_KEY, VERSION_KEY)
_VERSION_BYTES: Final = 12

_Record = TypeVar("_Record", AccessToken, Revocation)


class TokenStore(Protocol):
    """Every token of all hosts. Shared by all threads. Fails closed."""

    def version(self) -> str:
        """Return a word that is another after every change; empty: nothing was ever kept.

        Raises:
            StoreUnavailable: the store does not answer. So every method.
        """
        ...

    def read(self) -> TokenBook:
        """Return all of it.

        Raises:
            TokensUnreadable: it is not of this layout.
        """
        ...

    def add(self, version: str, book: TokenBook) -> bool:
        """Add what the store lacks of a book, if its version is still that one; return whether it was.

        What is there already stays as it is.
        """
        ...


class MemoryTokenStore:
    """The store of a test. Shared by all threads, under one lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._version = ""
        self._book = TokenBook()

    def version(self) -> str:
        """Return what changes with every change."""
        return self._version

    def read(self) -> TokenBook:
        """Return all of it."""
        return self._book

    def add(self, version: str, book: TokenBook) -> bool:
        """Add what is not there."""
        with self._lock:
            if version != self._version:
                return False
            self._book = self._book.united(book)
            self._version = _new_version()
            return True


class RedisTokenStore:
    """The store that all hosts share. Shared by all threads, as the client is."""

    def __init__(self, redis: Redis) -> None:
        """Take a client with short time-outs, without retries of its own, and without `decode_responses`."""
        self._redis = redis
        self._script = files("adserver.access").joinpath("add_tokens.lua").read_text(encoding="utf-8")

    def version(self) -> str:
        """Return what changes with every change."""
        with _answering():
            return (cast("bytes | None", self._redis.get(VERSION_KEY)) or b"").decode()

    def read(self) -> TokenBook:
        """Return all of it."""
        with _answering():
            tokens = cast("dict[bytes, bytes]", self._redis.hgetall(TOKENS_KEY))
            revoked = cast("dict[bytes, bytes]", self._redis.hgetall(REVOKED_KEY))
        return TokenBook(_records(tokens, AccessToken), _records(revoked, Revocation))

    def add(self, version: str, book: TokenBook) -> bool:
        """Add what is not there."""
        with _answering():
            return bool(
                self._redis.eval(
                    self._script, len(_KEYS), *_KEYS, version, _new_version(), len(book.tokens), *_pairs(book)
                )
            )


def _new_version() -> str:
    """Return a word that was never used: a number would come twice once Redis falls back to an older copy."""
    return secrets.token_hex(_VERSION_BYTES)


def _pairs(book: TokenBook) -> Iterator[bytes]:
    for records in (book.tokens, book.revoked):
        for digest, record in records.items():
            yield digest.encode()
            yield msgspec.json.encode(record)


def _records(fields: Mapping[bytes, bytes], type_: type[_Record]) -> dict[str, _Record]:
    try:
        return {digest.decode(): msgspec.json.decode(record, type=type_) for digest, record in fields.items()}
    except msgspec.DecodeError as error:
        raise TokensUnreadable(f"a token in Redis cannot be read: {error}") from error


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except RedisError as error:
        raise StoreUnavailable(f"the store of tokens does not answer: {error}") from error
