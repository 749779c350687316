"""The compiled catalog as one file of the data folder: what workers map, and what a start without Redis serves from.

Layout, version 4, numbers of the header big-endian:

    bytes  0..7   "ADSVCTLG"
    bytes  8..9   version
    bytes 10..17  length of the body in bytes
    bytes 18..33  BLAKE2b of the body, 16 bytes
    bytes 34..63  zero
    bytes 64..    the body: an image of `adserver.decision.compiling`

The records in it follow the classes of `adserver.domain.catalog` by field name: a field added there with a default
leaves the version as it is, any other change raises it, as does one of the image's sections. A flag bit or a section
that is only added does not.

Version 3 held the catalog once more, whole, and did not flag each kind of cap. Version 2 held three lists a key, one a
tier, where there are four now, one a `Rank`. Version 1 began its body, `Compiled` as MessagePack, at byte 34. The
keeper still takes up their creatives and what was retired; no worker serves them.
"""

import gc
import hashlib
import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from adserver.catalog.files import replace_file
from adserver.catalog.revisions import Head
from adserver.decision.compiling import compile_catalog
from adserver.decision.image import Image, ImageUnreadable
from adserver.decision.meta import Meta
from adserver.decision.whole_catalog import whole_catalog
from adserver.domain.catalog import Catalog, RetiredCreative
from adserver.domain.errors import AdserverError

MAPPED_BYTES: Final = 8 * 2**20
"""A smaller file is read: a copy in each worker costs little, and is safe from whoever writes into the file in place,
which would end a process that has it mapped. A larger one is mapped, and its memory shared."""

_MAGIC: Final = b"ADSVCTLG"
_VERSION: Final = 4
_HEADER: Final = struct.Struct(">8sHQ16s")
_BODY_AT: Final = 64
_OLD_VERSION: Final = 1
_VERSIONS_BEFORE: Final = (2, 3)


class CompiledUnreadable(AdserverError):
    """The compiled catalog is torn, damaged, or of another version; the keeper writes it anew."""


class NotServable(AdserverError):
    """A catalog that no decision could be made of: of another version, or of a host that knows other time zones."""


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


def write_compiled(path: Path, compiled: Compiled, at: datetime | None = None) -> None:
    """Replace the file whole, synced.

    Raises:
        NotServable: see `encode_compiled`.
        OSError: the folder is full or read-only; the file is as it was.
    """
    replace_file(path, encode_compiled(compiled, at))


def read_compiled(path: Path) -> Compiled:
    """Return what the file holds, decoded whole.

    Raises:
        CompiledUnreadable: torn, damaged, or of another version.
        OSError: there is no such file, or it cannot be read.
    """
    return decode_compiled(path.read_bytes())


def open_compiled(path: Path) -> memoryview:
    """Return the file's image for a snapshot to be made of, checked; it stays as it is when the file is replaced.

    The check lets other threads run meanwhile.

    Raises:
        CompiledUnreadable: torn, damaged, or of another version.
        OSError: there is no such file, or it cannot be read.
    """
    if path.stat().st_size < MAPPED_BYTES:
        return _body(memoryview(path.read_bytes()), _VERSION, _BODY_AT)
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return _body(memoryview(mapped), _VERSION, _BODY_AT)


def read_compiled_number(path: Path) -> int:
    """Return the number of the revision that the file holds, without decoding its catalog.

    Raises:
        CompiledUnreadable: torn, damaged, or of another version.
        OSError: there is no such file, or it cannot be read.
    """
    try:
        return msgspec.msgpack.decode(Image(open_compiled(path)).raw("meta"), type=_Numbered).revision
    except (ImageUnreadable, msgspec.DecodeError) as error:
        raise CompiledUnreadable(f"the compiled catalog has another shape: {error}") from error


def encode_compiled(compiled: Compiled, at: datetime | None = None) -> bytes:
    """Return the file's bytes.

    Args:
        compiled: what to compile.
        at: no moment before it will be asked for; None: any may be.

    Raises:
        NotServable: no decision could be made of it.
    """
    try:
        with _uncollected():
            body = compile_catalog(
                compiled.catalog,
                compiled.revision,
                compiled.retired,
                digest=compiled.digest,
                shards=compiled.shards,
                at=at,
            )
    except Exception as error:  # what a catalog of another version, or of a host with other zones, lacks: anything
        fault = f"revision {compiled.revision} cannot be served: {type(error).__name__}: {error}"
        raise NotServable(fault) from error
    header = _HEADER.pack(_MAGIC, _VERSION, len(body), _digest(body))
    return header + bytes(_BODY_AT - len(header)) + body


def decode_compiled(data: bytes) -> Compiled:
    """Return what the file's bytes say, of this version or one before.

    Raises:
        CompiledUnreadable: torn, damaged, or of another version.
    """
    view = memoryview(data)
    found = int.from_bytes(data[len(_MAGIC) : len(_MAGIC) + 2], "big")
    try:
        if found == _OLD_VERSION:
            return msgspec.msgpack.decode(_body(view, _OLD_VERSION, _HEADER.size), type=Compiled)
        is_old = found in _VERSIONS_BEFORE
        image = Image(_body(view, found if is_old else _VERSION, _BODY_AT))
        meta = msgspec.msgpack.decode(image.raw("meta"), type=Meta)
        return Compiled(
            meta.revision,
            _old_catalog(image) if is_old else whole_catalog(image, meta),
            msgspec.msgpack.decode(image.raw("retired"), type=tuple[RetiredCreative, ...]),
            meta.digest,
            meta.shards,
        )
    except (ImageUnreadable, msgspec.DecodeError) as error:
        raise CompiledUnreadable(f"the compiled catalog has another shape: {error}") from error


def _old_catalog(image: Image) -> Catalog:
    return msgspec.msgpack.decode(image.raw("catalog"), type=Catalog)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the collector of cycles off what makes millions of objects, and no cycle: it would walk them all, often."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _body(data: memoryview, version: int, body_at: int) -> memoryview:
    """Return the checked body of a file of one version."""
    if len(data) < body_at:
        raise CompiledUnreadable(f"{len(data)} bytes are too few for a compiled catalog")
    magic, found, length, digest = _HEADER.unpack_from(data)
    body = data[body_at:]
    if magic != _MAGIC or found != version:
        raise CompiledUnreadable("it is no compiled catalog of this version")
    if len(body) != length or _digest(body) != digest or any(data[_HEADER.size : body_at]):
        raise CompiledUnreadable("the compiled catalog is torn or damaged")
    return body


def _digest(body: bytes | memoryview) -> bytes:
    return hashlib.blake2b(body, digest_size=16).digest()
