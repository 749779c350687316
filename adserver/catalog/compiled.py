"""The compiled catalog as one file of the data folder: what workers load, and what a start without Redis serves from.

Layout, version 1, numbers big-endian:

    bytes  0..7   "ADSVCTLG"
    bytes  8..9   version
    bytes 10..17  length of the body in bytes
    bytes 18..33  BLAKE2b of the body, 16 bytes
    bytes 34..    the body: `Compiled` as MessagePack

The body follows the classes of `adserver.domain.catalog` by field name: a field added there with a default leaves the
version as it is, any other change raises it.
"""

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from adserver.catalog.files import replace_file
from adserver.catalog.revisions import Head
from adserver.domain.catalog import Catalog, RetiredCreative
from adserver.domain.errors import AdserverError

_T = TypeVar("_T")

_MAGIC: Final = b"ADSVCTLG"
_VERSION: Final = 1
_HEADER: Final = struct.Struct(">8sHQ16s")


class CompiledUnreadable(AdserverError):
    """The compiled catalog is torn, damaged, or of another version; the keeper writes it anew."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A revision as workers load it. Immutable."""

    revision: int
    catalog: Catalog
    retired: tuple[RetiredCreative, ...] = ()
    digest: str = ""
    """That of the revision's head, see `revisions.Head`."""
    shards: int = 1
    """N of the store: what this host issues tokens for, and what its spools are cut by. It never changes."""

    @property
    def head(self) -> Head:
        """The head that this was compiled from."""
        return Head(self.revision, self.digest)


class _Numbered(msgspec.Struct, frozen=True):
    revision: int


def write_compiled(path: Path, compiled: Compiled) -> None:
    """Replace the file whole, synced.

    Raises:
        OSError: the folder is full or read-only; the file is as it was.
    """
    replace_file(path, encode_compiled(compiled))


def read_compiled(path: Path) -> Compiled:
    """Return what the file holds.

    Raises:
        CompiledUnreadable: torn, damaged, or of another version.
        OSError: there is no such file, or it cannot be read.
    """
    return decode_compiled(path.read_bytes())


def read_compiled_number(path: Path) -> int:
    """Return the number of the revision that the file holds, without building its catalog.

    Raises:
        CompiledUnreadable: torn, damaged, or of another version.
        OSError: there is no such file, or it cannot be read.
    """
    return _decode(path.read_bytes(), _Numbered).revision


def encode_compiled(compiled: Compiled) -> bytes:
    """Return the file's bytes."""
    body = msgspec.msgpack.encode(compiled)
    return _HEADER.pack(_MAGIC, _VERSION, len(body), _digest(body)) + body


def decode_compiled(data: bytes) -> Compiled:
    """Return what the file's bytes say.

    Raises:
        CompiledUnreadable: torn, damaged, or of another version.
    """
    return _decode(data, Compiled)


def _decode(data: bytes, form: type[_T]) -> _T:
    if len(data) < _HEADER.size:
        raise CompiledUnreadable(f"{len(data)} bytes are too few for a compiled catalog")
    magic, version, length, digest = _HEADER.unpack_from(data)
    body = data[_HEADER.size :]
    if magic != _MAGIC or version != _VERSION:
        raise CompiledUnreadable("it is no compiled catalog of this version")
    if len(body) != length or _digest(body) != digest:
        raise CompiledUnreadable("the compiled catalog is torn or damaged")
    try:
        return msgspec.msgpack.decode(body, type=form)
    except msgspec.DecodeError as error:
        raise CompiledUnreadable(f"the compiled catalog has another shape: {error}") from error


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=16).digest()
