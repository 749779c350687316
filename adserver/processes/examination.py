"""Gathers the facts of a set-up for `doctor`. It changes nothing, and asks each thing once."""

import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, cast

import redis
from redis.exceptions import NoPermissionError, RedisError

from adserver.alerts.book_file import read_book
from adserver.catalog.compiled import CompiledUnreadable, read_compiled
from adserver.catalog.file_names import COMPILED_NAME
from adserver.config import SETTINGS
from adserver.counting.cells import SHARDS_KEY, shard_tag
from adserver.counting.drops import dropped_events
from adserver.counting.worker_sums import read_worker_sums
from adserver.domain.errors import StoreUnavailable
from adserver.keeping.cached_embeds_file import read_cached_embeds
from adserver.keeping.keeper_state import read_keeper_state
from adserver.processes.data_dir import ADMIN_TOKEN_FILE, SECRET_KEYS_FILE, SERVICE_LOCK_FILE
from adserver.processes.facts import FolderFacts, RedisFacts, ServerFacts, ServiceFacts
from adserver.processes.keeper_process import KEEPER_LOCK_NAME
from adserver.processes.orphans import holders
from adserver.store.link import RedisLink

_SETTING_PREFIX: Final = "ADSERVER_"
_MADE_PREFIXES: Final = ("ADSERVER_PORT", "ADSERVER_SERVICE_")
_MOUNTS: Final = Path("/proc/mounts")
_SPOOL_DROPS: Final = "spool:"
"""Drops of the disk stand in Redis too; the spools' own say it sooner."""


