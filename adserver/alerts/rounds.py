"""The rounds of alerts on one host: look once a minute, remember, have sent what is new."""

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from adserver.alerts.book import NO_BOOK, Book, due, settle, turn
from adserver.alerts.book_file import read_book, write_book
from adserver.alerts.courier import Courier
from adserver.alerts.host_file import HostFile
from adserver.alerts.judging import find_alerts
from adserver.alerts.marks import note
from adserver.alerts.sight import Sight
from adserver.alerts.store import BookStore
from adserver.alerts.way import Way
from adserver.domain.errors import StoreUnavailable

LOOK_SECONDS: Final = 60.0
"""How often it looks."""
LEASE_SECONDS: Final = 150.0
"""For so long after its last look a host is the one that sends; then another may be."""
STEP_SECONDS: Final = 1.0
_RETRY_SECONDS: Final = 1.0

ALERT_BEGAN: Final = "alerts.began"
"""Log event: an alert is on; with its id."""
ALERT_ENDED: Final = "alerts.ended"
"""Log event: an alert is over; with its id."""
UNSENT: Final = "alerts.unsent"
"""Log event: notices could not be sent one way; they are tried again. With the way, and why."""
UNWRITABLE: Final = "alerts.unwritable"
"""Log event: what is remembered of alerts cannot be written; the disk may be full."""
ROUND_FAULT: Final = "alerts.round_fault"
"""Log event: a round failed in a way that nobody thought of; the next goes on."""

_LOG: Final = logging.getLogger(__name__)


class AlertRounds:
    """Steps once a second. `begin` and `stop` by any thread; all else belongs to the daemon thread that it starts."""

    def __init__(
        self, folder: Path, store: BookStore, sight: Sight, ways: Sequence[Way], clock: Callable[[], float]
    ) -> None:
        """Take the data folder, what hosts agree by, what is seen, the ways out, and what tells Unix time."""
        self._folder = folder
        self._store = store
        self._sight = sight
        self.woken: Final = threading.Event()
        """Set when something was sent, or not: what became of it is noted at once, so that an end of the process
        between the two, after which it is sent once more, is unlikely."""
        self._couriers = tuple(Courier(way, clock, self.woken.set) for way in ways)
        self._clock = clock
        self._host = HostFile(folder)
        self._book = read_book(folder)
        self._leads = False
        self._fails = False
        self._next = 0.0
        self._stopped = threading.Event()

    def begin(self) -> None:
        """Start the thread that steps, for as long as the process lives."""
        threading.Thread(target=self._run, name="alerts", daemon=True).start()

    def stop(self) -> None:
        """End the thread after its present step; for tests, as its process ends it otherwise."""
        self._stopped.set()
        self.woken.set()

    def step(self, now: float) -> None:
        """Take what became of what was sent, look if it is time, and have sent what is due; `now` is Unix time."""
        self._settle(now)
        if not self._next - LOOK_SECONDS <= now < self._next:
            looked = self._look(now)
            self._next = now + (LOOK_SECONDS if looked else _RETRY_SECONDS)
        self._hand(now)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self.woken.wait(STEP_SECONDS)
            self.woken.clear()
            try:
                self.step(self._clock())
            except Exception:  # noqa: BLE001 - one bad round must not end alerts
                _LOG.exception(ROUND_FAULT)

    def _look(self, now: float) -> bool:
        """Return whether it was one: else what there is to see is not whole, or the store does not answer."""
        if not self._sight.look(now):
            return False
        self._remember(now)
        try:
            leads = self._store.lead(self._host.host, LEASE_SECONDS)
            if not leads:
                self._follow(self._store.read() or NO_BOOK)
                return True
            if not self._leads:
                self._book = max(self._store.read() or NO_BOOK, self._book, key=lambda book: book.changed)
                self._leads = True
        except StoreUnavailable:
            return False
        self._turn(now)
        return True

    def _turn(self, now: float) -> None:
        alerts, unlisted = find_alerts(self._sight.scene(now, self._book, self._host.marks))
        before = self._book.held
        ways = [courier.name for courier in self._couriers]
        self._book = turn(self._book, alerts, now, ways, self._sight.losses, unlisted)
        for id_ in sorted(self._book.held - before):
            _LOG.info(ALERT_BEGAN, extra={"alert": id_})
        for id_ in sorted(before - self._book.held):
            _LOG.info(ALERT_ENDED, extra={"alert": id_})
        self._save()

    def _follow(self, book: Book) -> None:
        """Show what another host found."""
        self._leads = False
        if book != self._book:
            self._book = book
            self._write()

    def _settle(self, now: float) -> None:
        settled = False
        for courier in self._couriers:
            delivery = courier.take()
            if delivery is None:
                continue
            if delivery.fault:
                _LOG.warning(UNSENT, extra={"way": courier.name, "fault": delivery.fault})
            if self._leads:  # else it is another host's business, which may send it once more
                self._book = settle(self._book, courier.name, delivery.outcomes, now)
                settled = True
        if settled:
            self._save()

    def _hand(self, now: float) -> None:
        if not self._leads:
            return
        for courier in self._couriers:
            if courier.is_idle and (notices := due(self._book, courier.name, now, courier.most)):
                courier.hand(notices)

    def _remember(self, now: float) -> None:
        try:
            self._host.keep(note(self._host.marks, self._sight.delivered(), now))
        except OSError as error:
            self._report(error)

    def _save(self) -> None:
        """Write the book for this host and for the others; where the store is away, the next look does."""
        self._write()
        try:
            self._store.write(self._book)
        except StoreUnavailable:
            return

    def _write(self) -> None:
        try:
            write_book(self._folder, self._book)
        except OSError as error:
            self._report(error)
        else:
            self._fails = False

    def _report(self, error: OSError) -> None:
        if not self._fails:
            _LOG.error(UNWRITABLE, extra={"fault": error.strerror})
        self._fails = True
