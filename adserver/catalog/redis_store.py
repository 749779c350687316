"""Revisions in Redis: `{catalog}:head`, `:revisions`, `:documents` and `:names`, written by one script only."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from typing import Final, cast

from redis import Redis, RedisError

from adserver.catalog.names import NAMES_KEY, load_name_fields
from adserver.catalog.revisions import (
    NO_HEAD,
    Entry,
    Head,
    Revision,
    decode_documents,
    decode_entry,
    encode_documents,
    encode_entry,
)
from adserver.catalog.store import HISTORY_LIMIT, check_number
from adserver.domain.errors import StaleBase, StoreUnavailable

HEAD_KEY: Final = "{catalog}:head"
REVISIONS_KEY: Final = "{catalog}:revisions"
DOCUMENTS_KEY: Final = "{catalog}:documents"

_KEYS: Final = (HEAD_KEY, REVISIONS_KEY, DOCUMENTS_KEY, NAMES_KEY)


class RedisRevisionStore:
    """The store that all hosts share. Shared by all threads, as the client is. Fails closed."""

    def __init__(self, redis: Redis) -> None:
        """Take a client with short time-outs, without retries of its own, and without `decode_responses`."""
        self._redis = redis
        self._script = files("adserver.catalog").joinpath("commit.lua").read_text(encoding="utf-8")

    def head(self) -> Head:
        """Return which revision is live."""
        with _answering():
            return _head_of(cast("bytes | None", self._redis.get(HEAD_KEY)))

    def get(self, number: int) -> Revision | None:
        """Return a revision, or None."""
        with _answering():  # what one script has written, and nobody changes: two calls read the same
            entry = cast("bytes | None", self._redis.hget(REVISIONS_KEY, str(number)))
            documents = cast("bytes | None", self._redis.hget(DOCUMENTS_KEY, str(number)))
        if entry is None or documents is None:
            return None
        return Revision(decode_entry(entry), decode_documents(documents))

    def history(self, limit: int = HISTORY_LIMIT) -> tuple[Entry, ...]:
        """Return the newest entries, newest first."""
        with _answering():
            numbers = sorted((int(number) for number in self._redis.hkeys(REVISIONS_KEY)), reverse=True)[:limit]
            found = self._redis.hmget(REVISIONS_KEY, [str(number) for number in numbers]) if numbers else []
        return tuple(decode_entry(cast("bytes", entry)) for entry in found if entry is not None)

    def name_fields(self) -> dict[str, str]:
        """Return the fields of the names' hash."""
        return load_name_fields(self._redis)

    def commit(self, base: Head, revision: Revision | None, names: Mapping[str, str]) -> None:
        """Make a revision live and write names, if the head still is `base`."""
        check_number(base, revision)
        expected = "" if base == NO_HEAD else str(base)
        change: tuple[str | bytes, ...] = ("", "", "", "")
        if revision is not None:
            entry, documents = encode_entry(revision.entry), encode_documents(revision.documents)
            change = (str(revision.number), str(revision.head), entry, documents)
        pairs = [part for pair in names.items() for part in pair]
        with _answering():
            written, live = self._redis.eval(self._script, len(_KEYS), *_KEYS, expected, *change, *pairs)
        if not written:
            raise StaleBase(base.number, _head_of(live).number)


@contextmanager
def _answering() -> Iterator[None]:
    """Turn every error and time-out of Redis into the one that callers know."""
    try:
        yield
    except RedisError as error:
        raise StoreUnavailable(f"the catalog store does not answer: {error}") from error


def _head_of(value: bytes | None) -> Head:
    if not value:
        return NO_HEAD
    number, _, digest = value.decode().partition(" ")
    return Head(int(number), digest)
