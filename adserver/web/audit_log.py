"""Who did what: `GET /v1/audit-log`, out of the records that the deeds themselves leave, so that none is missing."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import Blueprint, Response

from adserver.access.office import ListedToken
from adserver.access.tokens import moment_of
from adserver.catalog.revisions import Entry
from adserver.domain.errors import ParameterRefused
from adserver.web.auth import Authenticator, Role, require
from adserver.web.bodies import read_single
from adserver.web.published import answer
from adserver.web.store_gate import StoreGate

MOST_ENTRIES: Final = 1000
_ENTRIES: Final = 100


@dataclass(frozen=True, slots=True)
class Deed:
    """One line of the log. Immutable."""

    at: datetime
    who: str
    action: str
    """`published`, `token_created` or `token_revoked`."""
    subject: str
    """`revision 7`, or the token's name."""
    detail: str

    def to_json(self) -> dict[str, str]:
        """Return it as the API shows it; `at` in ISO 8601."""
        at = self.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"at": at, "who": self.who, "action": self.action, "subject": self.subject, "detail": self.detail}


def audit_log_blueprint(
    history: Callable[[], Sequence[Entry]],
    tokens: Callable[[], Sequence[ListedToken]],
    authenticator: Authenticator,
    gate: StoreGate,
) -> Blueprint:
    """Return the route of the log, for admins.

    Args:
        history: the newest revisions; raises StoreUnavailable.
        tokens: every token ever made; raises StoreUnavailable.
        authenticator: who shows a token.
        gate: how many calls may be with the store at once.
    """
    blueprint = Blueprint("audit_log", __name__)

    @blueprint.get("/v1/audit-log")
    def get_audit_log() -> Response:
        require(authenticator, Role.ADMIN)
        limit = _limit()
        with gate.entered():
            deeds = deeds_of(history(), tokens())
        return answer({"entries": [deed.to_json() for deed in deeds[:limit]]})

    return blueprint


def deeds_of(history: Sequence[Entry], tokens: Sequence[ListedToken]) -> list[Deed]:
    """Return who published, made and revoked what, newest first."""
    return sorted((*_published(history), *_token_deeds(tokens)), key=lambda deed: deed.at, reverse=True)


def _published(history: Sequence[Entry]) -> Iterator[Deed]:
    for entry in history:
        yield Deed(entry.at, entry.author, "published", f"revision {entry.number}", entry.message)


def _token_deeds(tokens: Sequence[ListedToken]) -> Iterator[Deed]:
    for token in tokens:
        record = token.record
        detail = ", ".join((record.role.value, *(f"only {one}" for one in record.advertisers)))
        yield Deed(moment_of(record.made_at), record.made_by, "token_created", record.name, detail)
        if token.revoked is not None:
            yield Deed(moment_of(token.revoked.at), token.revoked.by, "token_revoked", record.name, detail)


def _limit() -> int:
    """Return how many lines are wanted.

    Raises:
        ParameterRefused: no number, too many, or given twice.
    """
    text = read_single("limit")
    if text is None:
        return _ENTRIES
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MOST_ENTRIES):
        raise ParameterRefused("limit", f"must be a whole number from 1 to {MOST_ENTRIES}")
    return int(text)
