"""What a campaign's form offers: advertisers, slots with their limits, time zones, and the words of closed sets."""

from dataclasses import dataclass
from typing import Final, Self

from adserver.catalog.documents import Documents, JsonValue, mapping, objects
from adserver.catalog.texts import MAX_GRAPHEMES
from adserver.domain.catalog import CapPeriod, CapScope, Pacing, Status, Tier
from adserver.domain.hours import WEEKDAYS
from adserver.web.auth import Principal

_ZONES: Final = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "Pacific/Honolulu",
    "America/Puerto_Rico",
    "Europe/London",
    "Europe/Berlin",
    "UTC",
)
"""Offered beside those of the sites; any other may be typed."""


@dataclass(frozen=True, slots=True)
class FormChoices:
    """What may be chosen. Immutable."""

    advertisers: tuple[tuple[str, str], ...]
    """Id and name of those that exist for who fills the form in."""
    slots: tuple[tuple[str, int], ...]
    """Id and the most characters."""
    zones: tuple[str, ...]
    statuses: tuple[str, ...] = tuple(Status)
    tiers: tuple[str, ...] = tuple(Tier)
    pacings: tuple[str, ...] = tuple(Pacing)
    days: tuple[str, ...] = WEEKDAYS
    caps: tuple[tuple[str, str], ...] = (
        (f"{CapPeriod.VISIT} {CapScope.READER}", "to a reader in a visit"),
        (f"{CapPeriod.PAGE} {CapScope.READER}", "to a reader on a page"),
        (f"{CapPeriod.DAY} {CapScope.FLIGHT}", "to all readers in a day"),
        (f"{CapPeriod.HOUR} {CapScope.FLIGHT}", "to all readers in an hour"),
    )

    @classmethod
    def of(cls, live: Documents, caller: Principal) -> Self:
        """Return what there is to choose of what is live."""
        words = (mapping(content, "advertiser") for content in live.campaign_files.values())
        known = {str(one["id"]): str(one["name"]) for one in words if caller.sees(str(one["id"]))}
        layout = live.slots or {}
        sites = tuple(str(site["timezone"]) for site in objects(layout, "sites"))
        return cls(
            tuple(sorted(known.items(), key=lambda one: one[1].casefold())),
            tuple((str(slot["id"]), _whole(slot.get("max_chars"))) for slot in objects(layout, "slots")),
            tuple(dict.fromkeys((*sites, *_ZONES))),
        )


def _whole(max_chars: JsonValue) -> int:
    return max_chars if isinstance(max_chars, int) else MAX_GRAPHEMES
