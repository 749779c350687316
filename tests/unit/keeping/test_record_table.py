"""The columns say what the reader of single records says, whatever stands in the spool."""

import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adserver.counting.records import CORRUPT, RECORD_BYTES, Record, decode, encode, event_record
from adserver.domain.reasons import EventKind
from adserver.domain.variants import Variant
from adserver.keeping.record_table import RecordTable

GOOD = encode(event_record(None, EventKind.SEEN, None, Variant.LONG, 1_800_000_000, 77))


def record_bytes(rng: random.Random) -> bytes:
    """Return 64 bytes that are a record, nearly one, or none."""
    head = bytes((rng.choice((1, 1, 1, 2)), rng.randrange(6), rng.randrange(26), rng.randrange(5)))
    body = bytearray(head + rng.randbytes(56))
    body[45] = rng.randrange(5)
    body[58:60] = bytes(2)
    crc = zlib.crc32(body) ^ (rng.random() < 0.2)
    return bytes(body) + crc.to_bytes(4, "big")


def agree(data: bytes) -> None:
    table = RecordTable.read(data)
    records = list(decode(data))
    assert table.good.tolist() == [record is not CORRUPT for record in records]
    assert table.bad() == [number for number, record in enumerate(records) if record is CORRUPT]
    for record, columns, issuer in zip(records, table.columns.tolist(), table.issuers().tolist(), strict=True):
        if isinstance(record, Record):
            _, kind, reason, reported, shard, sequence, issued, variant, times, reader, _ = columns
            assert (kind, reason, reported, variant) == (record.kind, record.reason, record.reported, record.variant)
            assert (shard, sequence, issued) == (record.shard, record.sequence, record.issued_second)
            assert (times, reader, issuer) == (record.times, record.reader, int.from_bytes(record.issuer, "big"))


@given(seed=st.integers(0, 2**32), count=st.integers(0, 60))
def test_columns_and_records_agree(seed: int, count: int) -> None:
    rng = random.Random(seed)
    agree(b"".join(GOOD if rng.random() < 0.3 else record_bytes(rng) for _ in range(count)))


@pytest.mark.parametrize("position", range(RECORD_BYTES))
def test_a_changed_byte_is_seen_wherever_it_stands(position: int) -> None:
    bad = bytearray(GOOD)
    bad[position] ^= 0x10
    assert RecordTable.read(GOOD * 3 + bytes(bad) + GOOD).bad() == [3]


def test_a_rest_is_left_out() -> None:
    assert len(RecordTable.read(GOOD + GOOD[:63]).columns) == 1
    assert len(RecordTable.read(b"").columns) == 0
