"""Who is signed in to the console: a signed cookie that names a token by its id, for 12 hours, while that holds."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from flask import Flask, Request, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

from adserver.web.auth import Identities, Principal

SESSION_LIFE: Final = timedelta(hours=12)
COOKIE_NAME: Final = "adserver_console"
CONSOLE_PATH: Final = "/console/"

_PURPOSE: Final = b"console"
_TOKEN: Final = "token"  # noqa: S105 - what the field of the session is called
_SINCE: Final = "since"


class ConsoleSessions(SecureCookieSessionInterface):
    """Flask's signed cookies, for the console's paths only: no other call reads or sets one. Shared by all threads."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session of a request of the console; None, which Flask makes an unusable one, for any other."""
        return super().open_session(app, request) if request.path.startswith(CONSOLE_PATH) else None

    def get_cookie_path(self, app: Flask) -> str:  # noqa: ARG002 - Flask's signature
        """Return the console's path, under the one that the service stands under."""
        return f"{request.script_root}{CONSOLE_PATH}"

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002
        """Tell browsers to send it over https only, where the sign-in came so."""
        return request.is_secure


def install_sessions(app: Flask, keys: Sequence[bytes]) -> None:
    """Sign the console's cookies with keys derived from the service's; newest first, all are read."""
    derived = [hashlib.blake2b(key=key, person=_PURPOSE).digest() for key in keys]
    app.secret_key = derived[0]
    app.config["SECRET_KEY_FALLBACKS"] = derived[1:]
    app.config["SESSION_COOKIE_NAME"] = COOKIE_NAME
    app.config["SESSION_COOKIE_HTTPONLY"] = True
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"  # a link in a mail opens the console; forms have a token of their own
    app.config["SESSION_REFRESH_EACH_REQUEST"] = False
    app.config["PERMANENT_SESSION_LIFETIME"] = SESSION_LIFE
    app.session_interface = ConsoleSessions()


def begin_session(caller: Principal, now: datetime) -> None:
    """Sign a caller in, in a session that knows nothing of the one before."""
    session.clear()
    session.permanent = True
    session[_TOKEN] = caller.token_id
    session[_SINCE] = int(now.timestamp())


def end_session() -> None:
    """Sign out."""
    session.clear()


def caller_of_session(identities: Identities, clock: Callable[[], datetime]) -> Principal | None:
    """Return who is signed in, or None: nobody, for too long, or with a token that no longer holds."""
    token, since = session.get(_TOKEN), session.get(_SINCE)
    if not isinstance(token, str) or not isinstance(since, int):
        return None
    if clock().timestamp() - since >= SESSION_LIFE.total_seconds():
        return None
    return identities.of_id(token)
