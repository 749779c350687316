"""Readers that each see one sponsor line, from a few threads, until told to stop."""

import http.client
import itertools
import threading
from collections.abc import Sequence

from service import Service

_THINK_SECONDS = 0.01
"""Between two visits: the processors are those of what is tested, too."""


class Load:
    """Asks for a fragment and a decision, and sends the decision's beacon, over and over. Shared under a lock."""

    def __init__(self, service: Service, threads: int = 4, slots: Sequence[str] = ("masthead",)) -> None:
        """Take who answers, how many read at once, and the slots that they read in turn."""
        self._service = service
        self._slots = itertools.cycle(slots)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._read) for _ in range(threads)]
        self.answered = 0
        """Beacons."""
        self.sent = 0
        """Beacons too; one that got no answer may have been written all the same."""
        self.decided = 0
        """Fragments and decisions that were answered."""
        self.statuses: set[int] = set()
        self.failures: list[str] = []
        """What befell the calls that got no answer."""

    def start(self) -> None:
        """Send the readers."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let each reader finish, and call them back."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def await_answers(self, more: int) -> None:
        """Wait until so many more beacons were answered."""
        target = self.answered + more
        Service.await_that(lambda: self.answered >= target)

    def _read(self) -> None:
        while not self._stop.wait(_THINK_SECONDS):
            try:
                slot = next(self._slots)
                status, _, _ = self._service.call(f"/v1/slots/{slot}.html?location=Remer,MN")
                self._note(status, decided=1)
                token = self._service.decide(slot)["token"]
                self._note(200, decided=1, sent=1)
                status, _, _ = self._service.call(f"/v1/seen/{token}.gif")
                self._note(status, answered=int(status == 200))
            except (OSError, http.client.HTTPException) as failure:
                with self._lock:
                    self.failures.append(repr(failure))

    def _note(self, status: int, *, decided: int = 0, sent: int = 0, answered: int = 0) -> None:
        with self._lock:
            self.statuses.add(status)
            self.decided += decided
            self.sent += sent
            self.answered += answered
