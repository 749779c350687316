"""The port to sampled reasons, and its twin in memory."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from adserver.counting.reason_cells import Looks, ReasonCell
from adserver.domain.ids import IdHash


class SampledReasons(Protocol):
    """Reads what stopped a flight. Fails closed: an answer is whole, or `StoreUnavailable` is raised."""

    def read(self, flight: IdHash, day: int) -> Iterable[tuple[ReasonCell, Looks]]:
        """Yield the cells of a flight on a day of the site since 1970.

        Raises:
            StoreUnavailable: the store did not answer in time.
        """


@dataclass(slots=True)
class MemoryReasons:
    """Reasons in a dictionary by day, for tests of what stands on the port. One thread."""

    stored: dict[int, dict[ReasonCell, Looks]] = field(default_factory=dict)

    def read(self, flight: IdHash, day: int) -> Iterator[tuple[ReasonCell, Looks]]:
        """Yield what is asked for."""
        for cell, looks in self.stored.get(day, {}).items():
            if cell.flight == flight:
                yield cell, looks
