"""The publication of the campaigns folder at the start of a service, and what is said of it."""

from collections.abc import Callable

from adserver.catalog.redis_store import RedisRevisionStore
from adserver.catalog.revisions import RevisionUnreadable
from adserver.config import Settings
from adserver.domain.errors import AdserverError, StoreUnavailable
from adserver.keeping.eviction import refuse_eviction
from adserver.runtime.redis_client import open_redis


class FirstPublication:
    """One start's. For one thread."""

    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        """Take the service's settings, and what shows a line to the operator."""
        self._settings = settings
        self._say = say

    def run(self, *, watch: bool) -> None:
        """Publish the folder where nothing is live; else say how it differs, but not where it is followed (`watch`).

        Raises:
            InputRefused: nothing is published yet, and the folder has faults.
            RedisEvicts: the store may throw counts away.
        """
        try:
            link = open_redis(self._settings)
            refuse_eviction(link.writers)
            is_first = RedisRevisionStore(link.client).head().number == 0
            if is_first or not watch:
                self._compare(is_first=is_first)
        except StoreUnavailable as error:
            self._say(f"Redis is away, so nothing new is published: {error}")
        except RevisionUnreadable as error:  # what this host has compiled goes on
            self._say(f"nothing new is published: {error}")

    def _compare(self, *, is_first: bool) -> None:
        # What reads campaign files takes as long to import as all the rest of a start that does not read them.
        from adserver.catalog.following import FOLDER_AUTHOR, describe_difference  # noqa: PLC0415
        from adserver.runtime.publishing import open_publisher  # noqa: PLC0415

        publisher, folder = open_publisher(self._settings), self._settings.campaigns_dir
        if is_first:
            published = publisher.first_publish(publisher.read_folder(folder), author=FOLDER_AUTHOR)
            if published is not None:
                self._say(f"{folder}/ is published as revision {published.revision}")
        else:
            self._say_if_any(lambda: describe_difference(folder, publisher))

    def _say_if_any(self, describe: Callable[[], str | None]) -> None:
        try:
            line = describe()
        except AdserverError as error:
            line = f"the campaigns folder was not compared with what is live: {error}"
        if line is not None:
            self._say(line)
