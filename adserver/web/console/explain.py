"""The console's page that explains a decision: who wins a slot at a place, and why each of the others does not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template, request
from markupsafe import Markup

from adserver.catalog.moments import NothingLive
from adserver.decision.explaining import Account
from adserver.delivery.fragment import render_preview
from adserver.domain.catalog import Site, Slot
from adserver.domain.decisions import Fill
from adserver.domain.errors import InputRefused, ParameterRefused
from adserver.domain.ids import SiteId
from adserver.domain.variants import Variant
from adserver.web.auth import Principal
from adserver.web.console.navigation import Entry, Section
from adserver.web.console.reasons import REASONS
from adserver.web.console.shell import current_caller
from adserver.web.explainer import Answer, Explainer
from adserver.web.limits import CallLimit, session_key
from adserver.web.store_gate import StoreGate

MOST_SHOWN: Final = 200
_FIELDS: Final = ("slot", "location", "topic", "variant", "at")
_RANK: Final = {reason: rank for rank, reason in enumerate(REASONS)}


@dataclass(frozen=True, slots=True)
class Explained:
    """What the page shows of an answer. Immutable."""

    answer: Answer
    place: str
    """What the location was taken for; empty: for none."""
    html: Markup
    """The winner as it is rendered; empty where nobody wins, or one who does not exist for the caller."""
    winner: Fill | None
    is_others: bool
    """Somebody won who does not exist for the caller."""
    reason: str
    """Why nobody won, in words; empty where somebody did."""
    in_draw: tuple[Account, ...]
    """Those who could win, the likeliest first."""
    stopped: tuple[Account, ...]
    """Those a rule stopped, the ones who came furthest first."""
    more: int
    """Stopped ones that are not shown."""


def explain_section(
    explainer: Explainer,
    slots: Callable[[], Sequence[Slot]],
    sites: Callable[[], Sequence[Site]],
    limit: CallLimit,
    gate: StoreGate,
) -> Section:
    """Return the page `/console/explain`.

    Args:
        explainer: asks the rules; nothing of it is counted.
        slots: returns the slots that are served.
        sites: returns their sites.
        limit: how often somebody may ask.
        gate: how many calls may be with the store at once.
    """
    blueprint = Blueprint("console_explain", __name__, template_folder="templates")

    @blueprint.get("/explain")
    def page() -> str:
        caller = current_caller()
        known = sorted(slots(), key=lambda slot: slot.id)
        asked = {name: request.args.get(name, "").strip() for name in _FIELDS}
        slot = next((each for each in known if each.id == asked["slot"]), known[0] if known else None)
        zones: dict[SiteId, str] = {site.id: site.timezone for site in sites()}
        zone = zones.get(slot.site, "UTC") if slot is not None else "UTC"
        explained, fault = None, ""
        if slot is not None and asked["slot"]:
            limit.take(session_key(caller.token_id))
            try:
                with gate.entered():
                    answer = explainer.answer(_question(asked, zone))
                explained = _explained(answer, caller)
            except (ParameterRefused, InputRefused, NothingLive) as error:
                fault = str(error)
        return render_template(
            "console/explain.html",
            slots=known,
            slot=slot,
            asked=asked,
            zone=zone,
            variants=tuple(Variant),
            explained=explained,
            fault=fault,
            reasons=REASONS,
        )

    entry = Entry("Explain", "console_explain.page", "question-circle", "Why a slot shows what it shows.")
    return Section(blueprint, (entry,))


def _question(asked: dict[str, str], zone: str) -> dict[str, object]:
    """Return a question as `POST /v1/explain` takes it; a time is on the clock of the slot's site.

    Raises:
        ParameterRefused: the time is none.
    """
    question: dict[str, object] = {"slot": asked["slot"], "location": asked["location"]}
    question["topics"] = [topic for topic in asked["topic"].split(",") if topic.strip()]
    question["variant"] = asked["variant"] or Variant.AUTO.value
    if asked["at"]:
        try:
            moment = datetime.fromisoformat(asked["at"])
        except ValueError as error:
            raise ParameterRefused("at", "takes a time such as 2026-11-24T08:00") from error
        question["at"] = (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).isoformat()
    return question


def _explained(answer: Answer, caller: Principal) -> Explained:
    decision, place = answer.explanation.decision, answer.request.place
    seen = [account for account in answer.explanation.accounts if caller.sees(account.flight.advertiser.id)]
    stopped = sorted((one for one in seen if one.reason is not None and not one.odds), key=_furthest_first)
    in_draw = sorted((one for one in seen if one.reason is None or one.odds), key=lambda one: -one.odds)
    fill = decision if isinstance(decision, Fill) else None
    winner = fill if fill is not None and caller.sees(fill.advertiser.id) else None
    return Explained(
        answer,
        place.name if place is not None else "",
        Markup(render_preview(winner)) if winner is not None else Markup(),  # noqa: S704 - escaped by delivery
        winner,
        is_others=fill is not None and winner is None,
        reason="" if isinstance(decision, Fill) else REASONS[decision.reason],
        in_draw=tuple(in_draw),
        stopped=tuple(stopped[:MOST_SHOWN]),
        more=max(0, len(stopped) - MOST_SHOWN),
    )


def _furthest_first(account: Account) -> tuple[int, str]:
    return -_RANK[account.reason] if account.reason is not None else 0, account.flight.flight.id
