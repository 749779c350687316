"""Views by flight and period of issue, as the keeper takes them from what a shard has counted."""

from adserver.counting.records import DecisionKey, Record, decision_record, encode, event_record
from adserver.decision.pacing import HELD_PERIODS, KNOWN_PERIODS, PERIOD_SECONDS
from adserver.domain.ids import IdHash
from adserver.domain.reasons import EventKind, InvalidReason
from adserver.domain.token import Token
from adserver.domain.variants import Variant
from adserver.keeping.record_table import RecordTable
from adserver.keeping.views import ViewLog

SOLD, OTHER = IdHash(b"sold!!"), IdHash(b"\xff\xfe\x00\x01\x02\x80")
"""The second has the highest bits set, as half of all hashes have."""
PERIOD = 36_000_000
START = PERIOD * PERIOD_SECONDS
TOKEN = Token(
    issuer=b"\x01\x02\x03\x04\x05\x06",
    shard=0,
    sequence=1,
    issued_second=START,
    flight=SOLD,
    creative=IdHash(b"creati"),
    slot=IdHash(b"slot5"),
    place=IdHash(b"place"),
    topic=IdHash(b"topi"),
    variant=Variant.AUTO,
)


def view(
    flight: IdHash = SOLD,
    issued: int = 0,
    after: int = 0,
    *,
    shard: int = 0,
    kind: EventKind = EventKind.SEEN,
    reason: InvalidReason | None = None,
) -> Record:
    """Return an event of a fill of a second since `START`, accepted so many seconds after it."""
    token = TOKEN._replace(flight=flight, issued_second=START + issued, shard=shard)
    return event_record(token, kind, reason, Variant.LONG, START + issued + after)


def noted(*records: Record, shard: int = 0, log: ViewLog | None = None) -> ViewLog:
    log = log or ViewLog()
    log.note(RecordTable.read(b"".join(map(encode, records))), shard)
    return log


def test_views_are_taken_by_flight_and_period_of_issue() -> None:
    log = noted(view(), view(issued=PERIOD_SECONDS - 1), view(issued=PERIOD_SECONDS), view(OTHER))
    assert log.seen == {PERIOD: {SOLD: 2, OTHER: 1}, PERIOD + 1: {SOLD: 1}}
    noted(view(), log=log)
    assert log.seen[PERIOD] == {SOLD: 3, OTHER: 1}
    assert not log.late


def test_what_is_seen_after_its_fill_was_given_up_is_late_whenever_that_was() -> None:
    held = (HELD_PERIODS + 1) * PERIOD_SECONDS
    log = noted(view(after=held - 1), view(after=held), view(OTHER, after=100 * held), view(after=2 * held))
    assert log.seen == {PERIOD: {SOLD: 1}}
    assert log.late == {SOLD: 2, OTHER: 1}


def test_only_valid_views_of_the_shard_that_counted_them_are_taken() -> None:
    log = noted(
        view(kind=EventKind.CLICK),
        view(kind=EventKind.VIEWABLE),
        view(reason=InvalidReason.BOT),
        view(shard=1),
        decision_record(DecisionKey.of(TOKEN), 5, START),
    )
    assert (log.seen, log.late) == ({}, {})
    noted(view(shard=1), view(), shard=1, log=log)
    assert log.seen == {PERIOD: {SOLD: 1}}


def test_a_record_that_is_damaged_is_none() -> None:
    data = bytearray(encode(view()))
    data[30] ^= 1
    log = ViewLog()
    log.note(RecordTable.read(bytes(data) + encode(view())), 0)
    assert log.seen == {PERIOD: {SOLD: 1}}


def test_periods_too_old_to_be_pending_are_let_go_and_late_views_are_not() -> None:
    log = noted(view(), view(issued=PERIOD_SECONDS), view(after=1_000))
    log.forget(START + KNOWN_PERIODS * PERIOD_SECONDS)
    assert log.seen.keys() == {PERIOD, PERIOD + 1}
    log.forget(START + (KNOWN_PERIODS + 1) * PERIOD_SECONDS)
    assert log.seen.keys() == {PERIOD + 1}
    assert log.late == {SOLD: 1}
