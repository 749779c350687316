"""The records of one day among many, in parts that are small enough to be counted in one pass."""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from adserver.counting.records import RECORD_BYTES, Record, decode
from adserver.keeping.batches import TOKENS_PER_BLOCK

DAY_SECONDS: Final = 86_400
_ISSUED: Final = struct.Struct(">15xI45x")
"""A record but for the second its decision was made."""


def records_of_day(data: bytes, day: int) -> Iterator[tuple[int, Record]]:
    """Yield the good records of decisions made on a day (UTC, since 1970), each with its offset within `data`."""
    first, last = day * DAY_SECONDS, (day + 1) * DAY_SECONDS
    data = data[: len(data) - len(data) % RECORD_BYTES]
    seconds = [second for (second,) in _ISSUED.iter_unpack(data)]
    if seconds and first <= min(seconds) and max(seconds) < last:
        yield from all_records(data)
        return
    for number, second in enumerate(seconds):
        if first <= second < last:
            position = number * RECORD_BYTES
            record = next(decode(data[position : position + RECORD_BYTES]))
            if isinstance(record, Record):
                yield position, record


def all_records(data: bytes) -> Iterator[tuple[int, Record]]:
    """Yield the good records, each with its offset within `data`."""
    for number, record in enumerate(decode(data)):
        if isinstance(record, Record):
            yield number * RECORD_BYTES, record


def part_of(record: Record, parts: int) -> int:
    """Return the part that a record is counted in; all of a token are in one."""
    block = (record.sequence // TOKENS_PER_BLOCK).to_bytes(4, "big")
    return zlib.crc32(block, zlib.crc32(record.issuer)) % parts
