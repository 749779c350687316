"""What was answered and is in no count: declared, so that numbers can say what they lack."""

from collections.abc import Mapping
from typing import Final

import msgspec

DROPS_PART: Final = "drops"
GAPS_PART: Final = "gap"
"""What follows a shard's tag in the keys of two hashes: cause -> events, and `spool:from` -> to."""

_UNWRITTEN: Final = "spool:"


class Losses(msgspec.Struct, frozen=True):
    """Of all time, of all hosts that count into one Redis. Immutable."""

    gaps: int = 0
    """Ranges of spools that were gone before they were counted; `adserver audit --repair` fills them from archives."""
    late: int = 0
    """Events that came to the counts when what would tell duplicates had been forgotten."""
    corrupt: int = 0
    """Records that were damaged on disk."""
    unwritten: int = 0
    """Events that the disk did not take."""

    @property
    def by_cause(self) -> Mapping[str, int]:
        """The number of events by cause; how many a gap held, nobody knows."""
        return {"late": self.late, "corrupt": self.corrupt, "unwritten": self.unwritten}

    def plus(self, drops: Mapping[bytes, bytes], gaps: int) -> "Losses":
        """Return these and a shard's: its hash of drops, and how many gaps it has."""
        late, corrupt, unwritten = self.late, self.corrupt, self.unwritten
        for cause, events in drops.items():
            late += int(events) if cause == b"late" else 0
            corrupt += int(events) if cause == b"corrupt" else 0
            unwritten += int(events) if cause.startswith(_UNWRITTEN.encode()) else 0
        return Losses(self.gaps + gaps, late, corrupt, unwritten)


NO_LOSSES: Final = Losses()