def examine_environ(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names that begin like settings and are none, but for those that Kubernetes makes for a service."""
    known = {setting.name for setting in SETTINGS}
    return tuple(
        name
        for name in sorted(environ)
        if name.startswith(_SETTING_PREFIX) and name not in known and not name.startswith(_MADE_PREFIXES)
    )


def examine_folder(folder: Path) -> FolderFacts | None:
    """Return what there is to say of a data folder; None: there is none."""
    if not folder.is_dir():
        return None
    try:
        mounts = _MOUNTS.read_text(errors="surrogateescape")
    except OSError:
        mounts = ""
    writable = os.access(folder, os.W_OK | os.X_OK)
    return FolderFacts(
        path=str(folder),
        writable=writable,
        filesystem=filesystem_of(folder.resolve(), mounts),
        free_bytes=_free_bytes(folder),
        keeps_locks=_keeps_locks(folder) if writable else None,
        open_to_others=_open_to_others(folder),
    )


def filesystem_of(path: Path, mounts: str) -> str | None:
    """Return the type of the file system that holds `path`, from the text of /proc/mounts; None: not told."""
    best: tuple[int, str] | None = None
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(_unescaped(fields[1]))
        if path.is_relative_to(point) and (best is None or len(point.parts) >= best[0]):  # a later mount lies on top
            best = (len(point.parts), fields[2])
    return best[1] if best else None


def examine_service(folder: Path, spools: Path, worker_sums: Path) -> ServiceFacts:
    """Return how the service on a data folder stands."""
    workers = read_worker_sums(worker_sums)
    fault, published, shards = _examine_snapshot(folder / COMPILED_NAME)
    return ServiceFacts(
        running=any(worker.alive for worker in workers) or bool(holders(folder / SERVICE_LOCK_FILE)),
        keepers=_keepers(folder),
        keeper=read_keeper_state(folder),
        snapshot=fault,
        published=published,
        shards=shards,
        dropped_events=dropped_events(spools),
        cached_embeds=read_cached_embeds(folder),
        untrusted_proxies=sum(worker.sums.untrusted_proxies for worker in workers),
        alerts=read_book(folder),
    )


def examine_redis(link: RedisLink) -> RedisFacts:
    """Return what the store says.

    Raises:
        StoreUnavailable: it does not answer.
    """
    try:
        return _examine_redis(link)
    except RedisError as error:
        raise StoreUnavailable(str(error)) from error


def _examine_redis(link: RedisLink) -> RedisFacts:
    answering: list[ServerFacts] = []
    faults: dict[str, RedisError] = {}
    for name, server in link.servers():
        try:
            answering.append(_examine_server(name, server))
        except RedisError as error:
            faults[name] = error
    if not answering:
        raise next(iter(faults.values()))
    stored = cast("bytes | None", link.client.get(SHARDS_KEY))
    shards = link.new_shards if stored is None else int(stored)
    tags = [shard_tag(shard) for shard in range(shards)]
    return RedisFacts(
        servers=tuple(answering),
        silent=tuple(faults),
        shards=shards,
        drops=_drops(link.client, tags),
        gap_bytes=_gap_bytes(link.client, tags),
    )


def _examine_server(name: str, server: redis.Redis) -> ServerFacts:
    before = time.time()
    seconds, microseconds = server.time()
    here = (before + time.time()) / 2
    info = _info(server)
    aof = info.get("aof_enabled")
    policy = info.get("maxmemory_policy")
    return ServerFacts(
        name=name,
        version=str(info.get("valkey_version") or info.get("redis_version") or ""),
        eviction_policy=None if policy is None else str(policy),
        maxmemory_bytes=_number(info, "maxmemory"),
        used_bytes=_number(info, "used_memory"),
        aof=None if aof is None else bool(aof),
        aof_failing=info.get("aof_last_write_status", "ok") != "ok",
        replica=not name and info.get("role", "master") != "master",
        clock_ahead_seconds=seconds + microseconds / 1e6 - here,
    )


def _info(client: redis.Redis) -> dict[str, object]:
    try:
        return cast("dict[str, object]", client.info())
    except NoPermissionError:
        return {}


def _number(info: dict[str, object], name: str) -> int:
    value = info.get(name, 0)
    return value if isinstance(value, int) else 0


def _drops(client: redis.Redis, tags: Sequence[str]) -> dict[str, int]:
    drops: dict[str, int] = {}
    for tag in tags:
        stored = cast("dict[bytes, bytes]", client.hgetall(f"{tag}drops"))
        for cause, count in stored.items():
            name = cause.decode()
            if not name.startswith(_SPOOL_DROPS):
                drops[name] = drops.get(name, 0) + int(count)
    return drops


def _gap_bytes(client: redis.Redis, tags: Sequence[str]) -> int:
    """Return how much of the spools was gone before it was counted; fields are `spool:from`, values `to`."""
    gaps = (cast("dict[bytes, bytes]", client.hgetall(f"{tag}gap")) for tag in tags)
    return sum(int(end) - int(field.rpartition(b":")[2]) for stored in gaps for field, end in stored.items())


def _keepers(folder: Path) -> tuple[int, ...] | None:
    if not Path("/proc/self/fd").exists():
        return None
    return tuple(sorted(holders(folder / KEEPER_LOCK_NAME)))


def _examine_snapshot(path: Path) -> tuple[str | None, bool, int | None]:
    """Return what is wrong with the compiled catalog, whether there is one, and N in it."""
    try:
        return None, True, read_compiled(path).shards
    except FileNotFoundError:
        return None, False, None
    except CompiledUnreadable as error:
        return str(error), True, None
    except OSError as error:
        return error.strerror or str(error), True, None


def _free_bytes(folder: Path) -> int | None:
    try:
        status = os.statvfs(folder)
    except OSError:
        return None
    return status.f_bavail * status.f_frsize


def _keeps_locks(folder: Path) -> bool | None:
    """Hold a lock on a file of no use by one descriptor, and try by another."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix="doctor-") as held, Path(held.name).open("rb") as other:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            try:
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False
    except OSError:
        return None


def _open_to_others(folder: Path) -> tuple[str, ...]:
    open_ = []
    for path in (folder / ADMIN_TOKEN_FILE, folder / SECRET_KEYS_FILE):
        try:
            mode = path.stat().st_mode
        except OSError:
            continue
        if stat.S_IMODE(mode) & 0o077:
            open_.append(str(path))
    return tuple(open_)


def _unescaped(text: str) -> str:
    """Undo /proc/mounts' octal escapes of blanks and backslashes."""
    for escape, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(escape, character)
    return text
