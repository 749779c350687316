"""Golden: how a batch is told to version 4 of the script."""

from importlib import resources

from batch_of import batch_of

from adserver.counting.records import DecisionKey, decision_record, event_record
from adserver.domain.ids import IdHash
from adserver.domain.reasons import EventKind, InvalidReason
from adserver.domain.token import Token
from adserver.domain.variants import Variant
from adserver.keeping.batches import Goal
from adserver.keeping.redis_counts import encode_call

FLIGHT = IdHash(b"flight")
TOKEN = Token(
    issuer=b"\x01\x02\x03\x04\x05\x06",
    shard=3,
    sequence=8_165,
    issued_second=1_800_000_000,
    flight=FLIGHT,
    creative=IdHash(b"creati"),
    slot=IdHash(b"slot5"),
    place=IdHash(b"place"),
    topic=IdHash(b"topi"),
    variant=Variant.AUTO,
)
SECOND = TOKEN.issued_second


def test_the_script_says_which_version_it_reads() -> None:
    script = resources.files("adserver.keeping").joinpath("apply.lua").read_text()
    assert script.splitlines()[0].endswith("Version 4.")


def test_a_call_is_written_the_same_for_ever() -> None:
    records = (
        event_record(TOKEN, EventKind.SEEN, None, Variant.LONG, SECOND, 0xA1B2C3D4),
        decision_record(DecisionKey.of(TOKEN), 258, SECOND),
        event_record(TOKEN, EventKind.CLICK, None, Variant.LONG, SECOND),
        event_record(TOKEN, EventKind.SEEN, None, Variant.LONG, SECOND),
        *[event_record(TOKEN, EventKind.SEEN, InvalidReason.EXPIRED, Variant.LONG, SECOND)] * 2,
    )
    goals = {FLIGHT: Goal(7, 1_000)}
    batch = batch_of(
        records, lambda _slot, second: second // 86_400, goals, spool="ab", start=64, end=448, shard=3, shards=16
    )

    keys, arguments = encode_call(batch, 604_800)

    assert keys == [
        *("{s3}:applied", "{s3}:delivered", "{s3}:goals", "{s3}:drops", "{s3}:gap", "{s3}:repeats"),
        "{s3}:tok:010203040506:1",
        "{s3}:hours:666c69676874:637265617469:736c6f7435:83333",
        "{s3}:places:666c69676874:637265617469:736c6f7435:706c616365:2976",
        "{s3}:topics:666c69676874:736c6f7435:746f7069:5208",
        "{s3}:reach:20833:666c69676874",
        *("{s3}:index:hours:83333", "{s3}:index:places:2976", "{s3}:index:topics:5208", "{s3}:index:reach:20833"),
        "{s3}:tok:010203040506:1",
    ]
    assert arguments[:10] == ["ab", 64, 448, 604_800, 1, 3, 1, 4, 1, 0]
    assert [argument.hex() for argument in arguments[10:17] if isinstance(argument, bytes)] == [
        "0002",  # rows of the block
        "0005 3d 0000 0000 a1b2c3d4  0005 19 0000 0003 00000000".replace(" ", ""),
        "0000 02 0001 01 0002 01 0000 0007a120 0000".replace(" ", ""),
        "0000 00 00 0000000000000102  0000 03 12 0000000000000002".replace(" ", ""),
        "0000 0001 0002 0003".replace(" ", ""),
        "0002",  # rows that can be views
        "0000 0005 0000 0002".replace(" ", ""),
    ]
    assert arguments[17:] == [FLIGHT.hex(), "7:1000"]
