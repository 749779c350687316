"""Where revisions are kept: the port, its twin in memory, and what is done with it."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Protocol

from adserver.catalog.naming import unite_names
from adserver.catalog.revisions import NO_HEAD, Entry, Head, Revision
from adserver.domain.errors import StaleBase, StoreUnavailable

HISTORY_LIMIT: Final = 1000
"""How many entries of the history are read at most, the newest."""

_RESTORE_ATTEMPTS: Final = 5


class RevisionStore(Protocol):
    """Every revision, which one is live, and the names of all that ever was. Shared by all threads. Fails closed."""

    def head(self) -> Head:
        """Return which revision is live; `NO_HEAD`: none was published.

        Raises:
            StoreUnavailable: the store does not answer in time. So every method.
        """
        ...

    def get(self, number: int) -> Revision | None:
        """Return a revision, or None where the store has none of that number.

        Raises:
            RevisionUnreadable: it is damaged, or a newer version wrote it.
        """
        ...

    def history(self, limit: int = HISTORY_LIMIT) -> tuple[Entry, ...]:
        """Return the newest entries, newest first."""
        ...

    def name_fields(self) -> dict[str, str]:
        """Return the fields of the names' hash, see `names`."""
        ...

    def commit(self, base: Head, revision: Revision | None, names: Mapping[str, str]) -> None:
        """Make a revision live and write fields of names, all at once, if the head still is `base`.

        Args:
            base: the head that the change was made for.
            revision: numbered above `base`; None: only names are written, the head stays.
            names: fields to set.

        Raises:
            StaleBase: the head is another; nothing was written.
            ValueError: the number is not above that of `base`.
        """
        ...


class MemoryRevisionStore:
    """The store of a test or a dry run: gone with its process. Shared by all threads, under one lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._head = NO_HEAD
        self._revisions: dict[int, Revision] = {}
        self._names: dict[str, str] = {}

    def head(self) -> Head:
        """Return which revision is live."""
        return self._head

    def get(self, number: int) -> Revision | None:
        """Return a revision, or None."""
        return self._revisions.get(number)

    def history(self, limit: int = HISTORY_LIMIT) -> tuple[Entry, ...]:
        """Return the newest entries, newest first."""
        with self._lock:
            numbers = sorted(self._revisions, reverse=True)[:limit]
            return tuple(self._revisions[number].entry for number in numbers)

    def name_fields(self) -> dict[str, str]:
        """Return the fields of the names' hash."""
        with self._lock:
            return dict(self._names)

    def commit(self, base: Head, revision: Revision | None, names: Mapping[str, str]) -> None:
        """Make a revision live and write names, if the head still is `base`."""
        check_number(base, revision)
        with self._lock:
            if self._head != base:
                raise StaleBase(base.number, self._head.number)
            self._names.update(names)
            if revision is not None:
                stored = replace(revision, documents=replace(revision.documents, positions={}))
                self._revisions[revision.number] = stored
                self._head = revision.head


def check_number(base: Head, revision: Revision | None) -> None:
    """Refuse a revision that would not rise above its base.

    Raises:
        ValueError: it would not.
    """
    if revision is not None and revision.number <= base.number:
        raise ValueError(f"revision {revision.number} does not follow revision {base.number}")


def restore(store: RevisionStore, revision: Revision, names: Mapping[str, str]) -> bool:
    """Give a store that is behind (or empty) a revision back under its own number, and names that it lost.

    The highest revision wins, so a store that is as far or further keeps its own; names are united in any case.
    Returns whether anything was written. Numbers go on above the one restored.

    Raises:
        StoreUnavailable: the store does not answer, or changes under every attempt.
    """
    for _ in range(_RESTORE_ATTEMPTS):
        head = store.head()
        lost = unite_names(store.name_fields(), names)
        behind = head.number < revision.number
        if not behind and not lost:
            return False
        try:
            store.commit(head, revision if behind else None, lost)
        except StaleBase:
            continue
        return True
    raise StoreUnavailable("revisions are being published faster than an older one can be put back; try again")
