"""The public calls: slots, frames, a page's decisions, beacons, clicks, and the two files that pages link."""

import base64
import logging
from typing import Final

from flask import Blueprint, Request, Response, request
from werkzeug.exceptions import NotFound

from adserver.counting.acceptance import Acceptance, Signals
from adserver.delivery.assets import Asset, load_script, make_stylesheet
from adserver.delivery.decision_json import DecisionBody, PageBody, decision_body, encode_json
from adserver.delivery.fragment import render_fragment
from adserver.delivery.frame import BLANK_FRAME, frame_policy, render_frame
from adserver.delivery.urls import Urls
from adserver.domain.decisions import Fill, NoFill, SlotRequest
from adserver.domain.errors import ParameterRefused
from adserver.domain.ids import SlotId
from adserver.domain.reasons import EventKind, NoFillReason
from adserver.web.clicks import ClickRouter
from adserver.web.delivery_bodies import BODY_MAX_BYTES, read_events, read_page
from adserver.web.parameters import PlaceResolver, is_slot_id, read_reported, read_slot_request
from adserver.web.serving import Deliverer

NO_FILL_HEADER: Final = "Sponsor-No-Fill"
BEACON_FAULT: Final = "beacon.fault"
"""Log event: an event could not be recorded; it was answered all the same."""

_LOG: Final = logging.getLogger(__name__)
_HTML: Final = "text/html; charset=utf-8"
_GIF: Final = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""One transparent pixel."""

_EXACT: Final = {"merge_slashes": False}
"""No redirect to a tidier address: it would hold what was asked."""

_ASSET_LIFE: Final = "public, max-age=3600"
_OPEN: Final = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": NO_FILL_HEADER}
_PREFLIGHT: Final = {"Access-Control-Allow-Headers": "Content-Type", "Access-Control-Max-Age": "86400"}
"""A day; browsers cut it to what they take."""


def delivery_blueprint(
    deliverer: Deliverer, clicks: ClickRouter, acceptance: Acceptance, places: PlaceResolver, public_url: str | None
) -> Blueprint:
    """Return the public calls.

    Args:
        deliverer: answers for slots.
        clicks: finds where a click leads.
        acceptance: judges and records views.
        places: resolves locations.
        public_url: the service's address in links, without a slash at its end; None: the request's host.
    """
    blueprint = Blueprint("delivery", __name__)
    _add_slots(blueprint, deliverer, places, public_url)
    _add_decisions(blueprint, deliverer, places, public_url)
    _add_beacons(blueprint, acceptance)
    _add_clicks(blueprint, clicks)
    _add_assets(blueprint)
    blueprint.after_request(_finish)
    return blueprint


def _add_slots(blueprint: Blueprint, deliverer: Deliverer, places: PlaceResolver, public_url: str | None) -> None:
    @blueprint.get("/v1/slots/<slot>", **_EXACT)
    def slot_json(slot: str) -> Response:
        if not is_slot_id(slot):
            raise NotFound
        base = _base_url(public_url)
        answer = deliverer.deliver(
            read_slot_request(SlotId(slot), request.args, places),
            lambda fill, token: encode_json(decision_body(fill, token, Urls.of(base, token))),
            leave_trace=_leaves_trace(request),
        )
        if isinstance(answer, NoFill):
            return _no_store(Response(status=204, headers={NO_FILL_HEADER: answer.reason}))
        return _no_store(Response(answer.rendered, content_type="application/json"))

    @blueprint.get("/v1/slots/<slot>.html", **_EXACT)
    def slot_html(slot: str) -> Response:
        question = _question_or_blank(slot, places)
        if isinstance(question, Response):
            return question
        base = _base_url(public_url)
        answer = deliverer.deliver(
            question,
            lambda fill, token: render_fragment(fill, Urls.of(base, token)),
            leave_trace=_leaves_trace(request),
        )
        if isinstance(answer, NoFill):
            return _no_store(Response("", content_type=_HTML, headers={NO_FILL_HEADER: answer.reason}))
        return _no_store(Response(answer.rendered, content_type=_HTML))

    @blueprint.get("/v1/frames/<slot>", **_EXACT)
    def frame(slot: str) -> Response:
        question = _question_or_blank(slot, places)
        if isinstance(question, Response):
            return question
        answer = deliverer.deliver(question, render_frame, leave_trace=_leaves_trace(request))
        if isinstance(answer, NoFill):
            response = Response(BLANK_FRAME, content_type=_HTML, headers={NO_FILL_HEADER: answer.reason})
        else:
            response = Response(answer.rendered, content_type=_HTML)
        response.headers["Content-Security-Policy"] = frame_policy(deliverer.site_of(question))
        return _no_store(response)


def _add_decisions(blueprint: Blueprint, deliverer: Deliverer, places: PlaceResolver, public_url: str | None) -> None:
    @blueprint.post("/v1/decisions")
    def decisions() -> Response:
        page = read_page(_read_body(), places)
        base = _base_url(public_url)

        def render(fill: Fill, token: str) -> DecisionBody:
            return decision_body(fill, token, Urls.of(base, token))

        shown: dict[str, DecisionBody | None] = {}
        reasons: dict[str, NoFillReason] = {}
        for key, answer in zip(page.keys, deliverer.deliver_page(page.requests, render), strict=True):
            if isinstance(answer, NoFill):
                shown[key] = None
                reasons[key] = answer.reason
            else:
                shown[key] = answer.rendered
        return _no_store(Response(encode_json(PageBody(shown, reasons)), content_type="application/json"))


def _add_beacons(blueprint: Blueprint, acceptance: Acceptance) -> None:
    def accept(token: str, kind: EventKind, reported_text: str | None) -> None:
        try:
            acceptance.accept(token, kind, read_reported(reported_text), _signals())
        except Exception as fault:  # noqa: BLE001 - a beacon is answered, whatever becomes of it
            _LOG.error(BEACON_FAULT, exc_info=fault)

    @blueprint.get("/v1/seen/<path:token>.gif", **_EXACT)
    def seen_image(token: str) -> Response:
        if _leaves_trace(request):
            accept(token, EventKind.SEEN, _reported("variant"))
        response = Response(_GIF, content_type="image/gif")
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return _no_store(response)

    @blueprint.post("/v1/seen")
    def seen() -> Response:
        for event in read_events(_read_body()):
            accept(event.token, event.kind, event.variant)
        return _no_store(Response(status=204))


def _add_clicks(blueprint: Blueprint, clicks: ClickRouter) -> None:
    @blueprint.get("/go/<path:token>", **_EXACT)
    def click(token: str) -> Response:
        reported = read_reported(_reported("v"))
        if _leaves_trace(request):
            location = clicks.follow(token, reported, _signals())
        else:
            location = clicks.locate(token, reported)
        if location is None:
            raise NotFound
        response = Response(status=302, headers={"Location": location, "X-Robots-Tag": "noindex"})
        response.autocorrect_location_header = False
        return _no_store(response)


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
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.set_etag(asset.etag)
    response.make_conditional(request)
    return response


def _question_or_blank(slot: str, places: PlaceResolver) -> SlotRequest | Response:
    """Return what is asked, or an answer without a body: an include prints whatever it is sent."""
    if not is_slot_id(slot):
        return _no_store(Response("", 404, content_type=_HTML))
    try:
        return read_slot_request(SlotId(slot), request.args, places)
    except ParameterRefused:
        return _no_store(Response("", 400, content_type=_HTML))


def _base_url(public_url: str | None) -> str:
    """Return the service's address as links name it, with the prefix it is mounted under."""
    return public_url if public_url is not None else request.url_root.rstrip("/")


