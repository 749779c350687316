"""What readers are told apart by for a day: a keyed hash of address and agent, cut to 32 bits, whose key soon dies.

The keys, called salts, stand in one small file of the data folder, mode 0600, that the keeper replaces. A salt is that
of one day of the site: whoever comes twice in it is one reader, whichever worker or host answers.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from adserver.domain.ids import IdHash
from adserver.domain.token import Token

SALTS_NAME: Final = "reach-salts"
SALT_BYTES: Final = 16
SALT_LIFE_SECONDS: Final = 48 * 3600

_VERSION: Final = 1


class Salt(msgspec.Struct, frozen=True):
    """One day's. Immutable; never shown."""

    day: int
    """Of the site, since 1970."""
    secret: str
    """In hex; empty once its time is over, until no store has it any more."""
    made: float
    """When, in Unix time."""
    agreed: bool
    """Whether Redis has it, so that all hosts have the same."""

    def __repr__(self) -> str:
        return f"<Salt of day {self.day}>"

    def has_ended(self, now: float) -> bool:
        """Tell whether its time is over; `now` is Unix time."""
        return now - self.made >= SALT_LIFE_SECONDS


class _File(msgspec.Struct, frozen=True):
    version: int
    salts: tuple[Salt, ...]


def write_salts(folder: Path, salts: tuple[Salt, ...]) -> None:
    """Replace the file by rename.

    Raises:
        OSError: the data folder is full or read-only.
    """
    draft = folder / f"{SALTS_NAME}.draft"
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(_File(_VERSION, salts)))
    draft.replace(folder / SALTS_NAME)


def read_salts(folder: Path) -> tuple[Salt, ...]:
    """Return what the file holds; nothing where it is missing, cannot be read, or is of another version."""
    try:
        file = msgspec.json.decode((folder / SALTS_NAME).read_bytes(), type=_File)
    except (OSError, msgspec.DecodeError):
        return ()
    return file.salts if file.version == _VERSION else ()


class SaltWatch:
    """The worker's view of the file. `poll` by one thread, `current` by all; one assignment swaps it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: tuple[int, int] | None = None
        self._current: Mapping[int, bytes] = {}

    def current(self) -> Mapping[int, bytes]:
        """Return the salts by day, as of the last poll."""
        return self._current

    def poll(self) -> bool:
        """Read the file again if it was replaced; return whether it was."""
        try:
            stat = os.stat(self._folder / SALTS_NAME)  # noqa: PTH116 - ten times a second, without a Path's allocations
        except OSError:
            return False
        seen = (stat.st_ino, stat.st_mtime_ns)
        if seen == self._seen:
            return False
        self._seen = seen
        self._current = {salt.day: bytes.fromhex(salt.secret) for salt in read_salts(self._folder) if salt.secret}
        return True


class DailyCuts:
    """Makes what stands for a reader in a record. Shared by all threads; immutable."""

    def __init__(self, salts: Callable[[], Mapping[int, bytes]], day_of: Callable[[IdHash, int], int]) -> None:
        """Take the salts by day, and what tells a slot's day at a second of Unix time (days since 1970)."""
        self._salts = salts
        self._day_of = day_of

    def cut(self, token: Token, address: str, user_agent: str) -> int:
        """Return 32 bits that stand for a reader on the day of a token, 0 where that day has no salt."""
        salt = self._salts().get(self._day_of(token.slot, token.issued_second))
        if salt is None or not address:
            return 0
        reader = f"{address}\0{user_agent}".encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(reader, key=salt, digest_size=4, person=b"reach").digest()
        return int.from_bytes(digest, "big") or 1
