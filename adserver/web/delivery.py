"""The public calls: slots, frames, a page's decisions, beacons, clicks, and the two files that pages link."""

from typing import Final

from flask import Blueprint, Request, Response, request
from werkzeug.exceptions import NotFound

from adserver.counting.acceptance import Signals
from adserver.delivery.assets import Asset, load_script, make_stylesheet
from adserver.delivery.frame import BLANK_FRAME, frame_policy, render_frame
from adserver.domain.decisions import NoFill, SlotRequest
from adserver.domain.errors import ParameterRefused
from adserver.domain.ids import SlotId
from adserver.web import answers
from adserver.web.answers import NO_FILL_HEADER
from adserver.web.calls import DeliveryCalls
from adserver.web.clicks import ClickRouter
from adserver.web.delivery_bodies import BODY_MAX_BYTES
from adserver.web.parameters import is_slot_id

_EXACT: Final = {"merge_slashes": False}
"""No redirect to a tidier address: it would hold what was asked."""

_ASSET_LIFE: Final = "public, max-age=3600"
_OPEN: Final = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": NO_FILL_HEADER}
_PREFLIGHT: Final = {"Access-Control-Allow-Headers": "Content-Type", "Access-Control-Max-Age": "86400"}
"""A day; browsers cut it to what they take."""


def delivery_blueprint(calls: DeliveryCalls, clicks: ClickRouter) -> Blueprint:
    """Return the public calls.

    Args:
        calls: answers them.
        clicks: finds where a click leads.
    """
    blueprint = Blueprint("delivery", __name__)
    _add_slots(blueprint, calls)
    _add_pages(blueprint, calls)
    _add_beacons(blueprint, calls)
    _add_clicks(blueprint, calls, clicks)
    _add_assets(blueprint)
    blueprint.after_request(_finish)
    return blueprint


def _add_slots(blueprint: Blueprint, calls: DeliveryCalls) -> None:
    @blueprint.get("/v1/slots/<slot>", **_EXACT)
    def slot_json(slot: str) -> Response:
        if not is_slot_id(slot):
            raise NotFound
        question = calls.question(SlotId(slot), request.environ)
        answer = calls.slot_json(question, request.environ, leave_trace=_leaves_trace(request))
        return answers.json_no_fill(answer.reason) if isinstance(answer, NoFill) else answers.json_answer(answer)

    @blueprint.get("/v1/slots/<slot>.html", **_EXACT)
    def slot_html(slot: str) -> Response:
        question = _question_or_blank(calls, slot)
        if isinstance(question, Response):
            return question
        answer = calls.slot_html(question, request.environ, leave_trace=_leaves_trace(request))
        return answers.html_no_fill(answer.reason) if isinstance(answer, NoFill) else answers.html_answer(answer)

    @blueprint.get("/v1/frames/<slot>", **_EXACT)
    def frame(slot: str) -> Response:
        question = _question_or_blank(calls, slot)
        if isinstance(question, Response):
            return question
        answer = calls.deliverer.deliver(question, render_frame, leave_trace=_leaves_trace(request))
        if isinstance(answer, NoFill):
            response = answers.html_no_fill(answer.reason, BLANK_FRAME)
        else:
            response = answers.html_answer(answer)
        response.headers["Content-Security-Policy"] = frame_policy(calls.deliverer.site_of(question))
        response.headers["Cross-Origin-Embedder-Policy"] = "require-corp"  # or an isolated page may not frame it
        return response


def _add_pages(blueprint: Blueprint, calls: DeliveryCalls) -> None:
    @blueprint.post("/v1/decisions")
    def decisions() -> Response:
        return answers.json_answer(calls.page_json(_read_body(), request.environ))


def _add_beacons(blueprint: Blueprint, calls: DeliveryCalls) -> None:
    @blueprint.get("/v1/seen/<path:token>.gif", **_EXACT)
    def seen_image(token: str) -> Response:
        if _leaves_trace(request):
            calls.see(token, request.environ)
        return answers.pixel()

    @blueprint.post("/v1/seen")
    def seen() -> Response:
        calls.take_events(_read_body(), request.environ)
        return answers.events_taken()


def _add_clicks(blueprint: Blueprint, calls: DeliveryCalls, clicks: ClickRouter) -> None:
    @blueprint.get("/go/<path:token>", **_EXACT)
    def click(token: str) -> Response:
        reported = calls.length_on_screen("v", request.environ)
        if _leaves_trace(request):
            location = clicks.follow(token, reported, Signals.of(request.headers, request.remote_addr))
        else:
            location = clicks.locate(token, reported)
        if location is None:
            raise NotFound
        response = Response(status=302, headers={"Location": location, "X-Robots-Tag": "noindex"})
        response.autocorrect_location_header = False
        return answers.no_store(response)


def _add_assets(blueprint: Blueprint) -> None:
    script, sheet = load_script(), make_stylesheet()

    @blueprint.get("/slot.js")
    def slot_script() -> Response:
        return _asset_response(script)

    @blueprint.get("/slot.css")
    def slot_sheet() -> Response:
        return _asset_response(sheet)


def _asset_response(asset: Asset) -> Response:
    response = Response(asset.body, content_type=asset.content_type)
    response.headers["Cache-Control"] = _ASSET_LIFE
    response.set_etag(asset.etag)
    response.make_conditional(request)
    return response


def _question_or_blank(calls: DeliveryCalls, slot: str) -> SlotRequest | Response:
    """Return what is asked, or an answer without a body: an include prints whatever it is sent."""
    if not is_slot_id(slot):
        return answers.html_refused(404)
    try:
        return calls.question(SlotId(slot), request.environ)
    except ParameterRefused:
        return answers.html_refused(400)


def _leaves_trace(asked: Request) -> bool:
    return asked.method != "HEAD"


def _read_body() -> bytes:
    """Return the body, whatever its content type; a longer one is refused (413) before it is read whole."""
    request.max_content_length = BODY_MAX_BYTES
    return request.get_data(cache=False)


_OPEN_ENDPOINTS: Final = frozenset(
    f"delivery.{name}" for name in ("slot_json", "slot_html", "decisions", "seen", "slot_script", "slot_sheet")
)
"""What any origin may read: only these, and never with credentials."""


def _finish(response: Response) -> Response:
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # pages that isolate themselves embed it too
    if request.endpoint in _OPEN_ENDPOINTS:
        response.headers.update(_OPEN)
        if request.method == "OPTIONS":
            response.headers.update(_PREFLIGHT)
            response.headers["Access-Control-Allow-Methods"] = response.headers["Allow"]
    return response
