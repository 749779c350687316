"""The Flask application, made of parts that are handed in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, Flask, Response

from adserver.counting.addresses import Network
from adserver.web.calls import DeliveryCalls
from adserver.web.console.shell import ConsoleParts, install_console
from adserver.web.hosts import HostRules, install_hosts
from adserver.web.lane import Lane
from adserver.web.mounting import Mounted
from adserver.web.problems import install_problems
from adserver.web.proxies import TrustedProxies
from adserver.web.request_ids import RequestIds
from adserver.web.whole_request import WholeRequest

MAX_BODY_BYTES: Final = 4 * 1024 * 1024
"""The largest body that any address takes, plain or chunked; views with smaller limits keep their own."""

PAGE_POLICY: Final = (
    "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""The content security policy of an HTML page whose view sets none."""


@dataclass(frozen=True, slots=True)
class AppParts:
    """What an application is made of. Immutable."""

    blueprints: tuple[Blueprint, ...]
    hosts: HostRules
    trusted_proxies: tuple[Network, ...] = ()
    on_untrusted_proxy: Callable[[], None] | None = None
    """Is told of each request that seems to come through a proxy near by that is not trusted."""
    max_body_bytes: int = MAX_BODY_BYTES
    lane: DeliveryCalls | None = None
    """What answers the hot calls in front of Flask; None: Flask answers all."""
    console: ConsoleParts | None = None
    """None: there is no console."""
    mounted_at: str = ""
    """The path of the public address that all of this stands under, such as `/sponsors`; empty: at the top."""


def create_app(parts: AppParts) -> Flask:
    """Return the application; it holds no state but its parts."""
    app = Flask("adserver.web", static_folder=None)
    app.request_class = WholeRequest
    app.config["MAX_CONTENT_LENGTH"] = parts.max_body_bytes
    app.config["MAX_FORM_MEMORY_SIZE"] = parts.max_body_bytes
    app.config["PROPAGATE_EXCEPTIONS"] = True  # to RequestIds: Flask itself would log the path, and paths carry tokens
    app.json.sort_keys = False  # type: ignore[attr-defined]  # of Flask's default provider, whose type app.json hides
    install_problems(app)
    install_hosts(app, parts.hosts)
    app.after_request(_secure)
    for blueprint in parts.blueprints:
        app.register_blueprint(blueprint)
    if parts.console is not None:
        install_console(app, parts.console)
    if parts.lane is not None:
        app.wsgi_app = Lane(app, parts.lane, parts.hosts)  # type: ignore[method-assign]  # as Flask documents it
    if parts.mounted_at:
        app.wsgi_app = Mounted(app.wsgi_app, parts.mounted_at)  # type: ignore[method-assign]  # as Flask documents it
    if parts.trusted_proxies or parts.on_untrusted_proxy:
        proxies = TrustedProxies(app.wsgi_app, parts.trusted_proxies, parts.on_untrusted_proxy)
        app.wsgi_app = proxies  # type: ignore[method-assign]  # as Flask documents it
    app.wsgi_app = RequestIds(app.wsgi_app)  # type: ignore[method-assign]  # as Flask documents it
    return app


def _secure(response: Response) -> Response:
    """Add what keeps a browser from guessing types and pages from being framed, unless the view has said otherwise.

    Redirects are left alone: a referrer policy on one would hide from the sponsor where a click came from.
    """
    response.headers["X-Content-Type-Options"] = "nosniff"
    is_page = response.mimetype == "text/html" and response.status_code != 204 and not 300 <= response.status_code < 400
    if is_page and "Content-Security-Policy" not in response.headers:
        response.headers["Content-Security-Policy"] = PAGE_POLICY
        response.headers.setdefault("Referrer-Policy", "same-origin")
    return response
