"""The one path that every delivery call takes: decide, sign, render, count. A fault behind it becomes no fill."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache, partial
from random import Random
from typing import Final, Protocol, TypeVar

from adserver.counting.issuer import Issuer
from adserver.counting.recorder import Recorder
from adserver.counting.records import DecisionKey
from adserver.counting.shards import shard_of
from adserver.decision.decide import decide
from adserver.decision.paces import NOBODY, Pace, Shown
from adserver.decision.page_call import decide_page
from adserver.decision.snapshot import Snapshot
from adserver.domain.catalog import Flight, Site
from adserver.domain.decisions import Decision, Fill, NoFill, SlotRequest
from adserver.domain.ids import FlightId, IdHash, Kind, id_hash
from adserver.domain.reasons import NoFillReason
from adserver.domain.token import Token, TokenCodec
from adserver.web.reader_ledger import ReaderLedger

DELIVERY_FAULT: Final = "delivery.fault"
"""Log event: something behind a decision raised; the page got no fill."""

_LOG: Final = logging.getLogger(__name__)
_REMEMBERED_PLACES: Final = 8192
_Rendered = TypeVar("_Rendered")


class CatalogSource(Protocol):
    """What is live in this process; None before anything was ever published. Never blocks."""

    def current(self) -> Snapshot | None:
        """Return the live snapshot."""
        ...


class DeliveredSource(Protocol):
    """Net impressions of each flight with a goal, as far as this process knows. Never blocks."""

    def current(self) -> Mapping[FlightId, int]:
        """Return them by flight; a missing one has none."""
        ...


Renderer = Callable[[Fill, str], _Rendered]
"""Makes the answer of a fill and its token's text."""


class PaceSource(Protocol):
    """What goals and caps of flights leave to this process. Never blocks for long."""

    def of(self, flight: FlightId) -> Pace | None:
        """Return a flight's pace; None: it may not be served here."""
        ...

    def take(self, flight: Flight) -> bool:
        """Use one fill of it; False: none is left."""
        ...

    def note(self, asked: Sequence[FlightId]) -> None:
        """Take which flights would have run but for their pace."""
        ...


class CallSampler(Protocol):
    """Keeps some calls, for whoever says later what stopped whom. Never waits, writes nothing itself."""

    def is_due(self) -> bool:
        """Count a call; return whether it is to be kept."""
        ...

    def take(
        self, decisions: Sequence[Decision], snapshot: Snapshot, second: int, shown: Mapping[FlightId, Shown]
    ) -> None:
        """Keep it."""
        ...


