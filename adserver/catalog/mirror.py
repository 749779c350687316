"""Keeps this host's copy of the live revision: compiled for the workers, and whole, for Redis to have back."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from adserver.catalog.backup import Backup, RevisionBackup
from adserver.catalog.build import build_catalog
from adserver.catalog.build_targeting import PlaceFinder
from adserver.catalog.compiled import Compiled, CompiledUnreadable, NotServable, read_compiled, write_compiled
from adserver.catalog.file_names import COMPILED_NAME
from adserver.catalog.retiring import lately_live, retire, still_retired
from adserver.catalog.revisions import NO_HEAD, Head, Revision, RevisionUnreadable
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

AgreeOnShards = Callable[[int | None], int]
"""Takes N of this data folder (None: it has none yet) and returns that of the store, fixed if need be.

Raises StoreUnavailable, or an AdserverError where the two differ: then nothing of the store is served here.
"""

_LOG: Final = logging.getLogger(__name__)
_CLOCKS_DIFFER: Final = timedelta(days=1)
"""What ended so long ago is asked for by no request, whatever is done to the clock."""
_NOTHING: Final = Compiled(0, Catalog())


class StoreBehind(AdserverError):
    """The store fell behind what this host has served, and no copy is left to put back."""

    def __init__(self, live: int, served: int) -> None:
        super().__init__(
            f"Redis has revision {live} only; this host has served revision {served} and goes on with it, until "
            f"someone publishes, which gives revision {served + 1}: adserver plan, adserver push"
        )


@dataclass(frozen=True, slots=True)
class _Draft:
    """A revision made ready, not yet on disk. Immutable."""

    backup: Backup
    compiled: Compiled


class CatalogMirror:
    """Follows the store, one short step at a time. For one thread: the keeper's."""

    def __init__(
        self, store: RevisionStore, gazetteer: PlaceFinder, data_dir: Path, agree_on_shards: AgreeOnShards
    ) -> None:
        """Take the store, what resolves places, the data folder, and what says into how many shards counts are cut."""
        self._store = store
        self._agree_on_shards = agree_on_shards
        self._shards: int | None = None
        self._agreed = False
        self._gazetteer = gazetteer
        self._path = data_dir / COMPILED_NAME
        self._backup = RevisionBackup(data_dir)
        self._looked = False
        """The compiled file was taken up."""
        self._loaded = False
        """The copy was, too."""
        self._kept: Backup | None = None
        self._compiled = _NOTHING
        self._is_written = False
        self._draft: _Draft | None = None
        self._refused: tuple[Head, AdserverError] | None = None
        self._fault = ""
        self._is_away = False

    @property
    def shards(self) -> int | None:
        """N of this data folder, which its spools are cut by; None: nothing was ever served from it."""
        return self._shards

    @property
    def fault(self) -> str:
        """Why the last step could not bring what is live to this host, for the operator; empty: it is here.

        Empty too while Redis is away, which is no fault of the catalog.
        """
        return self._fault

    def step(self, now: datetime) -> int:
        """Follow the store if it has another revision, or give it back what it lost; return the revision served.

        Never raises for a store or a disk that fails: what is there goes on, `fault` says why, and the next step
        tries again. `now` is aware UTC.
        """
        try:
            self._load(now)
            self._follow(now)
        except StoreUnavailable as error:
            self._report(str(error), is_away=True)
        except (AdserverError, OSError) as error:
            self._report(str(error), is_away=False)
        else:
            self._fault, self._is_away = "", False
        return self._compiled.revision

    def _report(self, fault: str, *, is_away: bool) -> None:
        """Keep what is wrong, and log it if it is new."""
        if is_away and not self._is_away:
            _LOG.warning(STORE_AWAY, extra={"fault": fault})
        elif not is_away and fault != self._fault:
            _LOG.warning(NOT_FOLLOWED, extra={"fault": fault})
        self._fault, self._is_away = "" if is_away else fault, is_away

    def _load(self, now: datetime) -> None:
        """Take up the data folder, once, and compile its revision anew: another version may have compiled it.

        Raises:
            OSError: the disk refuses; what it holds is not overwritten unread, so the next step tries again.
        """
        if self._loaded:
            return
        if not self._looked:
            with _logged(CompiledUnreadable), suppress(FileNotFoundError):
                self._compiled = read_compiled(self._path)
                self._shards = self._compiled.shards
            self._looked = True
        with _logged(AdserverError):  # damaged: that will not get better, and the store may have better
            self._kept = self._backup.read()
        self._loaded = True
        if self._kept is not None and self._shards is None:
            self._shards = self._kept.shards
        if self._kept is not None and self._kept.revision.number >= self._compiled.revision:
            with _logged(AdserverError, OSError):
                self._serve(self._compile(self._kept.revision, now), now)

    def _compile(self, revision: Revision, now: datetime) -> Compiled:
        old = self._compiled
        catalog = build_catalog(revision.documents, self._gazetteer)
        retired = still_retired(retire(old.retired, old.catalog, catalog, now), now)
        return Compiled(revision.number, catalog, retired, revision.head.digest, self._known_shards())

    def _follow(self, now: datetime) -> None:
        """Bring store and data folder to the same revision, the highest."""
        if not self._agreed:
            self._shards = self._agree_on_shards(self._shards)
            self._agreed = True
        head = self._store.head()
        if self._kept is not None and head.number < self._kept.revision.number:
            self._put_back(self._kept)
            head = self._store.head()
        if head == NO_HEAD or (head == self._compiled.head and self._kept is not None):
            return
        if head.number < self._compiled.revision:
            raise StoreBehind(head.number, self._compiled.revision)
        if self._refused is not None and self._refused[0] == head:
            raise self._refused[1]
        if self._draft is None or self._draft.compiled.head != head:
            self._draft = self._make_draft(head, now)
        self._backup.write(self._draft.backup)
        self._kept = self._draft.backup
        self._serve(self._draft.compiled, now)
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
        shards = self._known_shards()
        compiled = Compiled(head.number, catalog, self._retired_at(head, catalog, now), head.digest, shards)
        return _Draft(Backup(revision, self._store.name_fields(), shards), compiled)

    def _known_shards(self) -> int:
        """Return N, which is agreed on, or was kept, before anything is compiled."""
        return self._shards or 1

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

    def _serve(self, compiled: Compiled, now: datetime) -> None:
        """Write what workers serve, if it is new; and once a start, for another version may have written it."""
        if compiled == self._compiled and self._is_written:
            return
        try:
            write_compiled(self._path, compiled, now - _CLOCKS_DIFFER)
        except NotServable as error:
            self._refused = (compiled.head, error)
            raise
        self._is_written = True
        self._compiled = compiled
        _LOG.info(FOLLOWED, extra={"revision": compiled.revision})


@contextmanager
def _logged(*errors: type[Exception]) -> Iterator[None]:
    """Log what is wrong with the data folder's files, and go on."""
    try:
        yield
    except errors as error:
        _LOG.warning(NOT_FOLLOWED, extra={"fault": str(error)})
