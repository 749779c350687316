"""Which creative a slot shows: a pure function of the request, the snapshot, counts, moment and chance."""

from collections.abc import Mapping
from datetime import datetime
from random import Random

from adserver.decision.paces import NOBODY, Paces, Shown
from adserver.decision.page import EMPTY_PAGE, PageSoFar
from adserver.decision.question import Question
from adserver.decision.snapshot import Snapshot
from adserver.domain.decisions import Decision, NoFill, SlotRequest
from adserver.domain.ids import FlightId
from adserver.domain.reasons import NoFillReason


def decide(
    request: SlotRequest,
    snapshot: Snapshot,
    delivered: Mapping[FlightId, int],
    now: datetime,
    rng: Random,
    page: PageSoFar = EMPTY_PAGE,
    *,
    paces: Paces | None = None,
    shown: Mapping[FlightId, Shown] = NOBODY,
) -> Decision:
    """Return the creative that one slot shows, or why it shows none.

    A no fill gives the reason of the flight that came furthest through the rules of `eligibility`.

    Args:
        request: what is asked.
        snapshot: the live catalog.
        delivered: net impressions by flight; missing: none yet.
        now: aware.
        rng: drawn from.
        page: what the same call has shown already.
        paces: what goals and caps of flights leave to this process; None: all.
        shown: what the reader's ledger holds.
    """
    slot = snapshot.slot(request.slot)
    if slot is None:
        return NoFill(request, NoFillReason.UNKNOWN_SLOT)
    return snapshot.choose(Question(request, slot, now, delivered, page, paces, shown), rng)
