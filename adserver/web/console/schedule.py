"""The console's page of who runs where and when, what is left empty, and what is sold more than once."""

from typing import Final
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template, request

from adserver.catalog.overlaps import Places
from adserver.catalog.schedule import make_schedule
from adserver.catalog.state import CampaignState
from adserver.domain.ids import PlaceId
from adserver.web.console.holdings import HoldingsReader
from adserver.web.console.navigation import Entry, Section
from adserver.web.console.shell import current_caller
from adserver.web.console.timeline import over_words, read_period, slot_lines, weeks_of

WEEKS_OFFERED: Final = (13, 4, 26, 52)


def schedule_section(holdings: HoldingsReader, places: Places) -> Section:
    """Return the page `/console/schedule`.

    Args:
        holdings: what is live.
        places: knows what places contain.
    """
    blueprint = Blueprint("console_schedule", __name__, template_folder="templates")

    def name_of(id_: PlaceId) -> str:
        place = places.get(id_)
        return place.name if place is not None else id_

    @blueprint.get("/schedule")
    def page() -> str:
        caller = current_caller()
        held = holdings.read(caller)
        zone = ZoneInfo(held.catalog.sites[0].timezone if held.catalog.sites else "UTC")
        today = held.now.astimezone(zone).date()
        period = read_period(request.args, today, WEEKS_OFFERED)
        done = {
            flight.flight.id
            for one in held.campaigns
            for flight in one.flights
            if flight.state is CampaignState.GOAL_MET
        }
        schedule = make_schedule(held.catalog, period, places, done)
        asked = request.args.get("slot", "")
        known = [slot.id for slot in held.catalog.slots]
        only = asked if asked in known else ""
        slots = list(slot_lines(schedule, held.catalog, only, caller.sees, name_of, is_bound=caller.is_bound))
        return render_template(
            "console/schedule.html",
            period=period,
            weeks=weeks_of(period),
            weeks_offered=sorted(WEEKS_OFFERED),
            today=today,
            slots=slots,
            known=known,
            only=only,
            over_words=lambda one: over_words(one, name_of),
            revision=held.revision,
        )

    entry = Entry("Schedule", "console_schedule.page", "calendar3", "Who runs where and when, and what is still free.")
    return Section(blueprint, (entry,))
