"""Makes, lists and revokes tokens."""

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from adserver.access.token_store import TokenStore
from adserver.access.tokens import (
    ID_CHARS,
    TOKEN_BYTES,
    TOKEN_PREFIX,
    AccessToken,
    Revocation,
    Role,
    TokenBook,
    digest_of,
    milliseconds,
    moment_of,
)
from adserver.domain.errors import AdserverError, StoreUnavailable

MAX_NAME_CHARS: Final = 64
MOST_DAYS: Final = 3650

_NAME: Final = re.compile(r"[^\W_](?:[\w .@-]{0,62}[^\W_])?")
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_ATTEMPTS: Final = 20


class TokenRefused(AdserverError):
    """A token cannot be made or revoked so; nothing was changed."""


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token that was just made; nobody can show it again. Immutable; its repr does not show it."""

    token: str
    record: AccessToken

    def __repr__(self) -> str:
        return f"<IssuedToken {self.record.name}>"


@dataclass(frozen=True, slots=True)
class ListedToken:
    """A token as lists show it. Immutable."""

    id: str
    record: AccessToken
    revoked: Revocation | None

    def state(self, now: datetime) -> str:
        """Return `valid`, `expired` or `revoked`; `now` is aware."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.record.has_expired(now) else "valid"

    def to_json(self, now: datetime) -> dict[str, object]:
        """Return it for machines; times in ISO 8601, null where there is none."""
        expires_at, revoked = self.record.expires_at, self.revoked
        return {
            "id": self.id,
            "name": self.record.name,
            "role": self.record.role.value,
            "advertisers": list(self.record.advertisers),
            "state": self.state(now),
            "made_at": _iso(self.record.made_at),
            "made_by": self.record.made_by,
            "expires_at": None if expires_at is None else _iso(expires_at),
            "revoked_at": None if revoked is None else _iso(revoked.at),
            "revoked_by": None if revoked is None else revoked.by,
        }


class TokenOffice:
    """Works on the store of tokens. Shared by all threads; two at once are told apart by the store."""

    def __init__(self, store: TokenStore, clock: Callable[[], datetime]) -> None:
        """Take the store, and what tells the present, aware UTC."""
        self._store = store
        self._clock = clock

    def make(
        self, name: str, role: Role, advertisers: Sequence[str] = (), days: int | None = None, *, by: str
    ) -> IssuedToken:
        """Make a token of 256 random bits.

        Args:
            name: whose it is; no two tokens that hold have the same.
            role: what it may do.
            advertisers: ids of those whose things exist for it; none: all.
            days: after which it expires; None: never.
            by: who makes it.

        Raises:
            TokenRefused: the name is taken or cannot be one, or role and advertisers do not go together.
            StoreUnavailable: the store does not answer.
        """
        _check(name, role, advertisers, days)
        now = self._clock()
        expires_at = None if days is None else milliseconds(now + timedelta(days=days))
        record = AccessToken(name, role, tuple(dict.fromkeys(advertisers)), milliseconds(now), by, expires_at)
        token = TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)

        def change(book: TokenBook) -> TokenBook:
            if book.named(name, now) is not None:
                raise TokenRefused(f"there is a token called {name!r}: revoke it, or choose another name")
            return TokenBook({digest_of(token): record})

        self._change(change)
        return IssuedToken(token, record)

    def revoke(self, name: str, *, by: str) -> None:
        """End a token, by its name or its id in the list.

        Raises:
            TokenRefused: no token that holds is called so.
            StoreUnavailable: the store does not answer.
        """
        now = self._clock()

        def change(book: TokenBook) -> TokenBook:
            digest = book.named(name, now) or next(
                (key for key in book.tokens if key[:ID_CHARS] == name and book.find(key, now)), None
            )
            if digest is None:
                raise TokenRefused(f"no token that holds is called {name!r}: adserver token list")
            return TokenBook({}, {digest: Revocation(milliseconds(now), by)})

        self._change(change)

    def list(self) -> tuple[ListedToken, ...]:
        """Return every token ever made, newest first.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        book = self._store.read()
        listed = (ListedToken(key[:ID_CHARS], one, book.revoked.get(key)) for key, one in book.tokens.items())
        return tuple(sorted(listed, key=lambda one: (-one.record.made_at, one.id)))

    def _change(self, change: Callable[[TokenBook], TokenBook]) -> None:
        for _ in range(_ATTEMPTS):
            version = self._store.version()
            if self._store.add(version, change(self._store.read())):
                return
        raise StoreUnavailable("others change tokens at the same time; try again")


def _check(name: str, role: Role, advertisers: Sequence[str], days: int | None) -> None:
    if not _NAME.fullmatch(name):
        raise TokenRefused(
            f"a name has 1 to {MAX_NAME_CHARS} letters, digits, blanks, and . @ _ -; it begins and ends with a letter "
            "or digit"
        )
    if role is Role.ADMIN and advertisers:
        raise TokenRefused("an admin sees everything: only a marketer's or analyst's token is bound to advertisers")
    for advertiser in advertisers:
        if not _SLUG.fullmatch(advertiser):
            raise TokenRefused(f"{advertiser!r} is no advertiser's id: small letters, digits and hyphens")
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise TokenRefused(f"a token holds for 1 to {MOST_DAYS} days")


def _iso(unix_milliseconds: int) -> str:
    return moment_of(unix_milliseconds).isoformat(timespec="seconds").replace("+00:00", "Z")
