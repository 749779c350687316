"""Which catalog was live at a moment: the present one, or an earlier revision compiled anew."""

import threading
from datetime import datetime
from typing import Protocol

from adserver.catalog.build import build_catalog
from adserver.catalog.build_targeting import PlaceFinder
from adserver.catalog.revisions import RevisionUnreadable
from adserver.catalog.store import RevisionStore
from adserver.decision.snapshot import Snapshot
from adserver.domain.errors import AdserverError, InputRefused


class NothingLive(AdserverError):
    """Nothing was published at that moment, or its revision is no longer kept."""


class LiveCatalog(Protocol):
    """What is live in this process."""

    def current(self) -> Snapshot | None:
        """Return the live snapshot; None: nothing was published yet."""
        ...


class Moments:
    """Finds the snapshot of a moment. Shared by all threads; remembers one past revision, swapped by one assignment."""

    def __init__(self, live: LiveCatalog, store: RevisionStore, gazetteer: PlaceFinder) -> None:
        """Take what is live, where revisions are kept, and what places are resolved by."""
        self._live = live
        self._store = store
        self._gazetteer = gazetteer
        self._past: Snapshot | None = None
        self._one_at_a_time = threading.Lock()

    def now(self) -> Snapshot:
        """Return the live snapshot.

        Raises:
            NothingLive: nothing was published yet.
        """
        snapshot = self._live.current()
        if snapshot is None:
            raise NothingLive("nothing is published yet; publish the slots and campaigns first (adserver push)")
        return snapshot

    def at(self, moment: datetime) -> tuple[Snapshot, ...]:
        """Return the snapshot that was live at a past moment, then the one before it, if there was one.

        Around a moment of publishing a worker may still have decided by the one before.

        Raises:
            NothingLive: nothing was published by then.
            StoreUnavailable: the store does not answer.
            RevisionUnreadable: a newer version wrote the revision.
        """
        numbers = [entry.number for entry in self._store.history() if entry.at <= moment][:2]
        if not numbers:
            raise NothingLive("nothing was published yet at that time")
        return tuple(map(self._numbered, numbers))

    def _numbered(self, number: int) -> Snapshot:
        live = self.now()
        if live.revision == number:
            return live
        with self._one_at_a_time:
            past = self._past
            if past is None or past.revision != number:
                past = self._past = self._compiled(number, live.shards)
        return past

    def _compiled(self, number: int, shards: int) -> Snapshot:
        revision = self._store.get(number)
        if revision is None:
            raise NothingLive(f"revision {number} is no longer kept")
        try:
            catalog = build_catalog(revision.documents, self._gazetteer)
        except InputRefused as error:
            raise RevisionUnreadable(f"revision {number} cannot be read: {error}") from error
        return Snapshot.build(catalog, number, shards=shards)
