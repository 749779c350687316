"""Where the hosts of one service agree on alerts: one of them looks and sends, and all show the same."""

from dataclasses import dataclass, field
from typing import Protocol

from adserver.alerts.book import Book


class BookStore(Protocol):
    """Keeps the book for all hosts. Fails closed: a host that cannot ask sends nothing new."""

    def lead(self, host: str, seconds: float) -> bool:
        """Return whether this host is the one that looks and sends; it is for so long, unless it asks again.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def read(self) -> Book | None:
        """Return the book as last written; None: there is none.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...

    def write(self, book: Book) -> None:
        """Replace the book.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        ...


@dataclass(slots=True)
class MemoryBookStore:
    """A `BookStore` of one process, for tests of what stands on the port. One thread."""

    book: Book | None = None
    leader: str = ""
    clock: list[float] = field(default_factory=lambda: [0.0])
    until: float = 0.0

    def lead(self, host: str, seconds: float) -> bool:
        """Return whether this host leads."""
        if self.leader not in ("", host) and self.clock[0] < self.until:
            return False
        self.leader, self.until = host, self.clock[0] + seconds
        return True

    def read(self) -> Book | None:
        """Return the book."""
        return self.book

    def write(self, book: Book) -> None:
        """Replace it."""
        self.book = book
