"""Why a flight did not win, and why an event is invalid: closed lists, each with a stable code for the wire."""

from adserver.domain.codes import CodedEnum


class NoFillReason(CodedEnum):
    """Why a flight did not win, in the order in which the rules are asked; `code` is its byte in spool and cells.

    A no fill reports the reason of the flight that came furthest in this order.
    New members go where their rule stands; their code is the next free number.
    """

    UNKNOWN_SLOT = "unknown_slot", 1
    SLOT = "slot", 2
    PAUSED = "paused", 3
    NOT_STARTED = "not_started", 4
    ENDED = "ended", 5
    HOURS = "hours", 6
    PLACE = "place", 7
    PLACE_EXCLUDED = "place_excluded", 8
    PLACE_UNKNOWN = "place_unknown", 9
    REGULATED = "regulated", 10
    TOPIC = "topic", 11
    TOPIC_EXCLUDED = "topic_excluded", 12
    VARIANT = "variant", 13
    DISCLOSURE = "disclosure", 14
    CATEGORY_BLOCKED = "category_blocked", 15
    GOAL_MET = "goal_met", 16
    PACING = "pacing", 17
    CAP = "cap", 18
    TAKEOVER = "takeover", 19
    COMPETITOR = "competitor", 20
    SAME_SPONSOR = "same_sponsor", 21
    EXCLUDED = "excluded", 22
    LOWER_TIER = "lower_tier", 23
    LOST_DRAW = "lost_draw", 24


class InvalidReason(CodedEnum):
    """Why an event is kept out of impressions, viewables and clicks; `code` is its byte in spool and cells."""

    SIGNATURE = "signature", 1
    EXPIRED = "expired", 2
    PREFETCH = "prefetch", 3
    INTERNAL = "internal", 4
    NO_USER_AGENT = "no_user_agent", 5
    BOT = "bot", 6
    RATE = "rate", 7
    DUPLICATE = "duplicate", 8
    NO_VIEW = "no_view", 9
    OVER = "over", 10


class EventKind(CodedEnum):
    """What a reader's browser can report of a decision; `code` is its byte in the spool, `bit` its place in a state."""

    SEEN = "seen", 0
    VIEWABLE = "viewable", 1
    CLICK = "click", 2

    @property
    def bit(self) -> int:
        """The mask of this event's bit in a token's state."""
        return 1 << self.code
