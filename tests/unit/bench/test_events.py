"""The events that the benchmark counts are those that a spool may hold, and come as often as real ones."""

from collections import Counter

from adserver.counting.records import Record, decode
from adserver.domain.ids import Kind, id_hash
from adserver.domain.reasons import EventKind
from adserver.domain.token import Token
from adserver.domain.variants import Variant
from bench.events import PIECE_RECORDS, Readers

COUNT = PIECE_RECORDS + 1_000


def token(number: int) -> Token:
    return Token(
        issuer=bytes(6),
        shard=0,
        sequence=0,
        issued_second=0,
        flight=id_hash(Kind.FLIGHT, f"flight-{number}"),
        creative=id_hash(Kind.CREATIVE, "creative"),
        slot=id_hash(Kind.SLOT, "slot"),
        place=id_hash(Kind.PLACE, "us-mn"),
        topic=id_hash(Kind.TOPIC, "sports"),
        variant=Variant.AUTO,
    )


def test_every_event_is_a_record_of_a_reader_and_tokens_are_numbered_on() -> None:
    pieces = Readers([token(0), token(1)]).events(COUNT)
    records = [record for piece in pieces for record in decode(piece)]
    assert len(records) == COUNT
    assert all(isinstance(record, Record) and record.reader for record in records)
    events = [record for record in records if isinstance(record, Record)]
    assert [event.sequence for event in events] == [number * 3 // 5 for number in range(COUNT)]
    assert len({(event.sequence, event.flight, event.reader) for event in events}) == events[-1].sequence + 1
    kinds = Counter(event.kind for event in events)
    assert kinds[EventKind.SEEN.code] > kinds[EventKind.VIEWABLE.code] > 20 * kinds[EventKind.CLICK.code] > 0
    flights = Counter(event.flight for event in events)
    assert flights[token(0).flight] > flights[token(1).flight]
    assert {event.accepted_second - event.issued_second for event in events} <= set(range(-1, 3602))


def test_another_backlog_has_other_tokens() -> None:
    readers = Readers([token(0)])
    first, second = (next(decode(readers.events(10)[0])) for _ in range(2))
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert first.issuer != second.issuer
