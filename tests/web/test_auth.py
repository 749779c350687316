"""Bearer tokens and roles."""

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from adserver.web.auth import (
    AdminTokenAuthenticator,
    Authenticator,
    Forbidden,
    Principal,
    Role,
    Unauthenticated,
    bearer_token,
    require,
)

TOKEN = "adsv_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"


class Everybody:
    """Takes any caller for an analyst."""

    def authenticate(self, authorization_header: str | None) -> Principal | None:
        return Principal("ann", Role.ANALYST)


def ask(authenticator: Authenticator, header: str | None, *roles: Role) -> Principal:
    headers = {} if header is None else {"Authorization": header}
    with Flask(__name__).test_request_context("/", headers=headers):
        return require(authenticator, *roles)


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"BEARER   {TOKEN} "])
def test_the_admin_token_makes_an_admin(header: str) -> None:
    assert ask(AdminTokenAuthenticator(TOKEN), header, Role.ADMIN) == Principal("admin", Role.ADMIN)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        TOKEN,
        f"Basic {TOKEN}",
        f"Bearer{TOKEN}",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN.upper()}",
        f"Bearer {TOKEN} {TOKEN}",
        "Bearer é",
        f"Bearer {TOKEN}{'x' * 100_000}",
    ],
)
def test_anything_else_is_nobody(header: str | None) -> None:
    with pytest.raises(Unauthenticated):
        ask(AdminTokenAuthenticator(TOKEN), header)


@given(st.text())
def test_no_header_breaks_the_check(header: str) -> None:
    assert AdminTokenAuthenticator(TOKEN).authenticate(header) is None


def test_a_lone_surrogate_in_a_token_is_nobody() -> None:
    assert AdminTokenAuthenticator(TOKEN).authenticate("Bearer \ud800") is None


def test_an_empty_admin_token_is_not_taken() -> None:
    with pytest.raises(ValueError, match="empty"):
        AdminTokenAuthenticator("")


def test_a_role_that_is_not_named_is_forbidden() -> None:
    with pytest.raises(Forbidden):
        ask(Everybody(), None, Role.ADMIN, Role.MARKETER)
    assert ask(Everybody(), None, Role.ADMIN, Role.ANALYST).name == "ann"


def test_without_roles_anyone_known_may_go_on() -> None:
    assert ask(Everybody(), None).role is Role.ANALYST


def test_the_token_stands_in_no_repr() -> None:
    authenticator = AdminTokenAuthenticator(TOKEN)
    assert TOKEN not in repr(vars(authenticator))


def test_the_scheme_is_read_in_any_case() -> None:
    assert bearer_token("bEaReR abc") == "abc"
