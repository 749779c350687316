"""Takes an upload to a new revision: whole, or not at all."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from adserver.catalog.build import build_catalog
from adserver.catalog.build_targeting import PlaceFinder
from adserver.catalog.documents import Documents, JsonObject
from adserver.catalog.effects import Effect, Present, list_effects
from adserver.catalog.folder import check_folder, read_file
from adserver.catalog.merging import Extent, Within, refuse_taken, settled_documents, trial_documents
from adserver.catalog.naming import add_names
from adserver.catalog.plan import Plan, make_plan
from adserver.catalog.revisions import NO_HEAD, Entry, Head, Revision, RevisionUnreadable, to_milliseconds
from adserver.catalog.served import ServedRevisions
from adserver.catalog.store import RevisionStore
from adserver.domain.catalog import Catalog
from adserver.domain.errors import InputRefused, StaleBase, StoreUnavailable
from adserver.domain.ids import FlightId

CatalogOf = Callable[[Head], Catalog | None]
"""Returns a revision's catalog where this process has it built already; else None."""

_ATTEMPTS: Final = 20


Delivered = Callable[[], Mapping[FlightId, int]]
"""Returns net impressions of flights, as far as they are known."""


def nothing_known() -> Mapping[FlightId, int]:
    """Know of no flight what it has delivered."""
    return {}


def none_at_hand(_head: Head) -> None:
    """Have no catalog built: what a process says that serves none."""


@dataclass(frozen=True, slots=True)
class Live:
    """What is live: its head and its documents, empty ones where nothing was published. Immutable."""

    head: Head
    documents: Documents

    @property
    def revision(self) -> int:
        """The number of the live revision; 0: nothing was published."""
        return self.head.number


@dataclass(frozen=True, slots=True)
class Published:
    """What became of an upload. Immutable."""

    base: int
    """The revision that it was compared with; 0: none."""
    revision: int | None
    """The revision that is live now, `base` itself where nothing changed; None after a dry run."""
    plan: Plan
    effects: tuple[Effect, ...] = ()
    """What the plan does to delivery; empty, too, where what is live cannot be read."""

    def plan_json(self) -> JsonObject:
        """Return the plan with its effects, as the API shows them."""
        return {**self.plan.to_json(), "effects": [effect.to_json() for effect in self.effects]}


@dataclass(frozen=True, slots=True)
class _Why:
    """Who publishes, and what for. Immutable."""

    author: str
    message: str


_LayOver = Callable[[Documents], tuple[Documents, Documents]]
"""Takes what is live; returns what is to be checked, files called as faults name them, and the same as it is kept."""