class Deliverer:
    """Answers for slots. Shared by all threads of a process.

    Holds no state of its own but what it is given, and a bounded memory (thread-safe, in C) of places' hashes.
    """

    def __init__(  # noqa: PLR0913 - its ports, by name
        self,
        *,
        catalog: CatalogSource,
        delivered: DeliveredSource,
        codec: TokenCodec,
        issuer: Issuer,
        recorder: Recorder,
        clock: Callable[[], datetime],
        rng: Random,
        paces: PaceSource | None = None,
        sampler: CallSampler | None = None,
    ) -> None:
        """Take what a decision needs.

        Args:
            catalog: the live snapshot.
            delivered: how much of each goal is delivered.
            codec: signs tokens.
            issuer: numbers them.
            recorder: counts decisions.
            clock: aware UTC now.
            rng: its draws must differ between forked workers, as those of `adserver.web.chance` do.
            paces: what goals and caps leave; None: all.
            sampler: keeps some calls; None: none is kept.
        """
        self._catalog = catalog
        self._delivered = delivered
        self._codec = codec
        self._issuer = issuer
        self._recorder = recorder
        self._clock = clock
        self._rng = rng
        self._paces = paces
        self._sampler = sampler
        self._hash_of_place = lru_cache(_REMEMBERED_PLACES)(partial(id_hash, Kind.PLACE))

    def deliver(
        self, request: SlotRequest, render: Renderer[_Rendered], *, leave_trace: bool = True
    ) -> _Rendered | NoFill:
        """Answer for one slot; see `deliver_page`."""
        began = time.perf_counter()
        answer = self._answer_one(request, render, leave_trace=leave_trace)
        if leave_trace:
            self._recorder.took(time.perf_counter() - began)
        return answer

    def deliver_page(
        self,
        requests: Sequence[SlotRequest],
        render: Renderer[_Rendered],
        *,
        leave_trace: bool = True,
        ledger: ReaderLedger | None = None,
    ) -> tuple[_Rendered | NoFill, ...]:
        """Answer for the slots of one page view, in their order. Never raises.

        Args:
            requests: the questions.
            render: makes the answer of a fill.
            leave_trace: False for HEAD, which is answered like GET and not counted.
            ledger: what the reader was shown before, and takes what this call shows; None: nobody keeps one.
        """
        began = time.perf_counter()
        answers = self._answer(requests, render, ledger, leave_trace=leave_trace)
        if leave_trace:
            self._recorder.took(time.perf_counter() - began)
        return answers

    def site_of(self, request: SlotRequest) -> Site | None:
        """Return the site whose page a slot is on; None for a slot that is not known. Never raises."""
        try:
            snapshot = self._catalog.current()
            slot = snapshot.slot(request.slot) if snapshot is not None else None
            return snapshot.site_of(slot) if snapshot is not None and slot is not None else None
        except Exception as fault:  # noqa: BLE001 - a page never breaks for us
            _LOG.error(DELIVERY_FAULT, exc_info=fault)
            return None

    def _answer_one(
        self, request: SlotRequest, render: Renderer[_Rendered], *, leave_trace: bool
    ) -> _Rendered | NoFill:
        """Do what `_answer` does, without what several slots take."""
        try:
            snapshot = self._catalog.current()
            if snapshot is None:
                return NoFill(request, NoFillReason.UNKNOWN_SLOT)
            now = self._clock()
            decision = self._decide(request, snapshot, now, leave_trace=leave_trace)
            sampler = self._sampler
            if sampler is not None and leave_trace and sampler.is_due():
                sampler.take((decision,), snapshot, int(now.timestamp()), NOBODY)
        except Exception as fault:  # noqa: BLE001 - a page never breaks for us
            return _no_fill_of(fault, request)
        return self._conclude(decision, snapshot, int(now.timestamp()), render, leave_trace=leave_trace)

    def _answer(
        self,
        requests: Sequence[SlotRequest],
        render: Renderer[_Rendered],
        ledger: ReaderLedger | None,
        *,
        leave_trace: bool,
    ) -> tuple[_Rendered | NoFill, ...]:
        try:
            snapshot = self._catalog.current()
            if snapshot is None:
                return tuple(NoFill(request, NoFillReason.UNKNOWN_SLOT) for request in requests)
            now = self._clock()
            delivered, paces, second = self._delivered.current(), self._paces, int(now.timestamp())
            shown = ledger.read(snapshot, second) if ledger is not None else NOBODY
            decisions = decide_page(requests, snapshot, delivered, now, self._rng, paces=paces, shown=shown)
            decisions = tuple(self._paced(decision, leave_trace=leave_trace) for decision in decisions)
            if ledger is not None:
                ledger.note(decisions, snapshot, second)
            if self._sampler is not None and leave_trace and self._sampler.is_due():
                self._sampler.take(decisions, snapshot, second, shown)
        except Exception as fault:  # noqa: BLE001 - a page never breaks for us
            return tuple(_no_fill_of(fault, request) for request in requests)
        return tuple(
            self._conclude(decision, snapshot, second, render, leave_trace=leave_trace) for decision in decisions
        )

    def _decide(self, request: SlotRequest, snapshot: Snapshot, now: datetime, *, leave_trace: bool) -> Decision:
        """Decide, and again without a flight of which another thread has just used the last that was granted."""
        delivered, rng, paces = self._delivered.current(), self._rng, self._paces
        decision = decide(request, snapshot, delivered, now, rng, paces=paces)
        paced = self._paced(decision, leave_trace=leave_trace)
        if paced is decision:
            return decision
        return self._paced(decide(request, snapshot, delivered, now, rng, paces=paces), leave_trace=leave_trace)

    def _paced(self, decision: Decision, *, leave_trace: bool) -> Decision:
        """Return a decision that has its fill of what its flight was granted, or the no fill that is left of it."""
        paces = self._paces
        if paces is None or not leave_trace or not decision.asked:
            return decision
        paces.note(decision.asked)
        if isinstance(decision, Fill) and not paces.take(decision.flight):
            return NoFill(decision.request, NoFillReason.PACING)
        return decision

    def _conclude(
        self, decision: Decision, snapshot: Snapshot, second: int, render: Renderer[_Rendered], *, leave_trace: bool
    ) -> _Rendered | NoFill:
        """Render a decision, then count it: what could not be shown is not counted as a fill."""
        try:
            if isinstance(decision, NoFill):
                if leave_trace:
                    self._record_no_fill(decision, snapshot, second)
                return decision
            token = self._token(decision, snapshot, second)
            rendered = render(decision, self._codec.encode(token))
            if leave_trace:
                self._recorder.fill(token)
        except Exception as fault:  # noqa: BLE001 - a page never breaks for us
            return _no_fill_of(fault, decision.request)
        return rendered

    def _token(self, fill: Fill, snapshot: Snapshot, second: int) -> Token:
        flight = snapshot.hashes.flights[fill.flight.id]
        shard = shard_of(flight, snapshot.shards)
        issuer, sequence = self._issuer.next(shard)
        return Token(
            issuer=issuer,
            shard=shard,
            sequence=sequence,
            issued_second=second,
            flight=flight,
            creative=snapshot.hashes.creatives[fill.creative.id],
            slot=snapshot.hashes.slots[fill.slot.id],
            place=self._place_hash(fill.request),
            topic=_topic_hash(fill.request, snapshot),
            variant=fill.request.variant,
        )

    def _place_hash(self, request: SlotRequest) -> IdHash:
        return self._hash_of_place(request.place.id) if request.place is not None else Kind.PLACE.unknown

    def _record_no_fill(self, decision: NoFill, snapshot: Snapshot, second: int) -> None:
        request = decision.request
        slot = snapshot.hashes.slots.get(request.slot, Kind.SLOT.unknown)
        key = DecisionKey.unfilled(
            shard=shard_of(slot, snapshot.shards),
            slot=slot,
            place=self._place_hash(request),
            topic=_topic_hash(request, snapshot),
            variant=request.variant,
            reason=decision.reason,
            second=second,
        )
        self._recorder.no_fill(key)


def _topic_hash(request: SlotRequest, snapshot: Snapshot) -> IdHash:
    """Return the hash of the page's first topic, the one that statistics keep."""
    if not request.topics:
        return Kind.TOPIC.none
    return snapshot.hashes.topics.get(request.topics[0], Kind.TOPIC.unknown)


def _no_fill_of(fault: Exception, request: SlotRequest) -> NoFill:
    """Say the truth as far as a page is concerned: there is nothing at this slot."""
    _LOG.error(DELIVERY_FAULT, exc_info=fault)
    return NoFill(request, NoFillReason.UNKNOWN_SLOT)
