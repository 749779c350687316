"""One reader's ledger through one call: what it says, and what it says afterwards."""

from collections.abc import Iterable, Mapping

from adserver.decision.paces import NOBODY, Shown, after_fill
from adserver.decision.snapshot import Snapshot
from adserver.domain.decisions import Decision, Fill
from adserver.domain.ids import FlightId
from adserver.domain.ledger import LedgerCodec


class ReaderLedger:
    """What a reader was shown of flights with a cap a reader. One thread, one call; nothing of it is kept."""

    def __init__(self, codec: LedgerCodec, text: str | None) -> None:
        """Take what the page sent; None: it has none."""
        self._codec = codec
        self._text = text
        self._shown: Mapping[FlightId, Shown] = NOBODY
        self.answer: str | None = None
        """What the page is to send with its next call; None: nothing was shown that is counted."""

    def read(self, snapshot: Snapshot, second: int) -> Mapping[FlightId, Shown]:
        """Return how often the reader was shown each flight of a catalog; `second` is Unix time."""
        if self._text:
            visit, page = self._codec.decode(self._text, second)
            named = {hash_: snapshot.flight_by_hash(hash_) for hash_ in (*visit, *page)}
            self._shown = {
                flight: Shown(visit.get(hash_, 0), page.get(hash_, 0))
                for hash_, flight in named.items()
                if flight is not None
            }
        return self._shown

    def note(self, decisions: Iterable[Decision], snapshot: Snapshot, second: int) -> None:
        """Take what the call shows."""
        shown = self._shown
        for decision in decisions:
            if isinstance(decision, Fill):
                shown = after_fill(shown, decision.flight)
        if shown:
            hashes = snapshot.hashes.flights
            visit = {hashes[flight]: times.visit for flight, times in shown.items()}
            page = {hashes[flight]: times.page for flight, times in shown.items() if times.page}
            self.answer = self._codec.encode(visit, page, second)
