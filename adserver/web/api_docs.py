"""The API's own description: `/v1/openapi.json` for programs, `/docs` for people, by files of a package."""

import json
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from flask import Blueprint, Response, render_template, request, send_from_directory

from adserver.web.openapi import make_openapi

DOCS_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_UI_FILES: Final = frozenset({"swagger-ui.css", "swagger-ui-bundle.js"})


def api_docs_blueprint() -> Blueprint:
    """Return the routes of the document and of the page to read it."""
    blueprint = Blueprint("api_docs", __name__, template_folder="templates")
    interface = Path(str(files("flask_swagger_ui").joinpath("dist")))

    @lru_cache(maxsize=1)  # it takes some milliseconds, and there is one server path in practice
    def document(server: str) -> str:
        return json.dumps(make_openapi(server))

    @blueprint.get("/v1/openapi.json")
    def openapi() -> Response:
        response = Response(document(request.script_root or "/"), content_type="application/json")
        response.headers["Cache-Control"] = "no-cache"
        response.add_etag()
        response.make_conditional(request)
        return response

    @blueprint.get("/docs")
    def page() -> Response:
        response = Response(render_template("api_docs.html"))
        response.headers["Content-Security-Policy"] = DOCS_POLICY
        response.headers["Referrer-Policy"] = "same-origin"
        return response

    @blueprint.get("/docs/start.js")
    def start() -> Response:
        return send_from_directory(Path(__file__).parent / "static", "api-docs.js")

    @blueprint.get("/docs/ui/<name>")
    def ui(name: str) -> Response:
        return send_from_directory(interface, name if name in _UI_FILES else "")

    return blueprint
