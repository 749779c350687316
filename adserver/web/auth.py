"""Who calls the API: bearer tokens, the roles they carry, and what a view asks for."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from flask import request

from adserver.access.tokens import ID_CHARS, AccessToken, Role, TokenBook, digest_of
from adserver.domain.errors import AdserverError

__all__ = ["Authenticator", "Forbidden", "Identities", "Principal", "Role", "Unauthenticated", "require"]

_SCHEME: Final = "bearer"
_TOKEN_CHARS: Final = 512
"""The longest token that is looked at; hashing more would be work done for nobody."""
ADMIN_NAME: Final = "admin"
"""What the admin token of the settings is called."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller who has shown a valid token. Immutable."""

    name: str
    """Stands as the author in the history of revisions."""
    role: Role
    advertisers: frozenset[str] | None = None
    """Ids of those whose things exist for the caller; None: all."""
    token_id: str = field(default="", compare=False)
    """What stands for the token in a session."""
    until: datetime | None = field(default=None, compare=False)
    """When the token expires, aware UTC; None: never."""

    @property
    def is_bound(self) -> bool:
        """Whether only some advertisers' things exist for the caller."""
        return self.advertisers is not None

    def sees(self, advertiser: str) -> bool:
        """Tell whether an advertiser's things exist for the caller."""
        return self.advertisers is None or advertiser in self.advertisers


class Unauthenticated(AdserverError):
    """No token, or one that is not valid; says nothing more, so as to teach nobody."""


class Forbidden(AdserverError):
    """A valid token that may not do this; the message says why, where it is not the role."""


class Authenticator(Protocol):
    """Tells who shows a token. Fails closed: what it cannot look up is nobody."""

    def authenticate(self, authorization_header: str | None) -> Principal | None:
        """Return who the header's token belongs to, or None."""
        ...


class Identities(Authenticator, Protocol):
    """Tells beside that who a token or a session is. Fails closed."""

    def of_token(self, token: str) -> Principal | None:
        """Return who a token belongs to, or None."""
        ...

    def of_id(self, token_id: str) -> Principal | None:
        """Return who the token of a session belongs to, or None once it no longer holds."""
        ...


class AdminTokenAuthenticator:
    """Knows the one admin token of the settings. Immutable, shared by all threads."""

    def __init__(self, token: str) -> None:
        """Take the token itself; only its hash is kept.

        Raises:
            ValueError: the token is empty.
        """
        if not token:
            raise ValueError("the admin token is empty")
        self._digest = digest_of(token)
        self._admin = Principal(ADMIN_NAME, Role.ADMIN, token_id=self._digest[:ID_CHARS])

    def authenticate(self, authorization_header: str | None) -> Principal | None:
        """Return the admin if the header is `Bearer <the token>`; compares hashes, in constant time."""
        token = bearer_token(authorization_header)
        return None if token is None else self.of_token(token)

    def of_token(self, token: str) -> Principal | None:
        """Return the admin if this is the token."""
        return self._admin if hmac.compare_digest(digest_of(token), self._digest) else None

    def of_id(self, token_id: str) -> Principal | None:
        """Return the admin if this is the token's id."""
        return self._admin if hmac.compare_digest(token_id.encode(), self._admin.token_id.encode()) else None


class TokenAuthenticator:
    """Knows the admin token, and those that were made. Shared by all threads, as the book is.

    A token is looked up by its hash, so the time that takes tells nothing of the token.
    """

    def __init__(
        self, admin: AdminTokenAuthenticator, book: Callable[[], TokenBook], clock: Callable[[], datetime]
    ) -> None:
        """Take the admin token, what returns the tokens that were made, and what tells the present, aware UTC."""
        self._admin = admin
        self._book = book
        self._clock = clock

    def authenticate(self, authorization_header: str | None) -> Principal | None:
        """Return who the header's token belongs to, or None."""
        token = bearer_token(authorization_header)
        return None if token is None else self.of_token(token)

    def of_token(self, token: str) -> Principal | None:
        """Return who a token belongs to, or None."""
        if not 0 < len(token) <= _TOKEN_CHARS:
            return None
        admin = self._admin.of_token(token)
        if admin is not None:
            return admin
        digest = digest_of(token)
        record = self._book().find(digest, self._clock())
        return None if record is None else _principal(digest, record)

    def of_id(self, token_id: str) -> Principal | None:
        """Return who the token of a session belongs to, or None once it no longer holds."""
        admin = self._admin.of_id(token_id)
        if admin is not None:
            return admin
        book, now = self._book(), self._clock()
        for digest in book.tokens:
            if digest[:ID_CHARS] == token_id and (record := book.find(digest, now)):
                return _principal(digest, record)
        return None


def bearer_token(authorization_header: str | None) -> str | None:
    """Return the token of an `Authorization: Bearer <token>` header (RFC 6750), or None."""
    if authorization_header is None:
        return None
    scheme, _, token = authorization_header.strip().partition(" ")
    token = token.strip()
    if scheme.lower() != _SCHEME or not 0 < len(token) <= _TOKEN_CHARS:
        return None
    return token


def require(authenticator: Authenticator, *roles: Role) -> Principal:
    """Return who makes the present request; call it first in a view, with the roles that may use it (none: any).

    Raises:
        Unauthenticated: no valid token; answered with 401.
        Forbidden: a valid token of another role; answered with 403.
    """
    principal = authenticator.authenticate(request.headers.get("Authorization"))
    if principal is None:
        raise Unauthenticated
    if roles and principal.role not in roles:
        raise Forbidden
    return principal


def require_unbound(authenticator: Authenticator, *roles: Role) -> Principal:
    """Return who makes the present request, as `require`, where it is about all advertisers' things at once.

    Raises:
        Unauthenticated: no valid token; answered with 401.
        Forbidden: one of another role, or one that is bound to advertisers; answered with 403.
    """
    principal = require(authenticator, *roles)
    if principal.is_bound:
        raise Forbidden("This is about all advertisers, and the token is bound to some.")
    return principal


def _principal(digest: str, record: AccessToken) -> Principal:
    return Principal(
        record.name,
        record.role,
        frozenset(record.advertisers) if record.advertisers else None,
        digest[:ID_CHARS],
        record.expires,
    )
