"""What stands behind the workers of a host, however these are served: embedded Redis, keeper, the first publication."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from adserver.config import Settings
from adserver.processes.children import ChildSpec
from adserver.processes.embedded_redis import EmbeddedRedis
from adserver.processes.keeper_child import keeper_spec
from adserver.processes.redis_binary import find_redis_binary


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
    # Half a second of imports, during which the server and the workers start already.
    from adserver.cli.first_publication import FirstPublication  # noqa: PLC0415

    FirstPublication(settings, say).run(watch=watch)
