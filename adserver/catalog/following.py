"""Publishes a campaigns folder whenever it is saved, for `adserver serve --watch`."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from adserver.catalog.documents import Documents
from adserver.catalog.merging import Extent
from adserver.catalog.publish import Publisher
from adserver.domain.errors import AdserverError, IdTaken, InputRefused, StaleBase, StoreUnavailable

FOLDER_AUTHOR: Final = "campaigns folder"
"""Who published a revision that came from the folder by itself: at the first start, or by a save."""

Look = tuple[tuple[str, int, int], ...]
"""(name, modified in nanoseconds, bytes) of each file."""


class FolderFollower:
    """Follows one folder, one short step at a time. For one thread.

    What came from elsewhere (the API, another host) is never overwritten: as long as such a revision is live that
    differs from the folder, it says so and publishes nothing.
    """

    def __init__(self, folder: Path, publisher: Publisher, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._publisher = publisher
        self._say = say
        self._looked: Look | None = None
        self._settled: Look | None = None
        self._agreed_revision: int | None = None
        """The live revision when it and the folder last said the same; None: not looked yet."""
        self._head = -1
        self._complaint: str | None = None
        """Why nothing can be looked at or published, as it was last said; None: all is well."""

    def step(self) -> None:
        """Publish the folder if it was saved since the last step and has settled. Never raises for what is in it.

        What keeps the folder from being published is said once, until it is something else.
        """
        looked = look_at(self._folder)
        if looked != self._looked:  # an editor may still be at it
            self._looked = looked
            return
        try:
            self._step(looked)
        except StaleBase:
            return  # the next step looks again
        except AdserverError as error:
            self._complain(f"{self._folder}/ is not published: {error}")
        else:
            self._complaint = None

    def _step(self, looked: Look) -> None:
        head = self._publisher.live().revision
        if looked == self._settled and head == self._head:
            return
        try:
            self._follow(saved=looked != self._settled)
            head = self._publisher.live().revision
        except (InputRefused, IdTaken) as error:
            for fault in error.faults:
                self._say(str(fault))
            self._say(f"{_counted(len(error.faults), 'fault')} in {self._folder}/; revision {head} goes on")
        self._settled, self._head = looked, head

    def _complain(self, line: str) -> None:
        if line != self._complaint:
            self._complaint = line
            self._say(line)

    def _follow(self, *, saved: bool) -> None:
        documents = self._publisher.read_folder(self._folder)
        planned = self._publisher.publish(documents, extent=Extent.FOLDER, author=FOLDER_AUTHOR, dry_run=True)
        if not planned.plan:
            self._agreed_revision = planned.base
        elif planned.base in (0, self._agreed_revision) or self._is_folders(planned.base):
            self._publish(documents, planned.base, len(planned.plan))
        elif saved or planned.base != self._head:
            self._say(
                f"revision {planned.base} came from {self._author(planned.base)}, not from {self._folder}/, which "
                f"differs ({_counted(len(planned.plan), 'change')}) and is not published: adserver plan, adserver push"
            )

    def _publish(self, documents: Documents, base: int, changes: int) -> None:
        published = self._publisher.publish(
            documents, extent=Extent.FOLDER, author=FOLDER_AUTHOR, message="saved", base=base
        )
        self._agreed_revision = published.revision
        self._say(f"{self._folder}/ is published as revision {published.revision} ({_counted(changes, 'change')})")

    def _is_folders(self, revision: int) -> bool:
        return self._author(revision) == FOLDER_AUTHOR

    def _author(self, revision: int) -> str:
        return next((entry.author for entry in self._publisher.history() if entry.number == revision), "elsewhere")


class LateFirstPublication:
    """Publishes a folder as revision 1 when the store answers only after the service has started. For one thread."""

    def __init__(self, folder: Path, publisher: Publisher, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._publisher = publisher
        self._say = say
        self._said: str | None = None

    def step(self) -> None:
        """Publish, if nothing ever was; a fault of the folder is said once. Never raises for what is in it."""
        try:
            published = self._publisher.first_publish(self._publisher.read_folder(self._folder), author=FOLDER_AUTHOR)
        except StoreUnavailable:
            return
        except AdserverError as error:
            if str(error) != self._said:
                self._said = str(error)
                self._say(f"{self._folder}/ is not published: {error}")
            return
        if published is not None:
            self._say(f"{self._folder}/ is published as revision {published.revision}")


def describe_difference(folder: Path, publisher: Publisher) -> str | None:
    """Return a line that says how a folder differs from what is live, or None where it does not.

    Raises:
        InputRefused: the folder has faults.
        StoreUnavailable: what is live cannot be told.
    """
    planned = publisher.publish(publisher.read_folder(folder), extent=Extent.FOLDER, author=FOLDER_AUTHOR, dry_run=True)
    if not planned.plan:
        return None
    changes = _counted(len(planned.plan), "change")
    return f"{folder}/ differs from revision {planned.base} ({changes}): adserver plan, adserver push"


def look_at(folder: Path) -> Look:
    """Return what tells whether a file of the folder was saved; empty where it cannot be read."""
    try:
        stats = [(path.name, path.stat()) for path in folder.iterdir()]
    except OSError:
        return ()
    return tuple(sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
