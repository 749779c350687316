"""What the delivery calls do, whatever carries them: the lane and Flask's views call the same functions."""

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec
from werkzeug.datastructures import EnvironHeaders

from adserver.counting.acceptance import Acceptance, Signals
from adserver.delivery.decision_json import PageBody, encode_json
from adserver.delivery.templates import Templates
from adserver.domain.decisions import Fill, NoFill, SlotRequest
from adserver.domain.ids import SlotId
from adserver.domain.ledger import LedgerCodec
from adserver.domain.places import Place
from adserver.domain.reasons import EventKind, NoFillReason
from adserver.domain.variants import Variant
from adserver.web.addresses import BaseUrls
from adserver.web.delivery_bodies import read_events, read_page
from adserver.web.parameters import PlaceResolver
from adserver.web.questions import Questions
from adserver.web.reader_ledger import ReaderLedger
from adserver.web.reader_places import ReaderPlaces
from adserver.web.serving import Deliverer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

BEACON_FAULT: Final = "beacon.fault"
"""Log event: an event could not be recorded; it was answered all the same."""

_LOG: Final = logging.getLogger(__name__)


class DeliveryCalls:
    """The calls of pages, from what was sent to the bytes of the answer. Immutable, shared by all threads."""

    def __init__(
        self,
        *,
        deliverer: Deliverer,
        acceptance: Acceptance,
        places: PlaceResolver,
        public_url: str | None,
        ledgers: LedgerCodec,
        readers: ReaderPlaces | None = None,
    ) -> None:
        """Take what answers.

        Args:
            deliverer: answers for slots.
            acceptance: judges and records views.
            places: resolves locations; its answers must not change in the life of this process.
            ledgers: signs and reads what readers were shown.
            public_url: the service's address in links, without a slash at its end; None: the request's host.
            readers: where readers are, for pages that name no place; None: those have none.
        """
        self.deliverer = deliverer
        self._acceptance = acceptance
        self._places = places
        self._readers = readers
        self._ledgers = ledgers
        self._questions = Questions(places)
        self._base_urls = BaseUrls(public_url)
        self._templates = Templates()

    def question(self, slot: SlotId, environ: "WSGIEnvironment") -> SlotRequest:
        """Return what a slot's address asks.

        Raises:
            ParameterRefused: see `Questions.slot`.
        """
        query_string = environ.get("QUERY_STRING", "")
        question = self._questions.slot(slot, query_string)
        if self._readers is None or question.place is not None or self._questions.names_place(query_string):
            return question
        return replace(question, place=self._place_of_reader(environ))

    def slot_json(
        self, question: SlotRequest, environ: "WSGIEnvironment", *, leave_trace: bool = True
    ) -> bytes | NoFill:
        """Return the JSON of a slot's fill. Never raises.

        Args:
            question: what is asked.
            environ: says which address links name.
            leave_trace: False for HEAD, which is answered like GET and not counted.
        """
        base = self._base_urls.of(environ)

        def render(fill: Fill, token: str) -> bytes:
            return self._templates.json(fill, base, token)

        return self.deliverer.deliver(question, render, leave_trace=leave_trace)

    def slot_html(
        self, question: SlotRequest, environ: "WSGIEnvironment", *, leave_trace: bool = True
    ) -> bytes | NoFill:
        """Return the fragment of a slot's fill; see `slot_json`."""
        base = self._base_urls.of(environ)

        def render(fill: Fill, token: str) -> bytes:
            return self._templates.fragment(fill, base, token)

        return self.deliverer.deliver(question, render, leave_trace=leave_trace)

    def page_json(self, body: bytes, environ: "WSGIEnvironment") -> bytes:
        """Return the answer to a page's one call.

        Raises:
            UnreadableInput, ParameterRefused: see `read_page`.
        """
        page = read_page(body, self._places, lambda: self._place_of_reader(environ))
        base = self._base_urls.of(environ)

        def render(fill: Fill, token: str) -> bytes:
            return self._templates.json(fill, base, token)

        shown: dict[str, msgspec.Raw | None] = {}
        reasons: dict[str, NoFillReason] = {}
        ledger = ReaderLedger(self._ledgers, page.ledger)
        answers = self.deliverer.deliver_page(page.requests, render, ledger=ledger)
        for key, answer in zip(page.keys, answers, strict=True):
            if isinstance(answer, NoFill):
                shown[key] = None
                reasons[key] = answer.reason
            else:
                shown[key] = msgspec.Raw(answer)
        return encode_json(PageBody(shown, reasons, ledger.answer))

    def see(self, token: str, environ: "WSGIEnvironment") -> None:
        """Take the impression that a beacon reports. Never raises."""
        reported = self._questions.length_on_screen("variant", environ.get("QUERY_STRING", ""))
        self._accept(token, EventKind.SEEN, reported, _signals(environ))

    def take_events(self, body: bytes, environ: "WSGIEnvironment") -> None:
        """Take a batch of events.

        Raises:
            UnreadableInput, InputTooLarge: see `read_events`; none was taken.
        """
        signals = _signals(environ)
        for event in read_events(body):
            self._accept(event.token, event.kind, event.variant, signals)

    def length_on_screen(self, name: str, environ: "WSGIEnvironment") -> Variant:
        """Return the length that a click reports; see `Questions.length_on_screen`."""
        return self._questions.length_on_screen(name, environ.get("QUERY_STRING", ""))

    def _place_of_reader(self, environ: "WSGIEnvironment") -> Place | None:
        return None if self._readers is None else self._readers.place_of(environ.get("REMOTE_ADDR", ""))

    def _accept(self, token: str, kind: EventKind, reported: Variant, signals: Signals) -> None:
        try:
            self._acceptance.accept(token, kind, reported, signals)
        except Exception as fault:  # noqa: BLE001 - a beacon is answered, whatever becomes of it
            _LOG.error(BEACON_FAULT, exc_info=fault)


def _signals(environ: "WSGIEnvironment") -> Signals:
    return Signals.of(EnvironHeaders(environ), environ.get("REMOTE_ADDR"))
