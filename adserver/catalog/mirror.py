"""Keeps this host's copy of the live revision: compiled for the workers, and whole, for Redis to have back."""

import logging
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from adserver.catalog.backup import Backup, RevisionBackup
from adserver.catalog.build import build_catalog
from adserver.catalog.build_campaign import PlaceFinder
from adserver.catalog.compiled import COMPILED_NAME, Compiled, CompiledUnreadable, read_compiled, write_compiled
from adserver.catalog.retiring import lately_live, retire, still_retired
from adserver.catalog.revisions import NO_HEAD, Head, RevisionUnreadable
from adserver.catalog.store import RevisionStore, restore
from adserver.domain.catalog import Catalog, RetiredCreative
from adserver.domain.errors import AdserverError, StoreUnavailable

FOLLOWED: Final = "catalog.followed"
"""Log event: a revision was compiled; workers serve it from now on."""
PUT_BACK: Final = "catalog.put_back"
"""Log event: Redis had lost the data folder's revision, or names, and has them again."""
STORE_AWAY: Final = "catalog.store_away"
"""Log event: Redis does not answer; what was compiled goes on."""
NOT_FOLLOWED: Final = "catalog.not_followed"
"""Log event: a revision or a file cannot be read or written; what was compiled goes on."""

_LOG: Final = logging.getLogger(__name__)
_NOTHING: Final = Compiled(0, Catalog())


class StoreState(StrEnum):
    """Whether the last step found the store."""

    ANSWERS = "answers"
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class MirrorState:
    """What the last step came to, for `/readyz` and `doctor`. Immutable."""

    revision: int = 0
    """What workers are served; 0: nothing."""
    store: StoreState = StoreState.AWAY
    fault: str | None = None
    """Why the copy may not be the live revision, worded for the operator."""


@dataclass(frozen=True, slots=True)
class _Draft:
    """A revision made ready, not yet on disk. Immutable."""

    backup: Backup
    compiled: Compiled


class CatalogMirror:
    """Follows the store, one short step at a time. One thread: the keeper's; `state` may be read by any."""

    def __init__(self, store: RevisionStore, gazetteer: PlaceFinder, data_dir: Path) -> None:
        self._store = store
        self._gazetteer = gazetteer
        self._path = data_dir / COMPILED_NAME
        self._backup = RevisionBackup(data_dir)
        self._loaded = False
        self._kept: Backup | None = None
        self._compiled = _NOTHING
        self._draft: _Draft | None = None
        self._refused: tuple[Head, AdserverError] | None = None
        self._state = MirrorState()

    @property
    def state(self) -> MirrorState:
        """What the last step came to."""
        return self._state

    def step(self, now: datetime) -> int:
        """Follow the store if it has another revision, or give it back what it lost; return the revision served.

        Never raises for a store or a disk that fails: what is there goes on, `state` says why, and the next step
        tries again. `now` is aware UTC.
        """
        store, fault = StoreState.ANSWERS, None
        try:
            self._load(now)
            self._follow(now)
        except StoreUnavailable as error:
            store, fault = StoreState.AWAY, str(error)
        except (AdserverError, OSError) as error:
            fault = str(error)
        self._report(MirrorState(self._compiled.revision, store, fault))
        return self._compiled.revision

    def _report(self, state: MirrorState) -> None:
        """Log what is new about the state, once."""
        if state.fault is not None and (state.store, state.fault) != (self._state.store, self._state.fault):
            away = state.store is StoreState.AWAY
            _LOG.warning(STORE_AWAY if away else NOT_FOLLOWED, extra={"fault": state.fault})
        self._state = state

    def _load(self, now: datetime) -> None:
        """Take up the data folder, once, and compile its revision anew: another version may have compiled it."""
        if self._loaded:
            return
        try:
            self._compiled = read_compiled(self._path)
        except FileNotFoundError:
            pass
        except CompiledUnreadable as error:
            _LOG.warning(NOT_FOLLOWED, extra={"fault": str(error)})
        self._loaded = True
        try:
            self._kept = self._backup.read()
            if self._kept is not None:
                revision, old = self._kept.revision, self._compiled
                catalog = build_catalog(revision.documents, self._gazetteer)
                retired = still_retired(retire(old.retired, old.catalog, catalog, now), now)
                self._serve(Compiled(revision.number, catalog, retired, revision.head.digest))
        except (AdserverError, OSError) as error:  # the store may have better
            _LOG.warning(NOT_FOLLOWED, extra={"fault": str(error)})

    def _follow(self, now: datetime) -> None:
        """Bring store and data folder to the same revision, the highest."""
        head = self._store.head()
        if self._kept is not None and head.number < self._kept.revision.number:
            self._put_back(self._kept)
            head = self._store.head()
        if head in (NO_HEAD, self._compiled.head):
            return
        if self._refused is not None and self._refused[0] == head:
            raise self._refused[1]
        if self._draft is None or self._draft.compiled.head != head:
            self._draft = self._make_draft(head, now)
        self._backup.write(self._draft.backup)
        self._kept = self._draft.backup
        self._serve(self._draft.compiled)
        self._draft = None

    def _make_draft(self, head: Head, now: datetime) -> _Draft:
        """Fetch and compile the live revision; one that cannot be is not tried again, for it will not get better."""
        if self._kept is not None:
            self._put_back(self._kept)  # names only: the store may have lost a revision that this host has served
        try:
            revision = self._store.get(head.number)
            if revision is None:
                raise RevisionUnreadable(f"revision {head.number} is live, but the store does not hold it")
            catalog = build_catalog(revision.documents, self._gazetteer)
        except StoreUnavailable:
            raise
        except AdserverError as error:
            self._refused = (head, error)
            raise
        compiled = Compiled(head.number, catalog, self._retired_at(head, catalog, now), head.digest)
        return _Draft(Backup(revision, self._store.name_fields()), compiled)

    def _retired_at(self, head: Head, catalog: Catalog, now: datetime) -> tuple[RetiredCreative, ...]:
        """Derive the retired creatives from the store's history, on from what this host has compiled."""
        old = self._compiled
        known = old is not _NOTHING and self._holds(old.head)
        retired, before = old.retired, old.catalog
        lost_at = None if known else now  # what only this host knew of is gone from now on
        for entry in lately_live(self._store.history(), now):
            if entry.number > head.number or (known and entry.number <= old.revision):
                continue
            after = catalog if entry.number == head.number else self._catalog_of(entry.number)
            if after is not None:
                retired = retire(retired, before, after, lost_at or entry.at)
                before, lost_at = after, None
        return still_retired(retired, now)

    def _holds(self, head: Head) -> bool:
        """Tell whether the store holds exactly this revision."""
        revision = self._store.get(head.number)
        return revision is not None and revision.head == head

    def _catalog_of(self, number: int) -> Catalog | None:
        """Return an earlier revision's catalog, or None where this version cannot read it."""
        try:
            revision = self._store.get(number)
            return build_catalog(revision.documents, self._gazetteer) if revision is not None else None
        except StoreUnavailable:
            raise
        except AdserverError as error:
            _LOG.warning(NOT_FOLLOWED, extra={"fault": f"revision {number}: {error}"})
            return None

    def _put_back(self, kept: Backup) -> None:
        if restore(self._store, kept.revision, kept.names):
            _LOG.warning(PUT_BACK, extra={"revision": kept.revision.number})

    def _serve(self, compiled: Compiled) -> None:
        if compiled != self._compiled:
            write_compiled(self._path, compiled)
            self._compiled = compiled
            _LOG.info(FOLLOWED, extra={"revision": compiled.revision})
