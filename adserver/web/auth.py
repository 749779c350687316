"""Who calls the API: bearer tokens, the roles they carry, and what a view asks for."""

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from flask import request

from adserver.domain.errors import AdserverError

_SCHEME: Final = "bearer"
_TOKEN_CHARS: Final = 512
"""The longest token that is looked at; hashing more would be work done for nobody."""


class Role(StrEnum):
    """What a caller may do."""

    ADMIN = "admin"
    MARKETER = "marketer"
    ANALYST = "analyst"


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller who has shown a valid token. Immutable."""

    name: str
    """Stands as the author in the history of revisions."""
    role: Role


class Unauthenticated(AdserverError):
    """No token, or one that is not valid; says nothing more, so as to teach nobody."""


class Forbidden(AdserverError):
    """A valid token whose role may not do this."""


class Authenticator(Protocol):
    """Tells who shows a token. Fails closed: what it cannot look up is nobody."""

    def authenticate(self, authorization_header: str | None) -> Principal | None:
        """Return who the header's token belongs to, or None."""
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
        self._digest = _digest(token)

    def authenticate(self, authorization_header: str | None) -> Principal | None:
        """Return the admin if the header is `Bearer <the token>`; compares hashes, in constant time."""
        token = bearer_token(authorization_header)
        if token is None or not hmac.compare_digest(_digest(token), self._digest):
            return None
        return Principal("admin", Role.ADMIN)


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


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
