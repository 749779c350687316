"""Why a flight did not win, in the words of people who sell; one sentence a code."""

from typing import Final

from adserver.domain.reasons import NoFillReason

REASONS: Final = {
    NoFillReason.UNKNOWN_SLOT: "no slot has this id",
    NoFillReason.SLOT: "runs in other slots",
    NoFillReason.PAUSED: "is paused",
    NoFillReason.NOT_STARTED: "has not started yet",
    NoFillReason.ENDED: "has ended",
    NoFillReason.HOURS: "runs at other hours",
    NoFillReason.PLACE: "runs in other places",
    NoFillReason.PLACE_EXCLUDED: "does not run in this place",
    NoFillReason.PLACE_UNKNOWN: "runs in certain places, and the page names none that is known",
    NoFillReason.REGULATED: "is kept out of the state by a rule",
    NoFillReason.TOPIC: "runs at other topics",
    NoFillReason.TOPIC_EXCLUDED: "does not run at one of these topics",
    NoFillReason.VARIANT: "has no line that is short enough, or none of this length",
    NoFillReason.DISCLOSURE: "must show a disclosure, and the slot takes none",
    NoFillReason.CATEGORY_BLOCKED: "is of a category that the slot blocks",
    NoFillReason.GOAL_MET: "has delivered its goal",
    NoFillReason.PACING: "has served what its plan wants for now",
    NoFillReason.CAP: "has been seen often enough",
    NoFillReason.TAKEOVER: "takes all of its slots of a page or none",
    NoFillReason.COMPETITOR: "has a competitor on the page",
    NoFillReason.SAME_SPONSOR: "is on the page already",
    NoFillReason.EXCLUDED: "is excluded by the page",
    NoFillReason.LOWER_TIER: "would run, but a higher tier won",
    NoFillReason.LOST_DRAW: "was in the draw, and another won",
}
