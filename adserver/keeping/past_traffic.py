"""How the traffic of slots ran in the last weeks: read now and then, beside the keeper's work."""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from adserver.decision.traffic import UNIFORM, WEEK_HOURS, WeekCurve
from adserver.domain.errors import AdserverError
from adserver.domain.ids import SlotId

PAST_FAULT: Final = "pacing.past_unread"
"""Log event: the past traffic could not be read; goals go on along the plan of before."""

_LOG: Final = logging.getLogger(__name__)
_FRESH_SECONDS: Final = 3600.0
_RETRY_SECONDS: Final = 60.0

SlotHours = Mapping[SlotId, Mapping[int, int]]
"""Decisions of each slot, by hour since 1970."""


class PastTraffic:
    """The curves of slots. `poll` by one thread, which never waits: a thread of its own reads."""

    def __init__(self, read: Callable[[], tuple[SlotHours, range]]) -> None:
        """Take what reads decisions by slot and hour, and which hours those are; it may raise `AdserverError`."""
        self._read = read
        self._hours: SlotHours = {}
        self._watched = range(0)
        self._next = 0.0
        self._thread: threading.Thread | None = None
        self.version = 0
        """Rises when there is another past."""

    def poll(self, now: float) -> None:
        """Have the past read again if that was an hour ago; `now` is monotonic seconds."""
        if now < self._next or (self._thread is not None and self._thread.is_alive()):
            return
        self._next = now + _RETRY_SECONDS
        self._thread = threading.Thread(target=self._run, args=(now,), name="past-traffic", daemon=True)
        self._thread.start()

    def curve(self, slots: Iterable[SlotId] | None) -> WeekCurve:
        """Return the shape of the traffic of these slots together, or of all; uniform where nothing is known."""
        hours = self._hours
        chosen = hours if slots is None else [slot for slot in slots if slot in hours]
        total: dict[int, int] = {}
        for slot in chosen:
            for hour, count in hours[slot].items():
                total[hour] = total.get(hour, 0) + count
        first = min(total, default=self._watched.stop)
        watched = range(max(first, self._watched.stop - 4 * WEEK_HOURS), self._watched.stop)
        return WeekCurve.of_past(total, watched) or UNIFORM

    def _run(self, asked: float) -> None:
        try:
            self._hours, self._watched = self._read()
        except AdserverError as error:
            _LOG.warning(PAST_FAULT, extra={"fault": str(error)})
        else:
            self.version += 1
            self._next = asked + _FRESH_SECONDS
