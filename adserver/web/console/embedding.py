"""The console's page for publishers' developers: the right snippet for a slot, and what it shows now."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import Blueprint, render_template, request
from markupsafe import Markup

from adserver.delivery.fragment import render_preview
from adserver.delivery.snippets import make_snippets
from adserver.domain.catalog import Slot
from adserver.domain.decisions import NoFill, SlotRequest
from adserver.domain.errors import ParameterRefused
from adserver.domain.variants import Variant
from adserver.web.console.navigation import Entry, Section
from adserver.web.console.shell import require_in_console
from adserver.web.parameters import LOCATION_MAX_CHARS, PlaceResolver, read_topics
from adserver.web.serving import Deliverer


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the slot shows now. Immutable."""

    html: Markup
    """Empty where nothing runs."""
    reason: str
    """Why nothing runs; empty where something does."""
    place: str
    """What the location was taken for; empty: for none."""


def embedding_section(
    deliverer: Deliverer, places: PlaceResolver, slots: Callable[[], Sequence[Slot]], public_url: str | None
) -> Section:
    """Return the page `/console/embedding`.

    Args:
        deliverer: answers for the slot; nothing of it is counted.
        places: resolves what a page is about.
        slots: returns the slots that are served.
        public_url: the service's address in snippets; None: the request's.
    """
    blueprint = Blueprint("console_embedding", __name__, template_folder="templates")

    @blueprint.get("/embedding")
    def page() -> str:
        require_in_console(unbound=True)
        known = sorted(slots(), key=lambda slot: slot.id)
        asked = {name: request.args.get(name, "").strip() for name in ("slot", "location", "topic")}
        slot = next((each for each in known if each.id == asked["slot"]), known[0] if known else None)
        if slot is None:
            return render_template("console/embedding.html", slots=(), asked=asked)
        service = (public_url or request.url_root).rstrip("/")
        return render_template(
            "console/embedding.html",
            slots=known,
            slot=slot,
            asked=asked,
            shown=_show(deliverer, places, slot, asked["location"], asked["topic"]),
            snippets=make_snippets(service, slot.id, asked["location"], asked["topic"]),
        )

    entry = Entry("Embedding", "console_embedding.page", "code-slash", "Get the snippet for a slot.", for_bound=False)
    return Section(blueprint, (entry,))


def _show(deliverer: Deliverer, places: PlaceResolver, slot: Slot, location: str, topic: str) -> _Shown:
    place = places.resolve(location) if 0 < len(location) <= LOCATION_MAX_CHARS else None
    try:
        topics = read_topics("topic", tuple(filter(None, topic.split(","))))
    except ParameterRefused as error:
        return _Shown(Markup(), str(error), place.name if place else "")
    answer = deliverer.deliver(
        SlotRequest(slot.id, place, topics, Variant.AUTO), lambda fill, _: render_preview(fill), leave_trace=False
    )
    name = place.name if place else ""
    if isinstance(answer, NoFill):
        return _Shown(Markup(), answer.reason.value, name)
    return _Shown(Markup(answer), "", name)  # noqa: S704 - escaped by delivery
