"""A host's copy of the tokens: what its workers know callers by, with Redis or without."""

import logging
import os
from pathlib import Path
from typing import Final

import msgspec

from adserver.access.tokens import AccessToken, Revocation, TokenBook, TokensUnreadable
from adserver.catalog.files import replace_file

TOKENS_NAME: Final = "access-tokens"
TOKENS_UNREADABLE: Final = "access.tokens_unreadable"
"""Log event: the file of tokens cannot be read; those that were read before go on."""

_VERSION: Final = 1
_PRIVATE: Final = 0o600
_LOG: Final = logging.getLogger(__name__)


class _File(msgspec.Struct, frozen=True):
    version: int
    tokens: dict[str, AccessToken]
    revoked: dict[str, Revocation]


def write_tokens(folder: Path, book: TokenBook) -> None:
    """Replace the file, synced, mode 0600.

    Raises:
        OSError: the data folder is full or read-only; the file is as it was.
    """
    data = msgspec.json.encode(_File(_VERSION, dict(book.tokens), dict(book.revoked)))
    replace_file(folder / TOKENS_NAME, data, mode=_PRIVATE)


def read_tokens(folder: Path) -> TokenBook:
    """Return what the file holds; an empty book where there is none.

    Raises:
        TokensUnreadable: it is damaged, or of another version.
        OSError: the disk refuses it.
    """
    path = folder / TOKENS_NAME
    try:
        file = msgspec.json.decode(path.read_bytes(), type=_File)
    except FileNotFoundError:
        return TokenBook()
    except msgspec.DecodeError as error:
        raise TokensUnreadable(f"{path} is damaged: {error}") from error
    if file.version != _VERSION:
        raise TokensUnreadable(f"{path} has format {file.version}; this version reads format {_VERSION}")
    return TokenBook(file.tokens, file.revoked)


class TokenWatch:
    """The worker's view of the file. `poll` by one thread, `current` by all: one assignment swaps it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: tuple[int, int, int] | None = None
        self._current = TokenBook()

    def current(self) -> TokenBook:
        """Return the tokens as of the last poll."""
        return self._current

    def poll(self) -> bool:
        """Read the file again if it was replaced; return whether it was read."""
        try:
            stat = os.stat(self._folder / TOKENS_NAME)  # noqa: PTH116 - ten times a second, without a Path's allocations
        except OSError:
            return False
        seen = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if seen == self._seen:
            return False
        self._seen = seen
        try:
            self._current = read_tokens(self._folder)
        except (TokensUnreadable, OSError) as error:
            _LOG.warning(TOKENS_UNREADABLE, extra={"fault": str(error)})
            return False
        return True
