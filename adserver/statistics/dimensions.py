"""By what counts can be grouped and filtered, and the labels that are no ids."""

from enum import StrEnum
from typing import Final

NONE_LABEL: Final = "(none)"
"""There is none: a no fill's flight, a page without a topic, a county where the page named its state."""
UNKNOWN_LABEL: Final = "(unknown)"
"""Named, but known to neither gazetteer nor catalog."""
FILL_LABEL: Final = "(fill)"
"""The `reason` of decisions that filled."""


class Dimension(StrEnum):
    """A dimension, as queries write it."""

    ADVERTISER = "advertiser"
    CAMPAIGN = "campaign"
    FLIGHT = "flight"
    CREATIVE = "creative"
    VARIANT = "variant"
    SLOT = "slot"
    SITE = "site"
    PLACE = "place"
    COUNTY = "county"
    STATE = "state"
    COUNTRY = "country"
    TOPIC = "topic"
    REASON = "reason"
    EVENT = "event"
    HOUR = "time:hour"
    DAY = "time:day"
    WEEK = "time:week"
    MONTH = "time:month"


ORDER_DIMENSIONS: Final = frozenset({Dimension.ADVERTISER, Dimension.CAMPAIGN, Dimension.FLIGHT})
"""A flight and its parents."""
FILL_DIMENSIONS: Final = ORDER_DIMENSIONS | {Dimension.CREATIVE, Dimension.VARIANT}
"""What only a fill has; a no fill's are all `(none)`."""
SITE_DIMENSIONS: Final = frozenset({Dimension.SLOT, Dimension.SITE})
PLACE_DIMENSIONS: Final = frozenset({Dimension.PLACE, Dimension.COUNTY, Dimension.STATE, Dimension.COUNTRY})
DAY_DIMENSIONS: Final = frozenset({Dimension.DAY, Dimension.WEEK, Dimension.MONTH})
"""Times of a day or coarser."""
TIME_DIMENSIONS: Final = DAY_DIMENSIONS | {Dimension.HOUR}
REACH_DIMENSIONS: Final = frozenset({Dimension.FLIGHT, Dimension.DAY})
"""What readers are kept by."""
FIELD_DIMENSIONS: Final = frozenset({Dimension.VARIANT, Dimension.EVENT, Dimension.REASON})
"""What a cell's field tells, not its member or time."""