def _signals() -> Signals:
    return Signals.of(request.headers)


def _leaves_trace(asked: Request) -> bool:
    return asked.method != "HEAD"


def _reported(name: str) -> str | None:
    """Return a query value that is there once; an event counts whatever its query says."""
    values = request.args.getlist(name)
    return values[0] if len(values) == 1 else None


def _read_body() -> bytes:
    """Return the body, whatever its content type; a longer one is refused (413) before it is read whole."""
    request.max_content_length = BODY_MAX_BYTES
    return request.get_data(cache=False)


def _no_store(response: Response) -> Response:
    """Keep a token, which is one reader's, out of every cache."""
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Surrogate-Control"] = "no-store"
    return response


_OPEN_ENDPOINTS: Final = frozenset(
    f"delivery.{name}" for name in ("slot_json", "slot_html", "decisions", "seen", "slot_script", "slot_sheet")
)
"""What any origin may read: only these, and never with credentials."""


def _finish(response: Response) -> Response:
    response.headers["X-Content-Type-Options"] = "nosniff"
    if request.endpoint in _OPEN_ENDPOINTS:
        response.headers.update(_OPEN)
        if request.method == "OPTIONS":
            response.headers.update(_PREFLIGHT)
            response.headers["Access-Control-Allow-Methods"] = response.headers["Allow"]
    return response
