"""Why a flight did not win on a day: `GET /v1/reasons`."""

import json
from datetime import date

from flask import Blueprint, Response

from adserver.catalog.moments import NothingLive
from adserver.domain.errors import ParameterRefused
from adserver.domain.ids import FlightId, SlotId
from adserver.statistics.reason_words import WORDS
from adserver.statistics.reasons import Asked, FlightReasons, Found
from adserver.web.auth import Authenticator, require
from adserver.web.bodies import read_single
from adserver.web.limits import CallLimit, caller_key
from adserver.web.parameters import PlaceResolver, is_slot_id, names_place, read_place
from adserver.web.problems import problem_response
from adserver.web.reason_teller import ReasonTeller
from adserver.web.store_gate import StoreGate


def reasons_blueprint(
    teller: ReasonTeller, authenticator: Authenticator, limit: CallLimit, gate: StoreGate
) -> Blueprint:
    """Return the route; a token of any role may ask, one bound to advertisers for flights of theirs only."""
    blueprint = Blueprint("reasons", __name__)

    @blueprint.get("/v1/reasons")
    def reasons() -> Response:
        caller = require(authenticator)
        limit.take(caller_key())
        asked = read_asked({name: read_single(name) for name in ("flight", "slot", "location", "day")}, teller.places)
        with gate.entered():
            found = teller.tell(asked, caller.sees)
        if found is None:
            return problem_response(404, "Unknown flight", "No flight of that id is live.")
        response = Response(json.dumps(to_document(found)), content_type="application/json")
        response.headers["Cache-Control"] = "private, no-store"
        return response

    @blueprint.errorhandler(NothingLive)
    def nothing_live(error: NothingLive) -> Response:
        return problem_response(422, "Nothing to explain", f"{str(error)[:1].upper()}{str(error)[1:]}.")

    return blueprint


def read_asked(given: dict[str, str | None], places: PlaceResolver) -> Asked:
    """Return what is asked, by the names `flight`, `slot`, `location` and `day`.

    Raises:
        ParameterRefused: a value that cannot be read, or no flight.
    """
    flight, slot, location = given["flight"], given["slot"], given["location"]
    if flight is None or not is_slot_id(flight):  # both are slugs
        raise ParameterRefused("flight", "takes a flight's id: small letters, digits and hyphens, at most 64")
    if slot is not None and not is_slot_id(slot):
        raise ParameterRefused("slot", "is no slot's id: small letters, digits and hyphens, at most 64")
    place = read_place("location", location, places)
    if place is None and names_place(location):
        raise ParameterRefused("location", "is no place that is known; write it as pages do, such as Remer,MN")
    return Asked(FlightId(flight), None if slot is None else SlotId(slot), place, _read_day(given["day"]))


def to_document(told: FlightReasons) -> dict[str, object]:
    """Return the answer as the API gives it."""
    total = told.total
    return {
        "flight": told.flight.flight.id,
        "campaign": told.flight.campaign.id,
        "slot": told.asked.slot,
        "place": told.asked.place.id if told.asked.place is not None else None,
        "day": told.day.isoformat(),
        "questions": total.questions,
        "looked_at": total.looks,
        "one_in": told.one_in,
        "won": sum(each.looks.questions for each in told.found if each.reason is None),
        "reasons": [_reason(each, total.questions) for each in told.found if each.reason is not None],
        "everywhere": [_reason(each, None) for each in told.everywhere if each.reason is not None],
        "notes": list(told.notes),
    }


def _reason(found: Found, whole: int | None) -> dict[str, object]:
    reason = found.reason
    document: dict[str, object] = {
        "reason": reason.value if reason is not None else None,
        "detail": WORDS[reason] if reason is not None else "",
        "questions": found.looks.questions,
    }
    return document if whole is None else {**document, "part": round(found.looks.questions / whole, 4)}


def _read_day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ParameterRefused("day", "takes a day such as 2026-11-24") from error
