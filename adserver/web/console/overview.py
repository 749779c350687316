"""The console's first page: what runs now, what today brought, what ends soon, and what somebody should look at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from flask import render_template
from markupsafe import Markup

from adserver.catalog.progress import Standing
from adserver.catalog.state import CampaignState
from adserver.domain.errors import StoreUnavailable
from adserver.web.auth import Principal
from adserver.web.console.figures import FiguresReader
from adserver.web.console.holdings import FlightHolding, Holding, Holdings, HoldingsReader
from adserver.web.console.shell import current_caller

SOON_DAYS: Final = 14
_MOST_RUNNING: Final = 8
_MOST_DATES: Final = 8

Notices = Callable[[Principal], Markup]
"""Returns a part of the overview, above all else: what somebody should know at once. Empty: nothing."""


@dataclass(frozen=True, slots=True)
class Coming:
    """A flight whose first or last day is near. Immutable."""

    holding: Holding
    flight: FlightHolding
    day: date


def make_overview(
    holdings: HoldingsReader, figures: FiguresReader, notices: Sequence[Notices] = ()
) -> Callable[[], str]:
    """Return the view of `/console/`.

    Args:
        holdings: what is live.
        figures: what was counted.
        notices: what stands above it, each for who is signed in; none of them may raise.
    """

    def overview() -> str:
        caller = current_caller()
        try:
            held: Holdings | None = holdings.read(caller)
        except StoreUnavailable:  # the page is there to say so
            held = None
        running = [one for one in held.campaigns if one.state is CampaignState.LIVE] if held else []
        return render_template(
            "console/overview.html",
            notices=[part for part in (notice(caller) for notice in notices) if part],
            held=held,
            running=sorted(running, key=_urgency)[:_MOST_RUNNING],
            counts=_counts(held),
            ending=_ending(held) if held else (),
            starting=_starting(held) if held else (),
            soon_days=SOON_DAYS,
            figures=figures.last_days(caller, held.now) if held else None,
        )

    return overview


def _urgency(one: Holding) -> tuple[bool, bool, str]:
    """Return what puts those first that somebody should look at: behind plan, then sold by number."""
    return one.progress.standing is not Standing.BEHIND, one.progress.goal is None, one.campaign.name.casefold()


def _counts(held: Holdings | None) -> dict[str, int]:
    states = [one.state for one in held.campaigns] if held else []
    return {state.value: states.count(state) for state in CampaignState if state in states}


def _ending(held: Holdings) -> list[Coming]:
    found = [
        Coming(one, flight, flight.last)
        for one in held.campaigns
        for flight in one.flights
        if flight.state is CampaignState.LIVE and flight.last is not None
        if (flight.last - flight.today).days <= SOON_DAYS
    ]
    return sorted(found, key=lambda each: each.day)[:_MOST_DATES]


def _starting(held: Holdings) -> list[Coming]:
    found = [
        Coming(one, flight, flight.first)
        for one in held.campaigns
        for flight in one.flights
        if flight.state is CampaignState.SCHEDULED and (flight.first - flight.today).days <= SOON_DAYS
    ]
    return sorted(found, key=lambda each: each.day)[:_MOST_DATES]