class Publisher:
    """Publishes what people send. Shared by all threads; two that publish at once are told apart by the store.

    What it remembers of the live revision is swapped by one assignment.
    """

    def __init__(
        self,
        store: RevisionStore,
        gazetteer: PlaceFinder,
        clock: Callable[[], datetime],
        served: ServedRevisions | None = None,
        catalog_of: CatalogOf = none_at_hand,
        delivered: Delivered = nothing_known,
    ) -> None:
        """Take what it works with.

        Args:
            store: where revisions are kept.
            gazetteer: what places are resolved by.
            clock: the present, aware UTC.
            served: what this host has served, put back first where the store has lost it; None: no host is served.
            catalog_of: the catalogs that need not be built.
            delivered: net impressions of flights, to say what a plan does; called by one thread at a time.
        """
        self._store = store
        self._gazetteer = gazetteer
        self._clock = clock
        self._served = served
        self._catalog_of = catalog_of
        self._delivered = delivered
        self._live = Live(NO_HEAD, Documents())
        self._one_at_a_time = threading.Lock()
        self._built: tuple[Head, Catalog] = (NO_HEAD, Catalog())

    def live(self) -> Live:
        """Return what is live.

        Raises:
            StoreUnavailable: the store does not answer.
            ServedUnreadable: it has lost what was live, and this host's copy of that cannot be read.
        """
        head = self._store.head() if self._served is None else self._served.settle(self._store)
        live = self._live
        if live.head != head:
            live = self._live = Live(head, self._documents(head))
        return live

    def catalog(self, live: Live) -> Catalog:
        """Return what is live as it is served.

        Raises:
            RevisionUnreadable: a newer version published it.
        """
        served = self._catalog_of(live.head)
        if served is not None:
            return served
        head, catalog = self._built
        if head != live.head:
            try:
                catalog = build_catalog(live.documents, self._gazetteer)
            except InputRefused as error:
                raise RevisionUnreadable(f"revision {live.revision} cannot be read: {error}") from error
            self._built = (live.head, catalog)
        return catalog

    def history(self) -> tuple[Entry, ...]:
        """Return who published what and when, newest first.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        return self._store.history()

    def publish(
        self,
        upload: Documents,
        *,
        extent: Extent,
        author: str,
        message: str = "",
        base: int | None = None,
        dry_run: bool = False,
        within: Within = None,
    ) -> Published:
        """Lay an upload over what is live and make that the next revision, if anything changes.

        Args:
            upload: files as they were read.
            extent: how much of what is live it speaks for.
            author: who publishes.
            message: why.
            base: the revision that the sender looked at; None: whichever is live.
            dry_run: only say what would change.
            within: the advertisers that the sender may speak for; what is others' stays. None: all.

        Raises:
            InputRefused: the whole would have faults; all are listed.
            IdTaken: an id belongs to a campaign that stays.
            StaleBase: `base` is not live, or is no longer.
            StoreUnavailable: the store does not answer. Sending again is safe.
            ServedUnreadable: it has lost what was live, and this host's copy of that cannot be read.
        """

        def lay_over(live: Documents) -> tuple[Documents, Documents]:
            refuse_taken(live, upload, extent, within)
            return trial_documents(live, upload, extent, within), settled_documents(live, upload, extent, within)

        return self._publish(lay_over, _Why(author, message), base, dry_run=dry_run)

    def revise(
        self,
        edit: Callable[[Documents], Documents],
        *,
        author: str,
        message: str = "",
        base: int | None = None,
        dry_run: bool = False,
    ) -> Published:
        """Make what is live, changed by `edit`, the next revision, if anything changes.

        Args:
            edit: takes what is live and returns what would be; may be called more than once, and may raise.
            author: who does it.
            message: why.
            base: the revision that the sender looked at; None: whichever is live.
            dry_run: only say what would change.

        Raises:
            InputRefused, StaleBase, StoreUnavailable, ServedUnreadable: as of `publish`.
        """

        def lay_over(live: Documents) -> tuple[Documents, Documents]:
            settled = edit(live)
            return settled, settled

        return self._publish(lay_over, _Why(author, message), base, dry_run=dry_run)

    def revision(self, number: int) -> Revision | None:
        """Return a revision, or None where there is none of that number.

        Raises:
            RevisionUnreadable: it is damaged, or a newer version wrote it.
            StoreUnavailable: the store does not answer.
        """
        return self._store.get(number)

    def _publish(self, lay_over: _LayOver, why: _Why, base: int | None, *, dry_run: bool) -> Published:
        with self._one_at_a_time:  # those of other processes are told apart by the store
            for _ in range(_ATTEMPTS):
                live = self.live()
                if base is not None and base != live.revision:
                    raise StaleBase(base, live.revision)
                try:
                    return self._publish_over(live, lay_over, why, dry_run=dry_run)
                except StaleBase:
                    if base is not None:
                        raise
        raise StoreUnavailable("others publish faster than this could be laid over what they published; send it again")

    def read_folder(self, folder: Path) -> Documents:
        """Return the documents of a folder that can be published as they are.

        Raises:
            InputRefused: with every fault of every file.
        """
        return check_folder(folder, self._gazetteer)

    def read_files(self, path: Path) -> tuple[Documents, Extent]:
        """Return the documents of a folder, or of one file, and how much of what is live they speak for.

        Raises:
            InputRefused: with every fault of every file; of one file those that it has taken alone.
        """
        return (self.read_folder(path), Extent.FOLDER) if path.is_dir() else (read_file(path), Extent.NAMED)

    def first_publish(self, folder: Documents, *, author: str, message: str = "first start") -> Published | None:
        """Publish a folder as the first revision, only where there is none in the store nor in the data folder.

        Returns None where there is one.

        Raises:
            InputRefused: the folder has faults; all are listed.
            StoreUnavailable: the store does not answer.
            ServedUnreadable: the data folder's revision cannot be read, which is no reason to begin anew at 1.
        """
        if self.live().head != NO_HEAD:
            return None
        try:
            return self.publish(folder, extent=Extent.FOLDER, author=author, message=message, base=0)
        except StaleBase:  # another host was first
            return None

    def _documents(self, head: Head) -> Documents:
        if head == NO_HEAD:
            return Documents()
        revision = self._store.get(head.number)
        if revision is None:
            raise RevisionUnreadable(f"revision {head.number} is live, but the store does not hold it")
        return revision.documents

    def _publish_over(self, live: Live, lay_over: _LayOver, why: _Why, *, dry_run: bool) -> Published:
        trial, settled = lay_over(live.documents)
        catalog = build_catalog(trial, self._gazetteer)
        base, newest = live.revision, self._newest(live)
        plan = make_plan(live.documents if base else None, settled)
        if base == newest and base and not plan:
            return Published(base, None if dry_run else base, plan)
        now = to_milliseconds(self._clock())
        effects = self._effects(plan, live, catalog, now)
        names = add_names(self._store.name_fields(), catalog, int(now.timestamp()))
        if dry_run:
            return Published(base, None, plan, effects)
        revision = Revision(Entry(newest + 1, why.author, now, why.message, plan), settled)
        self._store.commit(live.head, revision, names)
        return Published(base, revision.number, plan, effects)

    def _effects(self, plan: Plan, live: Live, after: Catalog, now: datetime) -> tuple[Effect, ...]:
        try:
            before = self.catalog(live) if live.revision else Catalog()
        except RevisionUnreadable:  # what it ran is not known, what the new one says is
            return ()
        return list_effects(plan, before, after, Present(now, self._delivered()))

    def _newest(self, live: Live) -> int:
        """Return the highest number given so far: the store may have forgotten one that this host has served."""
        return live.revision if self._served is None else max(live.revision, self._served.newest())
