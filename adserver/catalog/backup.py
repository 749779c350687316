"""The newest revision on this host's disk, with all names: what gives Redis back what it lost."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from adserver.catalog.files import Remembered, replace_file
from adserver.catalog.revisions import (
    FORMAT_VERSION,
    Revision,
    RevisionUnreadable,
    decode_documents,
    decode_entry,
    encode_documents,
    encode_entry,
)
from adserver.catalog.store import RevisionStore, restore

BACKUP_NAME: Final = "revision.json"


@dataclass(frozen=True, slots=True)
class Backup:
    """What the file holds. Immutable by agreement: nobody changes the names."""

    revision: Revision
    names: dict[str, str]
    """Fields of the names' hash."""
    shards: int = 1
    """As `Compiled.shards`."""


class _BackupForm(msgspec.Struct, frozen=True):
    version: int
    digest: str
    entry: msgspec.Raw
    documents: bytes
    names: dict[str, str]
    shards: int = 1


class RevisionBackup:
    """One file of the data folder. The keeper alone writes it; it is replaced whole, so anyone may read."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / BACKUP_NAME
        self._number = Remembered(self._path, self._read_number)

    def read(self) -> Backup | None:
        """Return what is kept, or None where nothing is yet.

        Raises:
            RevisionUnreadable: damaged, or a newer version wrote it.
            OSError: the file cannot be read.
        """
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            form = msgspec.json.decode(data, type=_BackupForm)
        except msgspec.DecodeError as error:
            raise RevisionUnreadable(f"{self._path} is damaged: {error}") from error
        if form.version != FORMAT_VERSION or form.digest != _digest(form):
            raise RevisionUnreadable(f"{self._path} is damaged, or of another version")
        return Backup(
            Revision(decode_entry(bytes(form.entry)), decode_documents(form.documents)), form.names, form.shards
        )

    def number(self) -> int:
        """Return the number of the revision that is kept, 0 where nothing is; read again only once it was replaced.

        Raises:
            RevisionUnreadable: damaged, or a newer version wrote it.
            OSError: the file cannot be read.
        """
        try:
            return self._number.get()
        except FileNotFoundError:
            return 0

    def write(self, backup: Backup) -> None:
        """Replace what is kept, synced.

        Raises:
            OSError: the folder is full or read-only; what was kept is kept.
        """
        entry, documents = encode_entry(backup.revision.entry), encode_documents(backup.revision.documents)
        form = _BackupForm(FORMAT_VERSION, "", msgspec.Raw(entry), documents, backup.names, backup.shards)
        replace_file(self._path, msgspec.json.encode(msgspec.structs.replace(form, digest=_digest(form))))

    def put_back(self, store: RevisionStore) -> bool:
        """Give the store the kept revision and names if it lost them; return whether anything was written.

        Raises:
            RevisionUnreadable, OSError: what is kept cannot be read.
            StoreUnavailable: the store does not answer.
        """
        backup = self.read()
        return backup is not None and restore(store, backup.revision, backup.names)

    def _read_number(self) -> int:
        backup = self.read()
        return backup.revision.number if backup else 0


def _digest(form: _BackupForm) -> str:
    digest = hashlib.blake2b(digest_size=16)
    names = msgspec.json.encode(sorted(form.names.items()))
    shards = () if form.shards == 1 else (str(form.shards).encode(),)  # files of before there were any read the same
    for part in (bytes(form.entry), form.documents, names, *shards):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()
