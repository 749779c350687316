"""Records of a spool read all at once, column by column; what `adserver.counting.records` reads one by one.

A test holds the two against each other. Only the keeper loads this, and numpy with it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from adserver.counting.records import QUARTER_SECONDS, RECORD_BYTES, RECORD_VERSION, reasons_of
from adserver.domain.variants import Variant
from adserver.keeping.checksums import are_right

Columns = npt.NDArray[np.void]
"""Records, with `_RECORD`'s fields."""
Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]
Bits = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]

_RECORD: Final = np.dtype(
    {
        "names": [
            *("version", "kind", "reason", "reported", "shard", "sequence", "issued", "variant", "times", "reader"),
            "crc",
        ],
        "formats": ["u1", "u1", "u1", "u1", "u1", ">u4", ">u4", "u1", ">u4", ">u4", ">u4"],
        "offsets": [0, 1, 2, 3, 10, 11, 15, 45, 50, 54, 60],
        "itemsize": RECORD_BYTES,
    }
)
_ISSUER: Final = slice(4, 10)
_HASHES: Final = slice(19, 45)
"""Flight, creative, slot, place, topic."""
HASHES_BYTES: Final = _HASHES.stop - _HASHES.start
PLACES_BYTES: Final = 32
"""A row of `RecordTable.places`: the hashes, then the quarter."""

_MOST_VARIANT: Final = max(variant.code for variant in Variant)


def _known_codes() -> Bits:
    """Return which (kind, reason) this version gives."""
    known = np.zeros((256, 256), np.bool_)
    for kind, reasons in reasons_of().items():
        known[kind, list(reasons)] = True
    return known


_KNOWN: Final = _known_codes()


@dataclass(frozen=True, slots=True)
class RecordTable:
    """Records side by side. Immutable: nobody writes into the arrays."""

    columns: Columns
    raw: Bytes
    """The same, as (records, 64) bytes."""
    good: Bits
    """False where 64 bytes are no record: wrong checksum, version or codes."""

    @classmethod
    def read(cls, data: bytes) -> "RecordTable":
        """Take whole records; a rest of less than 64 bytes is left out."""
        count = len(data) // RECORD_BYTES
        columns = np.frombuffer(data, _RECORD, count)
        raw = np.frombuffer(data, np.uint8, count * RECORD_BYTES).reshape(count, RECORD_BYTES)
        return cls(columns, raw, _are_records(data[: count * RECORD_BYTES], columns))

    def bad(self) -> list[int]:
        """Return the numbers of those that are no records."""
        return [] if self.good.all() else np.flatnonzero(~self.good).tolist()

    def where(self, chosen: Bits) -> "RecordTable":
        """Return those chosen, in their order."""
        return self if chosen.all() else RecordTable(self.columns[chosen], self.raw[chosen], self.good[chosen])

    def issuers(self) -> Words:
        """Return each record's issuer as a number."""
        padded = np.zeros((len(self.raw), 8), np.uint8)
        padded[:, 2:] = self.raw[:, _ISSUER]
        return padded.view(">u8").ravel().astype(np.uint64)

    def places(self) -> Words:
        """Return what decides where each record counts, as (records, 4) words: its hashes, then its quarter."""
        padded = np.zeros((len(self.raw), PLACES_BYTES), np.uint8)
        padded[:, :HASHES_BYTES] = self.raw[:, _HASHES]
        words = padded.view("<u8")
        words[:, 3] |= (self.columns["issued"].astype(np.uint64) // np.uint64(QUARTER_SECONDS)) << np.uint64(16)
        return words


def _are_records(data: bytes, columns: Columns) -> Bits:
    good = are_right(data, columns["crc"].astype(np.uint32))
    good &= columns["version"] == RECORD_VERSION
    good &= (columns["reported"] <= _MOST_VARIANT) & (columns["variant"] <= _MOST_VARIANT)
    good &= _KNOWN[columns["kind"], columns["reason"]]
    return good
