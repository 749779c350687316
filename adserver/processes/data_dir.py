"""The folder in which one host keeps all it has: who works on it, and the secrets made in it."""

import fcntl
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from adserver.config import DATA_DIR
from adserver.counting.locks import is_held
from adserver.domain.errors import DataDirBusy, SettingRefused

SERVICE_LOCK_FILE: Final = "service.lock"
SECRET_KEYS_FILE: Final = "secret-keys"  # noqa: S105 - the name of its file
ADMIN_TOKEN_FILE: Final = "admin-token"  # noqa: S105 - the name of its file
_KEY_BYTES: Final = 32
_TOKEN_BYTES: Final = 32


class ServiceLock:
    """Holds a data folder for one service until it is released or the process ends. Used by one thread.

    The lock is the kernel's (`flock`), so nothing is left behind by a kill; the file's text, the holder's pid, is for
    people. Children do not inherit the lock: their service's end frees the folder.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def release(self) -> None:
        """Let go of the folder; once is enough, twice does no harm."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class DataDir:
    """A data folder that is there and can be written. Immutable, shared by all threads and processes."""

    def __init__(self, path: Path, *, writable: bool = True) -> None:
        """Make the folder, mode 0700, where it is missing.

        Args:
            path: the folder's.
            writable: whether it must be. A worker that starts again on a disk gone read-only serves on without.

        Raises:
            SettingRefused: it cannot be made or written; names the setting.
        """
        self.path = path.absolute()
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _refused(self.path, error) from error
        if writable and not os.access(self.path, os.W_OK | os.X_OK):
            raise SettingRefused(
                DATA_DIR.name, f"{self.path} cannot be written by this user; it takes {DATA_DIR.takes}"
            )

    def lock(self) -> ServiceLock:
        """Take the folder for this service.

        Raises:
            DataDirBusy: another service has it; names its pid.
            SettingRefused: the lock's file cannot be made.
        """
        path = self.path / SERVICE_LOCK_FILE
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _refused(path, error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).strip()
            os.close(descriptor)
            raise DataDirBusy(str(self.path), int(holder) if holder.isdigit() else 0) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return ServiceLock(descriptor)

    def is_locked(self) -> bool:
        """Tell whether a service has the folder."""
        return is_held(self.path / SERVICE_LOCK_FILE)

    def secret_keys(self) -> tuple[bytes, ...]:
        """Return the keys kept here, newest first, one a line in hex; the first caller makes one.

        Raises:
            SettingRefused: the file cannot be read or made, or is not of that form.
        """
        path = self.path / SECRET_KEYS_FILE
        text = self._kept(path, lambda: secrets.token_hex(_KEY_BYTES))
        try:
            keys = tuple(bytes.fromhex(line) for line in text.split())
        except ValueError:
            raise SettingRefused(DATA_DIR.name, f"{path} is damaged: one key a line in hex is expected") from None
        if not keys or any(not 16 <= len(key) <= 64 for key in keys):
            raise SettingRefused(DATA_DIR.name, f"{path} is damaged: keys of 16 to 64 bytes are expected")
        return keys

    def has_admin_token(self) -> bool:
        """Tell whether the admin token was made before."""
        return (self.path / ADMIN_TOKEN_FILE).exists()

    def admin_token(self) -> str:
        """Return the admin token kept here; the first caller makes it, `adsv_` and 256 random bits.

        Raises:
            SettingRefused: the file cannot be read or made, or is empty.
        """
        path = self.path / ADMIN_TOKEN_FILE
        token = self._kept(path, lambda: f"adsv_{secrets.token_urlsafe(_TOKEN_BYTES)}").strip()
        if not token:
            raise SettingRefused(DATA_DIR.name, f"{path} is empty; remove it, and a new token is made")
        return token

    def _kept(self, path: Path, make: Callable[[], str]) -> str:
        try:
            if not path.exists():
                _write_once(path, f"{make()}\n")
            return path.read_text("ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise _refused(path, error) from error


def _write_once(path: Path, text: str) -> None:
    """Write a file of mode 0600 whole, unless another process was first; its text then stands."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()


def _refused(path: Path, error: Exception) -> SettingRefused:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return SettingRefused(DATA_DIR.name, f"{path}: {reason}; it takes {DATA_DIR.takes}")
