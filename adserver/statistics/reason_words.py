"""What each reason means, for people."""

from collections.abc import Mapping
from typing import Final

from adserver.domain.reasons import NoFillReason

WORDS: Final[Mapping[NoFillReason, str]] = {
    NoFillReason.UNKNOWN_SLOT: "no slot has this id",
    NoFillReason.SLOT: "it does not run in this slot",
    NoFillReason.PAUSED: "it, or its campaign, was paused",
    NoFillReason.NOT_STARTED: "its first day was still to come",
    NoFillReason.ENDED: "its last day was over",
    NoFillReason.HOURS: "it runs at other hours of the week",
    NoFillReason.PLACE: "it runs in other places",
    NoFillReason.PLACE_EXCLUDED: "it does not run in this place",
    NoFillReason.PLACE_UNKNOWN: "it runs in certain places only, and the page named none that is known",
    NoFillReason.REGULATED: "a rule keeps its category out of the state, or the page named no place",
    NoFillReason.TOPIC: "it runs at other topics",
    NoFillReason.TOPIC_EXCLUDED: "it does not run at one of the page's topics",
    NoFillReason.VARIANT: "none of its creatives has a length that the slot and the page take",
    NoFillReason.DISCLOSURE: "it must be shown with a disclosure, and the slot takes none",
    NoFillReason.CATEGORY_BLOCKED: "the slot blocks its advertiser's category",
    NoFillReason.GOAL_MET: "it had delivered what was sold",
    NoFillReason.PACING: "it had served what its plan wants for the moment",
    NoFillReason.CAP: "it had been shown often enough: to this reader, that day, or that hour",
    NoFillReason.TAKEOVER: "it takes all of its slots or none, and could not have them all",
    NoFillReason.COMPETITOR: "a competitor of its advertiser was on the page",
    NoFillReason.SAME_SPONSOR: "its advertiser was on the page already",
    NoFillReason.EXCLUDED: "the page excluded its advertiser, category or label",
    NoFillReason.LOWER_TIER: "a flight of a higher tier won",
    NoFillReason.LOST_DRAW: "it could have run, and the draw passed it by",
}
