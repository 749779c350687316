"""What may be wrong with the data folder, its disk and the settings. Pure."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final

from adserver.config import SETTINGS
from adserver.processes.facts import Facts
from adserver.processes.findings import Finding, Severity

_MUCH_ALIKE: Final = 0.85
"""All names begin alike."""

LITTLE_ROOM_BYTES: Final = 1 << 30
NO_ROOM_BYTES: Final = 100 << 20

OLD_READER_PLACES_SECONDS: Final = 180 * 86_400
"""Providers move a few percent of the addresses to other towns in that time."""

NETWORK_FILESYSTEMS: Final = frozenset(
    {
        *("9p", "afs", "beegfs", "ceph", "cifs", "coda", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4"),
        *("ocfs2", "pvfs2", "smb2", "smb3", "smbfs", "vboxsf", "virtiofs"),
        *("fuse.ceph", "fuse.gcsfuse", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"),
    }
)
"""Where locks, renames and synced bytes are another machine's to keep, or not."""

MEMORY_FILESYSTEMS: Final = frozenset({"ramfs", "tmpfs"})


def check_folder(facts: Facts) -> Iterator[Finding]:
    """Find what is wrong with the data folder itself."""
    folder = facts.folder
    if folder is None:
        yield Finding("data_dir_missing", Severity.INFO, "there is no data folder yet", "adserver serve makes it")
        return
    if not folder.writable:
        yield Finding(
            "data_dir_readonly",
            Severity.ERROR,
            f"{folder.path} cannot be written by this user: every event is dropped",
            "give the folder to the service's user, and run doctor as that user",
        )
    if folder.keeps_locks is False:
        yield Finding(
            "data_dir_locks",
            Severity.ERROR,
            f"{folder.path} is on a file system that does not keep locks: two services could count the same events",
            "set ADSERVER_DATA_DIR to a folder on a local disk",
        )
    if folder.open_to_others:
        yield Finding(
            "secrets_readable",
            Severity.ERROR,
            f"others than the owner may read {', '.join(folder.open_to_others)}",
            f"chmod go-rwx {' '.join(folder.open_to_others)}; if others did, remove admin-token, then start again",
        )


def check_disk(facts: Facts) -> Iterator[Finding]:
    """Find what is wrong with the disk under the data folder."""
    folder = facts.folder
    if folder is None:
        return
    if folder.filesystem in NETWORK_FILESYSTEMS:
        yield Finding(
            "data_dir_network",
            Severity.ERROR,
            f"{folder.path} is on a network disk ({folder.filesystem}): an event may be lost, or a page wait for it",
            "set ADSERVER_DATA_DIR to a folder on a local disk; one host, one folder",
        )
    if folder.filesystem in MEMORY_FILESYSTEMS:
        yield Finding(
            "data_dir_memory",
            Severity.WARNING,
            f"{folder.path} is kept in memory ({folder.filesystem}): a restart of the host loses all that is in it",
            "set ADSERVER_DATA_DIR to a folder on a local disk",
        )
    if folder.free_bytes is not None and folder.free_bytes < LITTLE_ROOM_BYTES:
        none = folder.free_bytes < NO_ROOM_BYTES
        yield Finding(
            "disk_space",
            Severity.ERROR if none else Severity.WARNING,
            f"{folder.free_bytes >> 20} MiB are left on the data folder's disk; a full one drops events",
            "make room, or move the data folder to a larger disk",
        )


def check_settings(facts: Facts) -> Iterator[Finding]:
    """Find what is unset, or does not fit what came in."""
    if not facts.public_url:
        yield Finding(
            "public_url_unset",
            Severity.WARNING,
            "links and beacons name the host of each request, which a proxy may have changed",
            "set ADSERVER_PUBLIC_URL to the address that readers' browsers reach",
        )
    for name in facts.unknown_settings:
        like = get_close_matches(name, [setting.name for setting in SETTINGS], 1, _MUCH_ALIKE)
        yield Finding(
            "setting_unknown",
            Severity.WARNING,
            f"{name} is set, and there is no such setting",
            f"name it {like[0]}, or unset it" if like else "unset it; docs/settings.md lists all settings",
        )
    if facts.remote_redis and not facts.encrypted_redis:
        yield Finding(
            "redis_plain",
            Severity.INFO,
            "the way to Redis is not encrypted",
            "where others share the network, use rediss:// in ADSERVER_REDIS_URL",
        )
    if facts.service.untrusted_proxies:
        named = "that ADSERVER_TRUSTED_PROXIES does not name" if facts.trusted_proxies else "and none is trusted"
        yield Finding(
            "proxies_untrusted",
            Severity.WARNING,
            f"{facts.service.untrusted_proxies} requests came with X-Forwarded-For from an address near by, {named}: "
            "readers' networks and https are not seen",
            "set ADSERVER_TRUSTED_PROXIES to your proxy's address, such as 127.0.0.1 or 10.0.0.0/8",
        )
    if facts.campaigns is not None:
        yield Finding(
            "campaigns_differ",
            Severity.WARNING,
            facts.campaigns,
            "adserver plan shows the changes, adserver push publishes them",
        )


def check_reader_places(facts: Facts) -> Iterator[Finding]:
    """Find what is wrong with the file that tells where readers are."""
    file = facts.reader_places
    if file is None:
        return
    if file.fault is not None:
        yield Finding(
            "geoip_unreadable",
            Severity.ERROR,
            f"ADSERVER_GEOIP_DB: {file.fault}; pages that name no place have none",
            "put a file in MaxMind's format there, with towns in it, that the service's user may read; then kill -HUP",
        )
    elif facts.now - file.built > OLD_READER_PLACES_SECONDS:
        yield Finding(
            "geoip_old",
            Severity.WARNING,
            f"the file of ADSERVER_GEOIP_DB was made {int(facts.now - file.built) // 86_400} days ago",
            "fetch a newer one, move it into place whole, then kill -HUP the service",
        )
