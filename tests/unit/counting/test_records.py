import zlib

import pytest

from adserver.counting.records import (
    CORRUPT,
    RECORD_BYTES,
    DecisionKey,
    Record,
    RecordKind,
    decision_record,
    decode,
    encode,
    event_record,
)
from adserver.domain.ids import IdHash, Kind
from adserver.domain.reasons import EventKind, InvalidReason, NoFillReason
from adserver.domain.token import Token
from adserver.domain.variants import Variant

TOKEN = Token(
    issuer=b"\x01\x02\x03\x04\x05\x06",
    shard=7,
    sequence=0x0A0B0C0D,
    issued_second=1_795_500_000,
    flight=IdHash(b"flight"),
    creative=IdHash(b"creati"),
    slot=IdHash(b"slot5"),
    place=IdHash(b"place"),
    topic=IdHash(b"topi"),
    variant=Variant.AUTO,
)


def test_an_event_is_written_the_same_for_ever() -> None:
    record = event_record(TOKEN, EventKind.CLICK, InvalidReason.EXPIRED, Variant.LONG, 1_795_500_060, 0x0E0F1011)
    head = bytes.fromhex("01 02 02 03")  # version, kind, reason, reported
    token = bytes.fromhex("010203040506 07 0a0b0c0d 6b0527e0") + b"flightcreatislot5placetopi" + b"\x00"
    rest = bytes.fromhex("6b05281c 00000001 0e0f1011 0000")  # accepted, times, reader, zero
    body = head + token + rest

    assert encode(record) == body + zlib.crc32(body).to_bytes(4, "big")
    assert len(encode(record)) == RECORD_BYTES


def test_what_was_encoded_is_decoded() -> None:
    key = DecisionKey(
        1,
        99,
        IdHash(b"flight"),
        IdHash(b"creati"),
        IdHash(b"slot5"),
        IdHash(b"place"),
        IdHash(b"topi"),
        Variant.SHORT,
        NoFillReason.GOAL_MET,
    )
    records = [
        event_record(TOKEN, EventKind.VIEWABLE, None, Variant.SHORT, 1_795_500_001, 0xFFFF_FFFF),
        event_record(None, EventKind.SEEN, InvalidReason.SIGNATURE, Variant.AUTO, 1_795_500_002),
        decision_record(key, 123_456, 1_795_500_003),
    ]

    assert list(decode(b"".join(encode(record) for record in records))) == records


def test_an_event_without_a_token_counts_for_nobody_in_the_hour_it_came() -> None:
    record = event_record(None, EventKind.SEEN, InvalidReason.SIGNATURE, Variant.AUTO, 1_795_500_002)

    assert (record.flight, record.creative, record.slot) == (Kind.FLIGHT.none, Kind.CREATIVE.none, Kind.SLOT.none)
    assert (record.shard, record.issued_second) == (0, 1_795_500_002)


@pytest.mark.parametrize("position", range(RECORD_BYTES))
def test_a_record_with_any_byte_changed_is_corrupt_and_its_neighbours_are_not(position: int) -> None:
    good = encode(event_record(TOKEN, EventKind.SEEN, None, Variant.AUTO, 1))
    bad = bytearray(good)
    bad[position] ^= 0x10

    first, second, third = decode(good + bytes(bad) + good)

    assert (first, third) == (next(decode(good)), next(decode(good)))
    assert second is CORRUPT


@pytest.mark.parametrize(("byte", "value"), [(0, 2), (1, 5), (2, 11), (2, 255), (3, 4), (45, 4)])
def test_a_record_of_another_version_or_with_codes_unknown_to_this_one_is_corrupt(byte: int, value: int) -> None:
    body = bytearray(encode(event_record(TOKEN, EventKind.SEEN, None, Variant.AUTO, 1))[:60])
    body[byte] = value

    assert list(decode(bytes(body) + zlib.crc32(body).to_bytes(4, "big"))) == [CORRUPT]


def test_a_torn_record_at_the_end_is_left_out() -> None:
    good = encode(event_record(TOKEN, EventKind.SEEN, None, Variant.AUTO, 1))

    assert [type(record) for record in decode(good + good[:63])] == [Record]


def test_kinds_of_events_have_the_codes_of_the_events() -> None:
    assert [RecordKind(kind.code).name for kind in EventKind] == [kind.name for kind in EventKind]
