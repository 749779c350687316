from datetime import UTC, datetime

import numpy as np
from batch_of import batch_of

from adserver.catalog.names import Names, SlotName, Whereabouts
from adserver.counting.cells import Family
from adserver.counting.records import Record, event_record
from adserver.domain.ids import Kind, id_hash
from adserver.domain.reasons import EventKind
from adserver.domain.token import Token
from adserver.domain.variants import Variant
from adserver.keeping.batches import TOKENS_PER_BLOCK, Batch
from adserver.keeping.batching import _MIX, _alike
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


def make(*records: Record) -> Batch:
    return batch_of(records, KATHMANDU.day, {}, spool="spool", start=0, end=64 * len(records))


def test_two_quarters_of_one_hour_can_be_two_days_of_the_site() -> None:
    batch = make(
        view(datetime(2026, 11, 24, 18, 14, tzinfo=UTC)),  # midnight there is 18:15
        view(datetime(2026, 11, 24, 18, 16, tzinfo=UTC)),
    )

    days = {
        int(batch.cells[group.places_cell].key.rpartition(":")[2]) * Family.PLACES.block_size
        + group.places_day_in_block
        for group in batch.groups
    }
    assert len(days) == 2
    assert {group.placed[0] for group in batch.groups} == {batch.groups[0].placed[0]}


def test_tokens_of_one_issuer_share_blocks_by_their_sequence() -> None:
    batch = make(
        *(
            view(datetime(2026, 11, 24, tzinfo=UTC), sequence)
            for sequence in (TOKENS_PER_BLOCK, TOKENS_PER_BLOCK - 1, 0)
        )
    )

    assert [(block, row.token) for block, row in batch.token_rows()] == [
        ("{s0}:tok:697373756572:0", 0),
        ("{s0}:tok:697373756572:0", TOKENS_PER_BLOCK - 1),
        ("{s0}:tok:697373756572:1", 0),
    ]


def test_records_whose_sums_collide_are_still_told_apart() -> None:
    first, second, *_ = (int(odd) for odd in _MIX)
    words = np.array([[0, 0, 0, 0], [second, 2**64 - first, 0, 0], [0, 0, 0, 0]], np.uint64)

    firsts, sets = _alike(words)

    assert len(firsts) == 2
    assert sets[0] == sets[2] != sets[1]
