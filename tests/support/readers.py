"""Readers who remember each token they were given, each event they sent for it, and whether that was answered whole."""

import http.client
import json
import random
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, Final

from fault_world import LOCATIONS, SLOTS, TOPICS, VARIANTS
from service import READER, Service

from adserver.domain.reasons import EventKind

SEEN, VIEWABLE, CLICK = EventKind.SEEN, EventKind.VIEWABLE, EventKind.CLICK
NO_TOKEN: Final = "A" * 74
"""Signed by nobody."""

_PLANS: Final[tuple[tuple[EventKind, ...], ...]] = (
    (SEEN,),
    (SEEN,),
    (SEEN, VIEWABLE, CLICK),
    (CLICK, SEEN),
    (VIEWABLE,),
    (SEEN, SEEN),
    (CLICK,),
    (SEEN, CLICK, CLICK),
)
"""What one reader sends for a token, in turn; a part of it is kept for others to send later."""
_STRANGE: Final = (READER, READER, READER, READER, {"User-Agent": ""}, {**READER, "Sec-Purpose": "prefetch"})
_GIVE_UP_SECONDS: Final = 0.05
_THINK_SECONDS: Final = 0.004
"""Between two visits: the processors are others' too."""

Sent = tuple[str, EventKind]
"""(token, kind)."""


@dataclass(slots=True)
class Ledger:
    """What readers asked and sent, and what was answered. Filled under the load's lock."""

    sent: Counter[Sent] = field(default_factory=Counter)
    answered: Counter[Sent] = field(default_factory=Counter)
    asked: int = 0
    """Slots asked for."""
    fills: int = 0
    no_fills: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    unanswered: Counter[str] = field(default_factory=Counter)
    """What befell the calls that got no answer, or only a part of one."""


class Readers:
    """Threads of readers who visit pages until they are called back; the ledger outlives each time. Under a lock."""

    def __init__(self, service: Service, seed: int = 0, threads: int = 4) -> None:
        self._service = service
        self._seed = seed
        self._count = threads
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._later: deque[Sent] = deque()
        self._times = 0
        self.ledger = Ledger()

    @property
    def answered(self) -> int:
        """How many events were answered."""
        return self.ledger.answered.total()

    def start(self) -> None:
        """Send them out."""
        self._stop.clear()
        self._times += 1
        seeds = [f"{self._seed}/{self._times}/{number}" for number in range(self._count)]
        self._threads = [threading.Thread(target=self._read, args=(random.Random(seed),)) for seed in seeds]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let each finish its page, and call them back."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._threads = []

    def await_answers(self, more: int, seconds: float = 60) -> None:
        """Wait until so many more events were answered."""
        target = self.answered + more
        Service.await_that(lambda: self.answered >= target, seconds)

    def _read(self, rng: random.Random) -> None:
        while not self._stop.wait(_THINK_SECONDS):
            visit = Visit(self._service, self, rng)
            try:
                visit.read_page()
            except (OSError, http.client.HTTPException) as failure:
                with self._lock:
                    self.ledger.unanswered[type(failure).__name__] += 1
                self._stop.wait(_GIVE_UP_SECONDS)
            finally:
                visit.leave()

    # --- the ledger, for visits ---

    def note_asked(self, slots: int) -> None:
        """Note slots that are asked for."""
        with self._lock:
            self.ledger.asked += slots

    def note_decided(self, fills: int, no_fills: int) -> None:
        """Note decisions that were answered."""
        with self._lock:
            self.ledger.fills += fills
            self.ledger.no_fills += no_fills

    def note_sent(self, events: list[Sent]) -> None:
        """Note events before they are sent."""
        with self._lock:
            self.ledger.sent.update(events)

    def note_answered(self, events: list[Sent], status: int, wanted: int) -> None:
        """Note the answer to events, which came whole."""
        with self._lock:
            if status == wanted:
                self.ledger.answered.update(events)

    def note_status(self, status: int) -> None:
        """Note the status of an answer."""
        with self._lock:
            self.ledger.statuses[status] += 1

    def keep_for_later(self, event: Sent) -> None:
        """Leave an event to whoever visits later, from another connection."""
        with self._lock:
            self._later.append(event)

    def take_kept(self, rng: random.Random) -> Sent | None:
        """Return an event that somebody left, now and then."""
        with self._lock:
            if self._later and (len(self._later) > 200 or rng.random() < 0.3):
                return self._later.popleft()
            return None


