"""Which creative a slot shows: a pure function of the request, the snapshot, counts, moment and chance."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from random import Random

from adserver.decision.paces import NOBODY, Paces, Shown, after_fill
from adserver.decision.page import EMPTY_PAGE, PageSoFar
from adserver.decision.question import Question
from adserver.decision.snapshot import Snapshot
from adserver.domain.decisions import Decision, Fill, NoFill, SlotRequest
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


def decide_page(
    requests: Sequence[SlotRequest],
    snapshot: Snapshot,
    delivered: Mapping[FlightId, int],
    now: datetime,
    rng: Random,
    *,
    paces: Paces | None = None,
    shown: Mapping[FlightId, Shown] = NOBODY,
) -> tuple[Decision, ...]:
    """Return a decision for each slot of one page view, in the order of the requests.

    Each slot knows what those before it show: no competitors together, no sponsor twice unless its flight may repeat,
    no reader's cap passed.
    """
    return tuple(_one_by_one(requests, snapshot, delivered, now, rng, paces, shown))


def _one_by_one(
    requests: Sequence[SlotRequest],
    snapshot: Snapshot,
    delivered: Mapping[FlightId, int],
    now: datetime,
    rng: Random,
    paces: Paces | None,
    shown: Mapping[FlightId, Shown],
) -> Iterator[Decision]:
    """Yield decisions first come, first served."""
    page = EMPTY_PAGE
    for request in requests:
        decision = decide(request, snapshot, delivered, now, rng, page, paces=paces, shown=shown)
        if isinstance(decision, Fill):
            page = page.after(decision.advertiser)
            shown = after_fill(shown, decision.flight)
        yield decision
