"""The port to the cells, and its twin in memory."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from adserver.counting.cells import Family, Field, parse_member
from adserver.counting.coarser import rolled_blocks
from adserver.domain.errors import AdserverError
from adserver.domain.ids import IdHash


@dataclass(frozen=True, slots=True)
class Member:
    """What a cell is of, beside its time and variant; None for what its family does not keep. Immutable."""

    flight: IdHash
    slot: IdHash
    creative: IdHash | None = None
    place: IdHash | None = None
    topic: IdHash | None = None

    @classmethod
    def parse(cls, family: Family, text: str) -> "Member":
        """Read an entry of a family's index."""
        parts = parse_member(text)
        match family:
            case Family.HOURS:
                flight, creative, slot = parts
                return cls(flight, slot, creative=creative)
            case Family.PLACES:
                flight, creative, slot, place = parts
                return cls(flight, slot, creative=creative, place=place)
            case Family.TOPICS:
                flight, slot, topic = parts
                return cls(flight, slot, topic=topic)


@dataclass(frozen=True, slots=True)
class StoredCell:
    """One stored count. Immutable."""

    member: Member
    block: int
    field: Field
    count: int
    rolled: bool = False
    """Whether its time is that of its family's `rolled`, to which it was moved."""


class CellsMoved(AdserverError):
    """Cells were moved to coarser times while they were read: what was read may hold one twice, or not at all."""

    def __init__(self) -> None:
        super().__init__("old counts were moved while they were read; ask again")


class CellStore(Protocol):
    """Reads cells. Fails closed: an answer is whole, or `StoreUnavailable` is raised."""

    def read(self, family: Family, blocks: range, wanted: Callable[[Member], bool]) -> Iterable[StoredCell]:
        """Yield every count of a family within `blocks` whose member is wanted, in any order.

        The same cell may come several times, from several shards: the caller adds up. What was moved to a coarser time
        comes as well, with a little from beside `blocks`.

        Raises:
            StoreUnavailable: the store did not answer in time.
            CellsMoved: what was yielded is of no use; read it again.
        """

    def oldest(self, family: Family) -> int | None:
        """Return the first day of the site, since 1970, of which nothing of a family was moved; None: nothing was.

        Raises:
            StoreUnavailable: the store did not answer in time.
        """


class MemoryCellStore:
    """Cells in a list, for tests of what stands on the port. One thread."""

    def __init__(self) -> None:
        self.cells: list[tuple[Family, StoredCell]] = []
        self.oldest_days: dict[Family, int] = {}

    def read(self, family: Family, blocks: range, wanted: Callable[[Member], bool]) -> Iterator[StoredCell]:
        """Yield the cells asked for."""
        coarser = rolled_blocks(family, blocks)
        for of, cell in self.cells:
            if of is family and cell.block in (coarser if cell.rolled else blocks) and wanted(cell.member):
                yield cell

    def oldest(self, family: Family) -> int | None:
        """Return the first day of which nothing was moved."""
        return self.oldest_days.get(family)
