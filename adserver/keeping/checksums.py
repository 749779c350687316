"""Whether records are what their checksums say, told for all of a range at once.

CRC-32 is linear: the checksum of a whole is made of those of its parts, each taken through the bytes behind it (as
zlib's `crc32_combine` does). So one pass over all bytes, and a little arithmetic on what the records claim, tell
whether all claims hold. One wrong record is always found; two hide each other once in 2**32, as one hides from its own
checksum.
"""

import struct
import zlib
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from adserver.counting.records import RECORD_BYTES

Sums = npt.NDArray[np.uint32]
Bits = npt.NDArray[np.bool_]

_CHECKED: Final = struct.Struct(">60s4x")
_CLAIM: Final = struct.Struct(">I")


def are_right(data: bytes, claimed: Sums) -> Bits:
    """Tell of each record of `data` whether the checksum at its end is that of its other bytes.

    Args:
        data: whole records.
        claimed: what stands at the end of each.
    """
    if not len(claimed) or zlib.crc32(data) == _of_all(claimed):
        return np.ones(len(claimed), np.bool_)
    return _one_by_one(data, claimed)


def _one_by_one(data: bytes, claimed: Sums) -> Bits:
    sums = map(zlib.crc32, [body for (body,) in _CHECKED.iter_unpack(data)])
    right: Bits = np.fromiter(sums, np.uint32, len(claimed)) == claimed
    return right


def _of_all(claimed: Sums) -> int:
    """Return the checksum of all records, with their claims, if each claim is right."""
    sums = _through(_of_record(), claimed) ^ np.uint32(zlib.crc32(bytes(_CLAIM.size)))
    behind = RECORD_BYTES
    while len(sums) > 1:
        if len(sums) % 2:
            sums = np.concatenate((np.zeros(1, np.uint32), sums))  # before all others nothing changes nothing
        sums = _through(_behind(behind), sums[::2]) ^ sums[1::2]
        behind *= 2
    return int(sums[0])


def _through(tables: Sums, sums: Sums) -> Sums:
    """Apply a linear function, given as four tables of 256, one for each byte."""
    through: Sums = tables[0][sums & 255]
    for place in (1, 2, 3):
        through = through ^ tables[place][sums >> 8 * place & 255]
    return through


@cache
def _behind(count: int) -> Sums:
    """Return what so many bytes behind a part, a power of two times a record, make of its checksum."""
    if count > RECORD_BYTES:
        half = _behind(count // 2)
        return _through(half, half)
    return _tables(lambda sum_: zlib.crc32(bytes(count), sum_) ^ zlib.crc32(bytes(count)))


@lru_cache(maxsize=1)
def _of_record() -> Sums:
    """Return what a body's checksum makes of that of the record it stands in, but for a constant."""
    none = zlib.crc32(bytes(_CLAIM.size))

    def whole(sum_: int) -> int:
        return zlib.crc32(_CLAIM.pack(sum_), sum_) ^ none

    return _tables(whole)


def _tables(function: Callable[[int], int]) -> Sums:
    return np.array([[function(byte << 8 * place) for byte in range(256)] for place in range(4)], np.uint32)
