"""Keeps this host's copy of the tokens: for its workers, and for a Redis that lost them."""

import logging
from pathlib import Path
from typing import Final

from adserver.access.token_file import TOKENS_UNREADABLE, read_tokens, write_tokens
from adserver.access.token_store import TokenStore
from adserver.access.tokens import TokenBook, TokensUnreadable
from adserver.domain.errors import StoreUnavailable

TOKENS_PUT_BACK: Final = "access.tokens_put_back"
"""Log event: Redis had lost tokens, or that they were revoked, and has them again."""
TOKENS_UNWRITABLE: Final = "access.tokens_unwritable"
"""Log event: the file of tokens cannot be written; the disk may be full. Workers know those that were there before."""

_LOG: Final = logging.getLogger(__name__)


class TokenMirror:
    """Follows the store. For one thread: the keeper's."""

    def __init__(self, store: TokenStore, folder: Path) -> None:
        """Take the store and the data folder."""
        self._store = store
        self._folder = folder
        self._kept: TokenBook | None = None
        """What the file holds; None: it was not read yet."""
        self._seen: str | None = None
        """The store's version that the file has; None: it may lack something."""
        self._fault = ""

    def step(self) -> None:
        """Bring store and file to the same tokens. Never raises for a store or disk that fails: it is tried again."""
        try:
            self._follow()
        except StoreUnavailable:  # the keeper says so, from what it counts with
            return
        except TokensUnreadable as error:
            self._report(TOKENS_UNREADABLE, str(error))
        except OSError as error:
            self._report(TOKENS_UNWRITABLE, error.strerror or str(error))
        else:
            self._fault = ""

    def _follow(self) -> None:
        kept = self._load()
        version = self._store.version()
        if version == self._seen:
            return
        stored = self._store.read()
        lost = kept.beside(stored)
        if lost:
            if not self._store.add(version, lost):
                return  # somebody changed it in between: the next step looks again
            _LOG.warning(TOKENS_PUT_BACK, extra={"tokens": len(lost.tokens), "revocations": len(lost.revoked)})
        if stored.beside(kept):
            kept = stored.united(kept)
            write_tokens(self._folder, kept)
            self._kept = kept
        self._seen = None if lost else version

    def _load(self) -> TokenBook:
        """Return what the file holds; a damaged one is written anew from the store."""
        if self._kept is None:
            try:
                self._kept = read_tokens(self._folder)
            except TokensUnreadable as error:
                self._report(TOKENS_UNREADABLE, str(error))
                self._kept = TokenBook()
        return self._kept

    def _report(self, event: str, fault: str) -> None:
        if fault != self._fault:
            _LOG.error(event, extra={"fault": fault})
        self._fault = fault
