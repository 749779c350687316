"""Which fills of late were seen: what tells how many of what was granted are still pending."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

import numpy as np

from adserver.counting.records import RecordKind
from adserver.decision.pacing import HELD_PERIODS, KNOWN_PERIODS, PERIOD_SECONDS
from adserver.domain.ids import IdHash
from adserver.keeping.record_table import RecordTable

_FLIGHT: Final = slice(19, 25)
_FLIGHT_BYTES: Final = _FLIGHT.stop - _FLIGHT.start


class ViewLog:
    """Views by flight and period of issue, as this host's keeper counts them. For the keeper's one thread.

    A view that a replay or a reader's reload brings twice is taken twice: what is pending is then taken for less. That
    nothing passes a goal is not held here, but where it is counted.
    """

    def __init__(self) -> None:
        self._seen: dict[int, Counter[IdHash]] = {}
        self._late: Counter[IdHash] = Counter()

    def note(self, table: RecordTable, shard: int) -> None:
        """Take what a shard has just counted of some records."""
        columns = table.columns
        views = table.good & (columns["kind"] == RecordKind.SEEN) & (columns["reason"] == 0)
        views &= columns["shard"] == shard
        if not views.any():
            return
        flights = np.zeros((int(np.count_nonzero(views)), 8), np.uint8)
        flights[:, 2:] = table.raw[views, _FLIGHT]
        issued = columns["issued"][views].astype(np.int64) // PERIOD_SECONDS
        # The second of acceptance stands at bytes 46 to 49.
        accepted = table.raw[views, 46:50].copy().view(">u4").ravel().astype(np.int64) // PERIOD_SECONDS
        late = accepted - issued > HELD_PERIODS
        rows = np.column_stack((flights.view(">u8").ravel().astype(np.int64), np.where(late, -1, issued)))
        found, counts = np.unique(rows, axis=0, return_counts=True)
        for (flight, period), count in zip(found.tolist(), counts.tolist(), strict=True):
            hash_ = IdHash(flight.to_bytes(_FLIGHT_BYTES, "big"))
            if period < 0:
                self._late[hash_] += count
            else:
                self._seen.setdefault(period, Counter())[hash_] += count

    def forget(self, now: float) -> None:
        """Let go of what is too old to be pending; `now` is Unix time."""
        for old in [period for period in self._seen if period < now // PERIOD_SECONDS - KNOWN_PERIODS]:
            del self._seen[old]

    @property
    def seen(self) -> Mapping[int, Mapping[IdHash, int]]:
        """Views within the time for which a fill is pending, by period of issue."""
        return self._seen

    @property
    def late(self) -> Mapping[IdHash, int]:
        """Views after it, ever."""
        return self._late
