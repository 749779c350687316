"""The record of the spool: 64 bytes, self-checking, written in one `write()`.

Layout, version 1, big-endian:

    byte   0      version, 1
    byte   1      kind (`RecordKind`)
    byte   2      reason: an `InvalidReason` code for events, a `NoFillReason` code for no fills, 0 = none
    byte   3      variant that the page reported (events)
    bytes  4..9   issuer       byte 10       shard        bytes 11..14  sequence     bytes 15..18  second of issue
    bytes 19..24  flight       bytes 25..30  creative     bytes 31..35  slot
    bytes 36..40  place        bytes 41..44  topic        byte  45      variant asked for
    bytes 46..49  second of acceptance (events)           bytes 50..53  count (decisions; 1 for events)
    bytes 54..57  reader: a 32-bit cut of the reader's daily hash (events), 0 = none
    bytes 58..59  zero
    bytes 60..63  CRC-32 of bytes 0..59

An event without a readable token has zeros for all that it would have said, and shard 0.
"""

import struct
import zlib
from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import Final, NamedTuple, Self

from adserver.domain.ids import IdHash, Kind
from adserver.domain.reasons import EventKind, InvalidReason, NoFillReason
from adserver.domain.token import Token
from adserver.domain.variants import Variant

RECORD_BYTES: Final = 64
RECORD_VERSION: Final = 1
QUARTER_SECONDS: Final = 900

_BODY: Final = struct.Struct(">BBBB6sBII6s6s5s5s4sBIIIxx")
_CRC: Final = struct.Struct(">I")
_NO_ISSUER: Final = bytes(6)


class RecordKind(IntEnum):
    """What a record tells; the first three are the codes of `EventKind`."""

    SEEN = 0
    VIEWABLE = 1
    CLICK = 2
    FILL = 3
    NO_FILL = 4


class Record(NamedTuple):
    """One record as it stands in the spool. Immutable."""

    kind: int
    """A `RecordKind`; a bare number, for there are hundreds of thousands a second."""
    reason: int
    reported: int
    issuer: bytes
    shard: int
    sequence: int
    issued_second: int
    flight: IdHash
    creative: IdHash
    slot: IdHash
    place: IdHash
    topic: IdHash
    variant: int
    accepted_second: int
    times: int
    """How many decisions alike; 1 for an event."""
    reader: int = 0
    """The first 32 bits of the reader's daily hash, for reach; 0: none was made."""


class Corrupt:
    """Stands where 64 bytes were no record: wrong checksum, version or codes. Immutable, one instance."""


CORRUPT: Final = Corrupt()

_VARIANT_CODES: Final = frozenset(variant.code for variant in Variant)
_EVENT_REASONS: Final = frozenset({0}) | {reason.code for reason in InvalidReason}
_REASON_CODES: Final[Mapping[int, frozenset[int]]] = {
    RecordKind.SEEN: _EVENT_REASONS,
    RecordKind.VIEWABLE: _EVENT_REASONS,
    RecordKind.CLICK: _EVENT_REASONS,
    RecordKind.FILL: frozenset({0}),
    RecordKind.NO_FILL: frozenset(reason.code for reason in NoFillReason),
}


def reasons_of() -> Mapping[int, frozenset[int]]:
    """Return the codes of reasons that a record of each kind may name; 0: none."""
    return _REASON_CODES


def encode(record: Record) -> bytes:
    """Return the 64 bytes of a record."""
    body = _BODY.pack(
        RECORD_VERSION,
        record.kind,
        record.reason,
        record.reported,
        record.issuer,
        record.shard,
        record.sequence,
        record.issued_second,
        record.flight,
        record.creative,
        record.slot,
        record.place,
        record.topic,
        record.variant,
        record.accepted_second,
        record.times,
        record.reader,
    )
    return body + _CRC.pack(zlib.crc32(body))


def decode(data: bytes) -> Iterator[Record | Corrupt]:
    """Yield what each 64 bytes of `data` say; a rest of less than 64 bytes is left out."""
    for start in range(0, len(data) - RECORD_BYTES + 1, RECORD_BYTES):
        body = data[start : start + _BODY.size]
        (crc,) = _CRC.unpack_from(data, start + _BODY.size)
        if zlib.crc32(body) != crc:
            yield CORRUPT
            continue
        version, *fields = _BODY.unpack(body)
        record = Record(*fields)
        yield record if version == RECORD_VERSION and _is_known(record) else CORRUPT


