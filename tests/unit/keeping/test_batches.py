from datetime import UTC, datetime

from adserver.catalog.names import Names, SlotName, Whereabouts
from adserver.counting.cells import Family
from adserver.counting.records import Record, event_record
from adserver.domain.ids import Kind, id_hash
from adserver.domain.reasons import EventKind
from adserver.domain.token import Token
from adserver.domain.variants import Variant
from adserver.keeping.batches import TOKENS_PER_BLOCK, BatchBuilder
from adserver.keeping.calendar import SiteCalendar

SLOT = id_hash(Kind.SLOT, "masthead")
KATHMANDU = SiteCalendar(Names(slots={SLOT: SlotName("masthead", (Whereabouts(0, "site", "Asia/Kathmandu"),))}))


def view(issued: datetime, sequence: int = 0) -> Record:
    token = Token(
        issuer=b"issuer",
        shard=0,
        sequence=sequence,
        issued_second=int(issued.timestamp()),
        flight=id_hash(Kind.FLIGHT, "minnesota"),
        creative=id_hash(Kind.CREATIVE, "elevate"),
        slot=SLOT,
        place=Kind.PLACE.unknown,
        topic=Kind.TOPIC.none,
        variant=Variant.AUTO,
    )
    return event_record(token, EventKind.SEEN, None, Variant.SHORT, int(issued.timestamp()))


def test_two_quarters_of_one_hour_can_be_two_days_of_the_site() -> None:
    builder = BatchBuilder(0, KATHMANDU.day, {})
    builder.add(view(datetime(2026, 11, 24, 18, 14, tzinfo=UTC)))  # midnight there is 18:15
    builder.add(view(datetime(2026, 11, 24, 18, 16, tzinfo=UTC)))
    batch = builder.build("spool", 0, 128)

    days = {
        int(batch.cells[group.places[0]].key.rpartition(":")[2]) * Family.PLACES.block_size + group.places[1]
        for group in batch.groups
    }
    assert len(days) == 2
    assert {group.hours for group in batch.groups} == {batch.groups[0].hours}


def test_tokens_of_one_issuer_share_blocks_by_their_sequence() -> None:
    builder = BatchBuilder(0, KATHMANDU.day, {})
    for sequence in (0, TOKENS_PER_BLOCK - 1, TOKENS_PER_BLOCK):
        builder.add(view(datetime(2026, 11, 24, tzinfo=UTC), sequence))
    batch = builder.build("spool", 0, 192)

    assert [(event.block, event.token) for event in batch.events] == [(0, 0), (0, TOKENS_PER_BLOCK - 1), (1, 0)]
    assert batch.blocks == ("{s0}:tok:697373756572:0", "{s0}:tok:697373756572:1")
