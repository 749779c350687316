"""All that a rule may look at beside the flight it judges."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from adserver.decision.paces import NOBODY, Paces, Shown
from adserver.decision.page import EMPTY_PAGE, PageSoFar
from adserver.domain.catalog import Slot
from adserver.domain.decisions import SlotRequest
from adserver.domain.ids import FlightId


class Question(NamedTuple):
    """One slot's request at one moment. Immutable, made once a decision: a tuple, for that is the quickest to make."""

    request: SlotRequest
    slot: Slot
    now: datetime
    """Aware; UTC compares fastest."""
    delivered: Mapping[FlightId, int]
    """Net impressions counted so far; a flight that is missing has none."""
    page: PageSoFar = EMPTY_PAGE
    paces: Paces | None = None
    """What goals and caps of flights leave to this process; None: they stop nobody."""
    shown: Mapping[FlightId, Shown] = NOBODY
    """What the reader was shown of flights that have a cap a reader."""
