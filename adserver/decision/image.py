"""Columns of numbers, and bytes, in one buffer: written once, then read where they lie.

Layout, in the byte order of the host, which the head names:

    bytes 0..7      length of the head in bytes, big-endian
    bytes 8..       the head as MessagePack: `_Head`
    from there on   the sections, each at a multiple of 8 bytes from the start

What the sections are called and mean is for who writes them; a file with an image in it carries a version of its own.
"""

import struct
import sys
from array import array
from collections.abc import Mapping
from typing import Final, TypeAlias

import msgspec

RAW: Final = ""
"""The format of a section that is bytes, not numbers."""

_LENGTH: Final = struct.Struct(">Q")
_ALIGNMENT: Final = 8
_SIZES: Final = {RAW: 1, "B": 1, "H": 2, "I": 4, "q": 8, "Q": 8}
"""Bytes of a number, by its format as `array` and `memoryview` name it."""

Section: TypeAlias = "bytes | array[int]"


class ImageUnreadable(ValueError):
    """The buffer holds no such image: torn, of another byte order, or without a section that is asked for."""


class _Head(msgspec.Struct, frozen=True):
    order: str
    sections: dict[str, tuple[str, int, int]]
    """Format, offset from the first section, and bytes, by name."""


def encode_image(sections: Mapping[str, Section]) -> bytes:
    """Return the sections as one image."""
    table: dict[str, tuple[str, int, int]] = {}
    parts: list[bytes] = []
    offset = 0
    for name, section in sections.items():
        data = section.tobytes() if isinstance(section, array) else section
        table[name] = (section.typecode if isinstance(section, array) else RAW, offset, len(data))
        padded = data + bytes(-len(data) % _ALIGNMENT)
        parts.append(padded)
        offset += len(padded)
    head = msgspec.msgpack.encode(_Head(sys.byteorder, table), order="deterministic")
    start = _LENGTH.pack(len(head)) + head
    return b"".join((start, bytes(-len(start) % _ALIGNMENT), *parts))


class Image:
    """The sections of a buffer. Immutable, shared by all threads; holds the buffer for as long as it lives."""

    __slots__ = ("_sections", "_start", "_view")

    def __init__(self, buffer: memoryview) -> None:
        """Take the buffer, which nobody may change.

        Raises:
            ImageUnreadable: it holds no image, or one of another byte order.
        """
        try:
            (length,) = _LENGTH.unpack_from(buffer)
            head = msgspec.msgpack.decode(buffer[_LENGTH.size : _LENGTH.size + length], type=_Head)
        except (struct.error, msgspec.DecodeError) as error:
            raise ImageUnreadable(f"it has no head: {error}") from error
        if head.order != sys.byteorder:
            raise ImageUnreadable(f"its numbers are {head.order}-endian, this host's are {sys.byteorder}-endian")
        self._view = buffer
        self._sections = head.sections
        self._start = _LENGTH.size + length + -(_LENGTH.size + length) % _ALIGNMENT

    def numbers(self, name: str, form: str) -> "memoryview[int]":
        """Return a column of numbers.

        Raises:
            ImageUnreadable: it has none such, or of another format.
        """
        found, data = self._section(name)
        if found != form or len(data) % _SIZES[form]:
            raise ImageUnreadable(f"its section {name} is of another form")
        return data.cast(form)  # type: ignore[call-overload,no-any-return]  # typeshed knows it by literals only

    def raw(self, name: str) -> memoryview:
        """Return the bytes of a section.

        Raises:
            ImageUnreadable: it has none such, or numbers.
        """
        found, data = self._section(name)
        if found != RAW:
            raise ImageUnreadable(f"its section {name} is of another form")
        return data

    def _section(self, name: str) -> tuple[str, memoryview]:
        if name not in self._sections:
            raise ImageUnreadable(f"it has no section {name}")
        form, offset, length = self._sections[name]
        data = self._view[self._start + offset : self._start + offset + length]
        if len(data) != length or offset < 0:
            raise ImageUnreadable(f"its section {name} is torn")
        return form, data
