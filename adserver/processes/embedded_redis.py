"""The Redis that the service brings along: where it lives, how it is started, and whether it is up.

Durability is ours to set: every write is in the append-only file before its reply, synced each second; nothing is ever
evicted. It listens on a unix socket only.
"""

import contextlib
import hashlib
import os
import signal
import socket
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adserver.config import DATA_DIR
from adserver.domain.errors import SettingRefused
from adserver.processes.children import ChildSpec, Progress
from adserver.processes.orphans import free_lock

SOCKET_PATH_BYTES: Final = 100
"""The longest socket path that is used; systems take 103 to 107."""

_FOLDER: Final = "redis"
_SOCKET_FILE: Final = "redis.sock"
_LOCK_FILE: Final = "server.lock"
_ANSWER_SECONDS: Final = 0.5
_ANSWER_BYTES: Final = 64
_ORPHAN_SECONDS: Final = 10.0
_SILENCE_SECONDS: Final = 60.0
"""A server that hangs this long is killed: its files bring back all but the last second, the spools the rest."""


@dataclass(frozen=True, slots=True)
class EmbeddedRedis:
    """One data folder's server. Immutable; the supervisor starts it, every process may ask for `url`."""

    folder: Path
    """Holds its append-only files, log and lock."""
    socket: Path

    @classmethod
    def of(cls, data_dir: Path) -> "EmbeddedRedis":
        """Return the server of a data folder: always the same paths for the same folder.

        Raises:
            SettingRefused: the folder is so deep that the socket goes under the system's temporary folder, and
                that is too deep as well, or has somebody else's folder in its place.
        """
        folder = data_dir.absolute() / _FOLDER
        socket = folder / _SOCKET_FILE
        if not _fits(socket):
            socket = _short_folder(folder) / _SOCKET_FILE
        return cls(folder, socket)

    @property
    def url(self) -> str:
        """What a client connects to."""
        return f"unix://{self.socket}"

    @property
    def lock(self) -> Path:
        """The file whose `flock` the running server holds: there is never a second one on these files."""
        return self.folder / _LOCK_FILE

    @property
    def log(self) -> Path:
        """Where the server writes its warnings."""
        return self.folder / "server.log"

    def prepare(self) -> None:
        """Make the folder, and end a server that a killed service has left; call it before the first start.

        Raises:
            SettingRefused: the folder cannot be made.
            LockStuck: a left server does not end.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SettingRefused(
                DATA_DIR.name, f"{self.folder}: {error.strerror}; it takes {DATA_DIR.takes}"
            ) from error
        free_lock(self.lock, grace_seconds=_ORPHAN_SECONDS)

    def spec(self, binary: Path) -> ChildSpec:
        """Return how the supervisor runs it. SIGTERM makes it write out everything and end."""
        return ChildSpec(
            name="redis",
            argv=(str(binary), *_arguments(self)),
            env={"LC_ALL": "C"},
            progress=self.progress,
            stop_signal=signal.SIGTERM,
            grace_seconds=2.0,
            lock=self.lock,
            stays_at_reload=True,
            behind_pages_of=self.folder.parent,
            silence_seconds=_SILENCE_SECONDS,
        )

    def progress(self) -> Progress:
        """Ask whether the server answers; one that still reads its files is at work."""
        return _PROGRESS.get(_ping(self.socket).partition(b" ")[0].strip(), Progress.WAITING)


_PROGRESS: Final[Mapping[bytes, Progress]] = {b"+PONG": Progress.READY, b"-LOADING": Progress.WORKING}
"""What the first word of an answer says."""


def _ping(path: Path) -> bytes:
    """Return the beginning of the server's answer to a PING; empty: there is none.

    Said in its protocol's inline form. The client library would be most of what the supervisor imports, and of the time
    before anything is started.
    """
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_ANSWER_SECONDS)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(_ANSWER_BYTES)
    except OSError:
        return b""


def _arguments(server: EmbeddedRedis) -> tuple[str, ...]:
    options = {
        "port": "0",
        "unixsocket": str(server.socket),
        "unixsocketperm": "700",
        "dir": str(server.folder),
        "databases": "1",
        "daemonize": "no",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "hash-max-listpack-entries": "128",
        "loglevel": "warning",
        "logfile": str(server.log),
    }
    return tuple(part for name, value in options.items() for part in (f"--{name}", value))


def _fits(socket: Path) -> bool:
    return len(os.fsencode(socket)) <= SOCKET_PATH_BYTES


def _short_folder(folder: Path) -> Path:
    """Return a folder of ours under the system's temporary one, named after `folder`; make it where it is missing."""
    digest = hashlib.blake2b(os.fsencode(folder.resolve()), digest_size=8).hexdigest()
    short = Path(tempfile.gettempdir()) / f"adserver-{os.getuid()}-{digest}"
    if not _fits(short / _SOCKET_FILE):
        raise SettingRefused(DATA_DIR.name, f"{folder} and {short} are too long for a socket; it takes a shorter path")
    with contextlib.suppress(FileExistsError):
        short.mkdir(mode=0o700)
    status = short.lstat()  # not through a link that somebody else has put there
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise SettingRefused(DATA_DIR.name, f"{short} is not a folder of this user alone; it takes a shorter path")
    return short