class Visit:
    """One reader on one connection. One thread."""

    def __init__(self, service: Service, readers: Readers, rng: random.Random) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=8)
        self._readers = readers
        self._rng = rng

    def leave(self) -> None:
        """Close the connection."""
        self._connection.close()

    def read_page(self) -> None:
        """Ask for slots, and send events of the sponsors shown, and one of an earlier visit.

        Raises:
            OSError, http.client.HTTPException: something was not answered.
        """
        rng = self._rng
        kept = self._readers.take_kept(rng)
        if kept is not None:
            self.send(*kept)
        tokens = self._ask_for_page() if rng.random() < 0.2 else self._ask_for_slot()
        if tokens and rng.random() < 0.1:
            self._send_together([(token, SEEN) for token in tokens] + [(tokens[0], VIEWABLE)])
            return
        for token in tokens:
            for kind in rng.choice(_PLANS):
                if rng.random() < 0.15:
                    self._readers.keep_for_later((token, kind))
                else:
                    self.send(token, kind)
        if rng.random() < 0.02:
            self.send(NO_TOKEN, rng.choice((SEEN, CLICK)))

    def send(self, token: str, kind: EventKind, headers: dict[str, str] | None = None) -> None:
        """Send one event the way a page does; without `headers`, now and then as one that may not count."""
        variant = VARIANTS[ord(token[-1]) % len(VARIANTS)]  # the same for all of a token's events
        if kind is VIEWABLE:
            self._send_together([(token, VIEWABLE)])
            return
        path = f"/go/{token}?v={variant}" if kind is CLICK else f"/v1/seen/{token}.gif?variant={variant}"
        events = [(token, kind)]
        self._readers.note_sent(events)
        if headers is None:
            headers = self._rng.choice(_STRANGE) if self._rng.random() < 0.1 else READER
        status, _ = self._call("GET", path, headers=headers)
        self._readers.note_answered(events, status, 302 if kind is CLICK else 200)

    def _send_together(self, events: list[Sent]) -> None:
        told = [
            {"token": token, "kind": kind.value, "variant": VARIANTS[ord(token[-1]) % len(VARIANTS)]}
            for token, kind in events
        ]
        self._readers.note_sent(events)
        status, _ = self._call("POST", "/v1/seen", json.dumps({"events": told}).encode())
        self._readers.note_answered(events, status, 204)

    def _ask_for_slot(self) -> list[str]:
        rng = self._rng
        slot, location, topic = rng.choice(SLOTS), rng.choice(LOCATIONS), rng.choice(TOPICS)
        if rng.random() < 0.3:
            self._readers.note_asked(1)
            _, body = self._call("GET", f"/v1/slots/{slot}.html?location={location}&topic={topic}")
            self._readers.note_decided(int(bool(body)), int(not body))
            return []
        decision = self.ask(slot, f"?location={location}&topic={topic}")
        return [decision["token"]] if decision else []

    def ask(self, slot: str = "masthead", query: str = "") -> dict[str, Any] | None:
        """Ask for a slot; return the decision, or None for no fill."""
        self._readers.note_asked(1)
        status, body = self._call("GET", f"/v1/slots/{slot}{query}")
        self._readers.note_decided(int(status == 200), int(status == 204))
        decision: dict[str, Any] | None = json.loads(body) if status == 200 else None
        return decision

    def _ask_for_page(self) -> list[str]:
        rng = self._rng
        slots = [{"id": str(number), "slot": rng.choice(SLOTS)} for number in range(3)]
        ask = {"location": rng.choice(LOCATIONS), "topics": [rng.choice(TOPICS[:3])], "slots": slots}
        self._readers.note_asked(len(slots))
        _, body = self._call("POST", "/v1/decisions", json.dumps(ask).encode())
        answer = json.loads(body)
        decisions: list[dict[str, Any]] = [one for one in answer["decisions"].values() if one]
        self._readers.note_decided(len(decisions), len(answer["no_fill"]))
        return [decision["token"] for decision in decisions]

    def _call(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] = READER
    ) -> tuple[int, bytes]:
        """Return the status and the whole body of an answer; one cut short raises."""
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        whole = response.read()
        self._readers.note_status(response.status)
        return response.status, whole


def decision_times(service: Service, count: int, seconds: float = 0.0) -> list[float]:
    """Return how long each of so many decisions took, on one connection, spread over a time."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=8)
    times: list[float] = []
    begin = time.monotonic()
    try:
        for number in range(count):
            time.sleep(max(0.0, begin + seconds * number / count - time.monotonic()))
            start = time.perf_counter()
            connection.request("GET", "/v1/slots/masthead?location=Remer,MN", headers=READER)
            response = connection.getresponse()
            response.read()
            times.append(time.perf_counter() - start)
            assert response.status == 200
    finally:
        connection.close()
    return times
