"""The console's frame: sign-in, what every page of it has, and the pages that are handed in."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import Blueprint, Flask, Response, current_app, g, make_response, redirect, render_template, request, url_for
from flask_bootstrap import Bootstrap5
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.wrappers import Response as AnyResponse

from adserver.web.auth import Forbidden, Identities, Principal, Role
from adserver.web.console import words
from adserver.web.console.navigation import Entry, Section
from adserver.web.console.sessions import (
    CONSOLE_PATH,
    begin_session,
    caller_of_session,
    end_session,
    install_sessions,
)
from adserver.web.limits import CallLimit, TooManyCalls, address_key
from adserver.web.problems import CONTENT_TYPE as PROBLEM_TYPE

SIGNED_IN: Final = "console.signed_in"
"""Log event: somebody signed in to the console; with the name of the token."""
SIGN_IN_REFUSED: Final = "console.sign_in_refused"
"""Log event: a token that is not valid was shown at the sign-in."""

CONSOLE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Of every page of the console: nothing inline, nothing foreign. Bootstrap draws its arrows from `data:` images."""

REFUSED_A_SECOND: Final = 0.2
REFUSED_AT_ONCE: Final = 10
"""How many wrong tokens an address may show at the sign-in of one worker."""

_STATIC: Final = "/console/static/"
_SIGN_IN: Final = "console.sign_in"
_OPEN: Final = frozenset({_SIGN_IN, "console.take_token"})
"""Endpoints for people who have not signed in."""
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ConsoleParts:
    """What the console is made of. Immutable."""

    identities: Identities
    keys: Sequence[bytes]
    """The service's secret keys, newest first."""
    clock: Callable[[], datetime]
    """The present, aware UTC."""
    refusals: CallLimit
    """How many wrong tokens an address may show."""
    sections: tuple[Section, ...] = ()
    """Its pages, in the order of the navigation."""
    on_sign_in: Callable[[Principal], None] = lambda _: None
    """Is told of each sign-in; must not raise."""
    overview: Callable[[], str] | None = None
    """Returns the page `/console/`; None: one that says who is signed in, and where the other pages are."""


def install_console(app: Flask, parts: ConsoleParts) -> None:
    """Add the console to the application, under `/console/`.

    Whatever stands under that path is for people who have signed in, whoever registers it.
    """
    install_sessions(app, parts.keys)
    app.static_url_path = "/static"  # Bootstrap's files are served under `/bootstrap` and this
    app.config["BOOTSTRAP_SERVE_LOCAL"] = True
    Bootstrap5(app)
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False  # the API has no cookies, so nobody's to abuse
    app.config["WTF_CSRF_TIME_LIMIT"] = None  # as long as the session
    guard = _Guard(parts, CSRFProtect(app))
    app.before_request(guard.admit)
    app.after_request(_dress)
    app.register_error_handler(CSRFError, _stale_form)
    entries = tuple(entry for section in parts.sections for entry in section.entries)
    app.context_processor(lambda: _context(entries))
    for name in (words.grouped, words.percent, words.day, words.short_day):
        app.add_template_filter(name)
    app.register_blueprint(_console_blueprint(parts), url_prefix="/console")
    for section in parts.sections:
        app.register_blueprint(section.blueprint, url_prefix="/console")


def current_caller() -> Principal:
    """Return who has signed in; for views of the console, which nobody else gets to."""
    caller: Principal = g.console_caller
    return caller


def require_in_console(*roles: Role, unbound: bool = False) -> Principal:
    """Return who has signed in, for a page that is not for all.

    Raises:
        Forbidden: another role, or, with `unbound`, a token that is bound to advertisers.
    """
    caller = current_caller()
    if (roles and caller.role not in roles) or (unbound and caller.is_bound):
        raise Forbidden
    return caller


def url_if_there(endpoint: str, **values: object) -> str | None:
    """Return the address of another page, or None where the console was put together without it."""
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else None  # type: ignore[arg-type]


