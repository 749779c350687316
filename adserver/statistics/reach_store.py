"""The port to how many readers a flight had on a day, and its twin in memory."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from adserver.domain.ids import IdHash


@dataclass(frozen=True, slots=True)
class StoredReach:
    """One flight's readers on one day. Immutable."""

    flight: IdHash
    day: int
    """Of the site, since 1970."""
    readers: int
    """As a sketch tells them: within 1 % or so."""


class ReachStore(Protocol):
    """Reads reach. Fails closed: an answer is whole, or `StoreUnavailable` is raised."""

    def read(self, days: range, wanted: Callable[[IdHash], bool]) -> Iterable[StoredReach]:
        """Yield the readers of each wanted flight on each of the days that it had any, once.

        Raises:
            StoreUnavailable: the store did not answer in time.
        """


@dataclass(slots=True)
class MemoryReachStore:
    """Reach in a list, for tests of what stands on the port. One thread."""

    stored: list[StoredReach] = field(default_factory=list)

    def read(self, days: range, wanted: Callable[[IdHash], bool]) -> Iterator[StoredReach]:
        """Yield what is asked for."""
        for each in self.stored:
            if each.day in days and wanted(each.flight):
                yield each
