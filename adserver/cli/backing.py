"""What stands behind the workers of a host, however these are served: embedded Redis, keeper, the first publication."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from adserver.catalog.following import FOLDER_AUTHOR, describe_difference
from adserver.catalog.revisions import RevisionUnreadable
from adserver.config import Settings
from adserver.domain.errors import AdserverError, StoreUnavailable
from adserver.keeping.eviction import refuse_eviction
from adserver.processes.children import ChildSpec
from adserver.processes.embedded_redis import EmbeddedRedis
from adserver.processes.keeper_process import keeper_spec
from adserver.processes.redis_binary import find_redis_binary
from adserver.runtime.publishing import open_publisher
from adserver.runtime.redis_client import open_redis


def backing_specs(
    settings: Settings, data_dir: Path, env: Mapping[str, str], before_keeper: Callable[[], None]
) -> list[ChildSpec]:
    """Return the children in the order of their start; `before_keeper` is called when Redis is up.

    Raises:
        NoRedisServer: there is no Redis to embed, and none is set.
        SettingRefused: the embedded Redis cannot live in the data folder.
        LockStuck: one of an earlier service does not end.
    """
    specs: list[ChildSpec] = []
    if settings.redis_url is None:
        embedded = EmbeddedRedis.of(data_dir)
        embedded.prepare()
        specs.append(embedded.spec(find_redis_binary()))
    return [*specs, replace(keeper_spec(data_dir, env), before_first_start=before_keeper)]


def publish_first(settings: Settings, say: Callable[[str], None], *, watch: bool) -> None:
    """Publish the folder at the very first start; at a later one say how it differs from what is live.

    Args:
        settings: of the service.
        say: shows a line to the operator.
        watch: the folder is followed, so differences need no word.

    Raises:
        InputRefused: nothing is published yet, and the folder has faults.
        RedisEvicts: the store may throw counts away.
    """
    try:
        refuse_eviction(open_redis(settings))
        publisher = open_publisher(settings)
        if publisher.live().revision == 0:
            published = publisher.first_publish(publisher.read_folder(settings.campaigns_dir), author=FOLDER_AUTHOR)
            if published is not None:
                say(f"{settings.campaigns_dir}/ is published as revision {published.revision}")
        elif not watch:
            _say_if_any(lambda: describe_difference(settings.campaigns_dir, publisher), say)
    except StoreUnavailable as error:
        say(f"Redis is away, so nothing new is published: {error}")
    except RevisionUnreadable as error:  # what this host has compiled goes on
        say(f"nothing new is published: {error}")


def _say_if_any(describe: Callable[[], str | None], say: Callable[[str], None]) -> None:
    try:
        line = describe()
    except AdserverError as error:
        line = f"the campaigns folder was not compared with what is live: {error}"
    if line is not None:
        say(line)
