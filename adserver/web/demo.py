"""A made-up news page that shows the sponsor's lines in all three ways: fragments, the tag and the frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from flask import Blueprint, Response, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from adserver.delivery.assets import Asset
from adserver.delivery.fragment import render_fragment
from adserver.delivery.urls import Urls
from adserver.domain.decisions import NoFill, SlotRequest
from adserver.domain.ids import SlotId
from adserver.domain.variants import Variant
from adserver.web.parameters import PlaceResolver, read_topics
from adserver.web.serving import Deliverer

LOCATION: Final = "Remer,MN"
TOPICS: Final = ("sports", "community")
"""The first is the one that is counted."""

_SERVICE: Final = ".."
"""The service, seen from `/demo/`: right under any host name and prefix."""

_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)

_ICON: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path fill="#9a2b1f" d="M0 0h32v32H0z"/>'
    '<path fill="#fbfaf6" d="M16 6l9 20h-5l-1.6-4h-4.8L12 26H7zm0 7.500L14.700 18h2.600z"/></svg>'
)


@dataclass(frozen=True, slots=True)
class _Position:
    """A fragment of the page: its name in the template, and what is asked for it. Immutable."""

    name: str
    slot: SlotId
    variant: Variant = Variant.AUTO


_POSITIONS: Final = (
    _Position("ear_left", SlotId("masthead"), Variant.NAME),
    _Position("ear_right", SlotId("masthead"), Variant.NAME),
    _Position("folio", SlotId("masthead"), Variant.SHORT),
    _Position("banner", SlotId("masthead"), Variant.LONG),
    _Position("article_top", SlotId("article-top")),
)


def demo_blueprint(deliverer: Deliverer, places: PlaceResolver) -> Blueprint:
    """Return the demo page, and the way to it from the top; to be registered only where the demo is on.

    Args:
        deliverer: answers for the page's slots, in one call, as for a page view of a real site.
        places: resolves where the page is about.
    """
    blueprint = Blueprint("demo", __name__, template_folder="templates")
    sheet, icon = _load_sheet(), Asset.of(_ICON, "image/svg+xml")

    @blueprint.get("/")
    def top() -> AnyResponse:
        return redirect(url_for("demo.page"))

    @blueprint.get("/demo/")
    def page() -> Response:
        lines = _lines(deliverer, places, _POSITIONS, leave_trace=request.method != "HEAD")
        body = render_template("demo.html", lines=lines, location=LOCATION, topics=",".join(TOPICS))
        return Response(
            body,
            content_type="text/html; charset=utf-8",
            headers={
                "Cache-Control": "private, no-store",
                "Surrogate-Control": "no-store",
                "Content-Security-Policy": _POLICY,
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "strict-origin-when-cross-origin",
            },
        )

    @blueprint.get("/demo/demo.css")
    def style() -> Response:
        return _asset_response(sheet)

    @blueprint.get("/demo/icon.svg")
    def picture() -> Response:
        return _asset_response(icon)

    return blueprint


def _load_sheet() -> Asset:
    text = files("adserver.web").joinpath("static/demo.css").read_text(encoding="utf-8")
    return Asset.of(text, "text/css; charset=utf-8")


def _asset_response(asset: Asset) -> Response:
    response = Response(asset.body, content_type=asset.content_type)
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.set_etag(asset.etag)
    response.make_conditional(request)
    return response


def _lines(
    deliverer: Deliverer, places: PlaceResolver, positions: Sequence[_Position], *, leave_trace: bool
) -> dict[str, Markup]:
    """Return each position's fragment, empty where nothing runs."""
    place = places.resolve(LOCATION)
    topics = read_topics("topic", TOPICS)
    answers = deliverer.deliver_page(
        tuple(SlotRequest(position.slot, place, topics, position.variant) for position in positions),
        lambda fill, token: render_fragment(fill, Urls.of(_SERVICE, token)),
        leave_trace=leave_trace,
    )
    return {
        position.name: Markup("" if isinstance(answer, NoFill) else answer)  # noqa: S704 - escaped by delivery
        for position, answer in zip(positions, answers, strict=True)
    }
