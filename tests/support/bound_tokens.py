"""Tokens of Acme, a marketer's and an analyst's, bound to it, beside an admin's."""

from dataclasses import dataclass, field

from adserver.web.auth import Principal, Role

ACME = {"Authorization": "Bearer acme"}
READER = {"Authorization": "Bearer reader"}


@dataclass
class Tokens:
    """Knows the words of the tests."""

    known: dict[str, Principal] = field(
        default_factory=lambda: {
            "admin": Principal("admin", Role.ADMIN),
            "acme": Principal("Ann of Acme", Role.MARKETER, frozenset({"acme", "acme-too"})),
            "reader": Principal("Rae of Acme", Role.ANALYST, frozenset({"acme"})),
        }
    )

    def authenticate(self, authorization_header: str | None) -> Principal | None:
        return self.known.get((authorization_header or "").removeprefix("Bearer "))
