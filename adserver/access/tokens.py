"""Tokens that people and their programs show: who made them, what they may do, and until when. Values only."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import msgspec

from adserver.domain.errors import AdserverError

TOKEN_PREFIX: Final = "adsv_"  # noqa: S105 - what every token begins with is no secret
"""Begins every token, so that scanners of repositories find one that was committed."""
TOKEN_BYTES: Final = 32
ID_CHARS: Final = 16
"""Hex digits of a token's hash that stand for it in sessions and lists."""


class Role(StrEnum):
    """What a caller may do."""

    ADMIN = "admin"
    MARKETER = "marketer"
    ANALYST = "analyst"


class TokensUnreadable(AdserverError):
    """What is kept of tokens is damaged, or of a version that this one does not know."""


class AccessToken(msgspec.Struct, frozen=True):
    """All that is kept of a token: not the token itself, which nobody can get back. Immutable."""

    name: str
    role: Role
    advertisers: tuple[str, ...]
    """Those whose things exist for it; empty: all."""
    made_at: int
    """Unix time in milliseconds; so all of these."""
    made_by: str
    expires_at: int | None
    """None: it holds until it is revoked."""

    @property
    def expires(self) -> datetime | None:
        """When it expires, aware UTC; None: never."""
        return None if self.expires_at is None else moment_of(self.expires_at)

    def has_expired(self, now: datetime) -> bool:
        """Tell whether its time is over; `now` is aware."""
        return self.expires_at is not None and milliseconds(now) >= self.expires_at


class Revocation(msgspec.Struct, frozen=True):
    """When a token was revoked, and by whom. Immutable."""

    at: int
    by: str


@dataclass(frozen=True, slots=True)
class TokenBook:
    """Every token ever made, and which are revoked, by the hash of the token. Immutable, shared by all threads.

    Both only grow, and no entry is ever changed: two books that lost sight of each other are united without loss, and
    a revoked token never comes back.
    """

    tokens: Mapping[str, AccessToken] = field(default_factory=dict)
    revoked: Mapping[str, Revocation] = field(default_factory=dict)

    def find(self, digest: str, now: datetime) -> AccessToken | None:
        """Return the token of a hash, or None where there is none, or it no longer holds; `now` is aware."""
        token = self.tokens.get(digest)
        return None if token is None or digest in self.revoked or token.has_expired(now) else token

    def named(self, name: str, now: datetime) -> str | None:
        """Return the hash of the token of that name that holds, or None."""
        return next((key for key, one in self.tokens.items() if one.name == name and self.find(key, now)), None)

    def beside(self, other: "TokenBook") -> "TokenBook":
        """Return what this book has and the other lacks."""
        return TokenBook(
            {key: one for key, one in self.tokens.items() if key not in other.tokens},
            {key: one for key, one in self.revoked.items() if key not in other.revoked},
        )

    def united(self, other: "TokenBook") -> "TokenBook":
        """Return what either has; where both have something, this book's."""
        return TokenBook({**other.tokens, **self.tokens}, {**other.revoked, **self.revoked})

    def __bool__(self) -> bool:
        return bool(self.tokens or self.revoked)


def digest_of(token: str) -> str:
    """Return the hash that stands for a token: SHA-256 in hex. 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def milliseconds(moment: datetime) -> int:
    """Return an aware time as records keep it."""
    return round(moment.timestamp() * 1000)


def moment_of(unix_milliseconds: int) -> datetime:
    """Return a kept time as an aware one."""
    return datetime.fromtimestamp(unix_milliseconds / 1000, UTC)