class _Guard:
    """Lets nobody into the console who has not signed in, and no form that it did not make. Immutable."""

    def __init__(self, parts: ConsoleParts, csrf: CSRFProtect) -> None:
        self._parts = parts
        self._csrf = csrf

    def admit(self) -> AnyResponse | None:
        """Return None where the request may go on."""
        if not request.path.startswith(CONSOLE_PATH) or request.endpoint == "console.static":
            return None
        caller = caller_of_session(self._parts.identities, self._parts.clock)
        if caller is None and request.endpoint not in _OPEN:
            came_for = request.full_path.rstrip("?") if request.method == "GET" else None
            return redirect(url_for(_SIGN_IN, next=came_for), 303)
        g.console_caller = caller
        self._make_room()
        self._csrf.protect()
        return None

    def _make_room(self) -> None:
        """Let a page take forms as large as its section says, before anything reads them."""
        for section in self._parts.sections:
            if section.max_body_bytes is not None and section.blueprint.name == request.blueprint:
                request.max_content_length = request.max_form_memory_size = section.max_body_bytes


def _console_blueprint(parts: ConsoleParts) -> Blueprint:
    blueprint = Blueprint("console", __name__, template_folder="templates", static_folder="static")

    @blueprint.get("/")
    def overview() -> str:
        return render_template("console/welcome.html") if parts.overview is None else parts.overview()

    @blueprint.get("/sign-in")
    def sign_in() -> AnyResponse:
        if g.console_caller is not None:
            return redirect(_way_on(request.args.get("next")), 303)
        return make_response(render_template("console/sign_in.html", way_on=request.args.get("next", "")))

    @blueprint.post("/sign-in")
    def take_token() -> AnyResponse:
        caller = parts.identities.of_token(request.form.get("token", "").strip())
        if caller is None:
            _LOG.warning(SIGN_IN_REFUSED)
            return _refused(parts.refusals)
        begin_session(caller, parts.clock())
        _LOG.info(SIGNED_IN, extra={"token_name": caller.name})
        parts.on_sign_in(caller)
        return redirect(_way_on(request.form.get("next")), 303)

    @blueprint.post("/sign-out")
    def sign_out() -> AnyResponse:
        end_session()
        return redirect(url_for(_SIGN_IN), 303)

    return blueprint


def _refused(refusals: CallLimit) -> Response:
    """Return the sign-in page again: with what is wrong, or, after too many tries, when to come back."""
    way_on = request.form.get("next", "")
    try:
        refusals.take(address_key())
    except TooManyCalls as error:
        wait = error.retry_after_seconds
        page = make_response(render_template("console/sign_in.html", way_on=way_on, wait=wait), 429)
        page.headers["Retry-After"] = str(wait)
        return page
    return make_response(render_template("console/sign_in.html", way_on=way_on, is_refused=True), 403)


def _way_on(asked: str | None) -> str:
    """Return where to go after the sign-in: where somebody was going, if that is a page of the console."""
    overview = url_for("console.overview")
    if not asked or not asked.startswith(CONSOLE_PATH) or not asked.isprintable() or "\\" in asked:
        return overview
    return f"{request.script_root}{asked}"


def _context(entries: Sequence[Entry]) -> dict[str, object]:
    """Return what the templates of the console may use."""
    caller: Principal | None = g.get("console_caller")
    shown = [entry for entry in entries if caller is not None and entry.is_for(caller)]
    return {
        "caller": caller,
        "entries": shown,
        "open_blueprint": request.blueprint,
        "url_if_there": url_if_there,
        "counted": words.counted,
        "days_left": words.days_left,
        "state_words": words.state_words,
    }


def _dress(response: Response) -> Response:
    """Give every answer of the console its policy, keep it out of caches, and make pages of problems."""
    if not request.path.startswith(CONSOLE_PATH):
        return response
    if response.content_type == PROBLEM_TYPE and request.accept_mimetypes.accept_html:
        _show_problem(response)
    response.headers["Content-Security-Policy"] = CONSOLE_POLICY
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Frame-Options"] = "DENY"
    if not request.path.startswith(_STATIC):
        response.headers["Cache-Control"] = "no-store"
    return response


def _show_problem(response: Response) -> None:
    problem = response.get_json()
    response.set_data(render_template("console/problem.html", problem=problem))
    response.content_type = "text/html; charset=utf-8"


def _stale_form(_error: CSRFError) -> Response:
    """Answer a form of another session, or of another site."""
    problem = {
        "status": 400,
        "title": "This form is no longer valid",
        "detail": "Nothing was changed. Go back, load the page again, and send the form once more.",
    }
    return make_response(render_template("console/problem.html", problem=problem), 400)
