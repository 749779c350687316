"""The book of alerts in the data folder: for `/metrics`, the API, the console, and a store that lost its copy."""

from pathlib import Path
from typing import Final

import msgspec

from adserver.alerts.book import BOOK_VERSION, NO_BOOK, Book

ALERTS_NAME: Final = "alerts.json"


class BookWatch:
    """The book as workers see it, read again when it was replaced. Shared by all threads: one assignment swaps it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / ALERTS_NAME
        self._seen: tuple[tuple[int, int], Book] | None = None

    def current(self) -> Book:
        """Return what the keeper last wrote; an empty one where it never did, or it cannot be read."""
        try:
            stat = self._path.stat()
        except OSError:
            return NO_BOOK
        file, seen = (stat.st_ino, stat.st_mtime_ns), self._seen
        if seen is None or seen[0] != file:
            seen = self._seen = (file, read_book(self._path.parent))
        return seen[1]


def write_book(folder: Path, book: Book) -> None:
    """Write it whole; what waits to be sent stands in it, so that a restart sends neither twice nor nothing.

    Raises:
        OSError: the disk refuses.
    """
    draft = folder / f"{ALERTS_NAME}.draft"
    draft.write_bytes(encode_book(book))
    draft.replace(folder / ALERTS_NAME)


def read_book(folder: Path) -> Book:
    """Return what the keeper last wrote; an empty one where it never did, or it cannot be read."""
    try:
        data = (folder / ALERTS_NAME).read_bytes()
    except OSError:
        return NO_BOOK
    return decode_book(data) or NO_BOOK


def encode_book(book: Book) -> bytes:
    """Return a book as bytes."""
    return msgspec.json.encode(book)


def decode_book(data: bytes) -> Book | None:
    """Return the book that bytes hold; None where they hold none of this version."""
    try:
        book = msgspec.json.decode(data, type=Book)
    except msgspec.DecodeError:
        return None
    return book if book.version == BOOK_VERSION else None