def _is_known(record: Record) -> bool:
    """Tell whether all codes are ones that this version gives; another version may have written the record."""
    return (
        record.reported in _VARIANT_CODES
        and record.variant in _VARIANT_CODES
        and record.reason in _REASON_CODES.get(record.kind, frozenset())
    )


def event_record(
    token: Token | None,
    kind: EventKind,
    reason: InvalidReason | None,
    reported: Variant,
    second: int,
    reader: int = 0,
) -> Record:
    """Return the record of an event accepted at `second` (Unix time); without a token it counts for nobody.

    `reader` is the 32-bit cut of the reader's daily hash, 0 where there must be none.
    """
    return Record(
        kind=RecordKind(kind.code),
        reason=reason.code if reason else 0,
        reported=reported.code,
        issuer=token.issuer if token else _NO_ISSUER,
        shard=token.shard if token else 0,
        sequence=token.sequence if token else 0,
        issued_second=token.issued_second if token else second,
        flight=token.flight if token else Kind.FLIGHT.none,
        creative=token.creative if token else Kind.CREATIVE.none,
        slot=token.slot if token else Kind.SLOT.none,
        place=token.place if token else Kind.PLACE.none,
        topic=token.topic if token else Kind.TOPIC.none,
        variant=token.variant.code if token else Variant.AUTO.code,
        accepted_second=second,
        times=1,
        reader=reader,
    )


class Event(NamedTuple):
    """What a worker makes of a beacon or a click. Immutable; a tuple, for every event makes one."""

    token: Token | None
    """None: it was not ours, and counts for nobody."""
    kind: EventKind
    reason: InvalidReason | None
    """Why it does not count, as far as the event alone tells; None: nothing speaks against it."""
    reported: Variant
    second: int
    """When it was accepted, in Unix time."""
    reader: int = 0
    """The 32-bit cut of the reader's daily hash, 0 where there must be none."""


class DecisionKey(NamedTuple):
    """What decisions are summed by before they are written. Immutable; a tuple, for every decision makes one."""

    shard: int
    quarter: int
    """Quarters of an hour since 1970, UTC: every zone's days begin at one."""
    flight: IdHash
    creative: IdHash
    slot: IdHash
    place: IdHash
    topic: IdHash
    variant: Variant
    reason: NoFillReason | None
    """None for fills."""

    @classmethod
    def of(cls, token: Token) -> Self:
        """Return what a fill is summed by, told by its token."""
        return cls(
            shard=token.shard,
            quarter=token.issued_second // QUARTER_SECONDS,
            flight=token.flight,
            creative=token.creative,
            slot=token.slot,
            place=token.place,
            topic=token.topic,
            variant=token.variant,
            reason=None,
        )

    @classmethod
    def unfilled(
        cls,
        *,
        shard: int,
        slot: IdHash,
        place: IdHash,
        topic: IdHash,
        variant: Variant,
        reason: NoFillReason,
        second: int,
    ) -> Self:
        """Return what a decision of `second` (Unix time) that filled nothing is summed by."""
        none = (Kind.FLIGHT.none, Kind.CREATIVE.none)
        return cls(shard, second // QUARTER_SECONDS, *none, slot, place, topic, variant, reason)


def decision_record(key: DecisionKey, count: int, second: int) -> Record:
    """Return the record of `count` decisions alike, written at `second` (Unix time)."""
    return Record(
        kind=RecordKind.NO_FILL if key.reason else RecordKind.FILL,
        reason=key.reason.code if key.reason else 0,
        reported=0,
        issuer=_NO_ISSUER,
        shard=key.shard,
        sequence=0,
        issued_second=key.quarter * QUARTER_SECONDS,
        flight=key.flight,
        creative=key.creative,
        slot=key.slot,
        place=key.place,
        topic=key.topic,
        variant=key.variant.code,
        accepted_second=second,
        times=count,
    )
